// How the server is doing: a dot in the header, and behind it what became of the segments it received.

import type { ReactNode } from 'react'
import type { ServerStatus } from '../api/types'
import type { ServerState } from '../model/serverState'
import { Popover } from './Popover'

interface Props {
  status: ServerStatus | null
  state: ServerState
  /** What the dot opens. */
  numbers(status: ServerStatus): ReactNode
}

const GLYPHS: Record<ServerState['tone'], string> = { ok: '', unknown: '', slow: '!', bad: '✕' }

export function StatusCorner({ status, state: { tone, words, hint }, numbers }: Props) {
  return (
    <Popover
      className={`status-corner is-${tone}`}
      label={`Server status: ${words}`}
      button={
        <>
          <span className="dot" aria-hidden="true">
            {GLYPHS[tone]}
          </span>
          <span className="status-words">{words}</span>
        </>
      }
    >
      {() => (
        <>
          {hint && <p className="popover-text">{hint}</p>}
          {status ? numbers(status) : <p className="popover-text">The server does not answer.</p>}
        </>
      )}
    </Popover>
  )
}
