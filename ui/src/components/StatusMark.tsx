// A status as glyph and word, in the text colour of its state.

import type { Status } from '../api/types'
import { statusGlyph, statusWord } from '../model/health'

export function StatusMark({ status, bare = false }: { status: Status; bare?: boolean }) {
  const glyph = statusGlyph(status)
  if (bare && !glyph) return null
  return (
    <span className={`status status-${status}`} title={bare ? statusWord(status) : undefined}>
      <span className="status-glyph" aria-hidden={!bare}>
        {glyph || '✓'}
      </span>
      {!bare && statusWord(status)}
    </span>
  )
}
