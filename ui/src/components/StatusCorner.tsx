// How the server is doing: a dot in the header, and behind it what became of the segments it received.

import type { ReactNode } from 'react'
import type { ServerStatus } from '../api/types'
import { count } from '../model/format'
import { Popover } from './Popover'

interface Props {
  status: ServerStatus | null
  reachable: boolean
  /** What the dot opens. */
  numbers(status: ServerStatus): ReactNode
}

export function StatusCorner({ status, reachable, numbers }: Props) {
  const verdict = judged(status, reachable)
  return (
    <Popover
      className={`status-corner is-${verdict.tone}`}
      label={`Server status: ${verdict.words}`}
      button={
        <>
          <span className="dot" aria-hidden="true">
            {verdict.tone === 'bad' ? '✕' : ''}
          </span>
          <span className="status-words">{verdict.words}</span>
        </>
      }
    >
      {() => (status ? numbers(status) : <p className="popover-text">The server does not answer.</p>)}
    </Popover>
  )
}

interface Verdict {
  tone: 'good' | 'bad' | 'unknown'
  words: string
}

function judged(status: ServerStatus | null, reachable: boolean): Verdict {
  if (!reachable) return { tone: 'bad', words: 'No connection' }
  if (!status) return { tone: 'unknown', words: 'Connecting' }
  if (!status.ready) return { tone: 'bad', words: 'Not ready' }
  if (status.problems.length > 0) return { tone: 'bad', words: 'Problem' }
  const lost = status.ingest.dropped + (status.ingest.kernel_drops ?? 0)
  if (lost > 0) return { tone: 'bad', words: `${count(lost)} dropped` }
  return { tone: 'good', words: 'Receiving' }
}
