// Says that figures are not all there yet.

import type { ServiceMap } from '../api/types'
import { incompleteNote } from '../model/freshness'

interface Props {
  of: Pick<ServiceMap, 'incomplete'> | null | undefined
  /** When the answer came (epoch seconds). */
  at: number | null
}

export function IncompleteNote({ of, at }: Props) {
  const note = of && at !== null && incompleteNote(of, at)
  return note ? (
    <p className="left-out" role="status">
      {note}
    </p>
  ) : null
}
