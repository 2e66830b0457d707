// Exceptions as they were thrown: the outermost first, each cause under what it caused.

import type { ExceptionInfo, StackFrame } from '../model/document'

interface Props {
  exceptions: ExceptionInfo[]
  nameOf(row: string): string
  onSelect(row: string): void
}

export function Exceptions({ exceptions, nameOf, onSelect }: Props) {
  return (
    <ol className="exceptions">
      {exceptions.map((exception, index) => (
        <li key={exception.id || index}>
          {exception.isCause && <p className="caused-by">caused by</p>}
          <h3>
            {exception.type}
            {exception.remote && <span className="tag">remote</span>}
          </h3>
          {exception.message && <p className="exception-message">{exception.message}</p>}
          {exception.from && (
            <p className="mute">
              Recorded in{' '}
              <button type="button" className="link" onClick={() => onSelect(exception.from as string)}>
                {nameOf(exception.from)}
              </button>
            </p>
          )}
          {exception.frames.length > 0 && <Stack frames={exception.frames} />}
          {exception.truncated > 0 && (
            <p className="mute">{exception.truncated} more frames were left out by the SDK.</p>
          )}
          {exception.skipped > 0 && (
            <p className="mute">{exception.skipped} exceptions in between were left out by the SDK.</p>
          )}
        </li>
      ))}
    </ol>
  )
}

function Stack({ frames }: { frames: StackFrame[] }) {
  return (
    <ul className="stack" aria-label="Stack">
      {frames.map((frame, index) => (
        <li key={index}>
          <span className="frame-label">{frame.label || '(anonymous)'}</span>
          <span className="frame-place">
            {frame.path}
            {frame.line !== null && `:${frame.line}`}
          </span>
        </li>
      ))}
    </ul>
  )
}
