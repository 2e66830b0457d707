// A status as own-drawn glyph and word, in the text colour of its state.

import type { Status } from '../api/types'
import { statusWord } from '../model/health'

const SHAPES: Record<Status, string> = {
  ok: 'M2 6.5 4.7 9.2 10 3.2',
  error: 'M6 1.8v5M6 9.6v.6',
  throttle: 'M4 2.2v7.6M8 2.2v7.6',
  fault: 'M2.5 2.5l7 7M9.5 2.5l-7 7',
  in_progress: 'M2 6h.1M6 6h.1M10 6h.1',
}

interface Props {
  status: Status
  /** Only the glyph, and none for what went well. */
  bare?: boolean
}

export function StatusMark({ status, bare = false }: Props) {
  if (bare && status === 'ok') return null
  const word = statusWord(status)
  return (
    <span
      className={`status status-${status}`}
      {...(bare && { role: 'img', 'aria-label': word, title: word })}
    >
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <path d={SHAPES[status]} />
      </svg>
      {!bare && word}
    </span>
  )
}
