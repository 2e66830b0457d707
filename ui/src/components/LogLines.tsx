// Log lines under the segments that wrote them, with links to other log stores.

import { useMemo } from 'react'
import type { LogLine, TraceLogs, TraceRow } from '../api/types'
import { clock, count } from '../model/format'
import { groupLines, levelWord, type LogLink } from '../model/logLines'
import '../styles/logs.css'

interface Props {
  logs: TraceLogs
  rows: readonly TraceRow[]
  /** Of the trace, in epoch seconds. */
  start: number
  onRow(id: string): void
}

export function LogLines({ logs, rows, start, onRow }: Props) {
  const groups = useMemo(() => groupLines(logs, rows), [logs, rows])
  const ofTrace = logs.links.filter(({ segment }) => segment === null)
  return (
    <div className="log-lines" data-scroller="true">
      {ofTrace.length > 0 && <Links links={ofTrace} />}
      {logs.lines.length === 0 && <NoLines />}
      {groups.map(({ row, lines, links }) => (
        <section key={row?.id ?? ''} aria-label={`Log lines of ${row?.name ?? 'no segment'}`}>
          <h2>
            {row ? (
              <button
                type="button"
                className="link"
                title="Show it in the timeline"
                onClick={() => onRow(row.id)}
              >
                {row.name}
              </button>
            ) : (
              'No segment named'
            )}
            {row?.type && <span className="mute">{row.type}</span>}
          </h2>
          {links.length > 0 && <Links links={links} />}
          {lines.length > 0 && <Lines lines={lines} start={start} />}
        </section>
      ))}
      {logs.left_out > 0 && (
        <p className="mute" role="status">
          {count(logs.left_out)} later lines are left out.
        </p>
      )}
    </div>
  )
}

function Lines({ lines, start }: { lines: readonly LogLine[]; start: number }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Time</th>
          <th>Level</th>
          <th>Text</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id} className={`log-${line.record ? 'platform' : line.severity || 'plain'}`}>
            <td className="mono" title={`${((line.time - start) * 1000).toFixed(0)} ms after the start`}>
              {clock(line.time)}.{milliseconds(line.time)}
            </td>
            <td>{levelWord(line)}</td>
            <td className="mono">{line.text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function milliseconds(epoch: number): string {
  return String(Math.floor((epoch % 1) * 1000)).padStart(3, '0')
}

function Links({ links }: { links: readonly LogLink[] }) {
  return (
    <p className="log-links">
      {links.map(({ label, url }) => (
        <a key={url} href={url} target="_blank" rel="noreferrer">
          {label}
        </a>
      ))}
    </p>
  )
}

function NoLines() {
  return (
    <div className="log-empty" role="status">
      <p>No log line of this trace has arrived, or they have expired. Lines come from:</p>
      <ul>
        <li>
          Lambda: a CloudWatch Logs subscription through Firehose to <code>/firehose/logs</code>, or the layer{' '}
          <code>raymap-lambda</code>
        </li>
        <li>
          Services: OTLP logs with their trace id, <code>OTEL_LOGS_EXPORTER=otlp</code>
        </li>
      </ul>
      <p>docs/logs.md says how to set each of them up.</p>
    </div>
  )
}
