// An alarm's state as glyph and word.

import type { AlarmState as State } from '../api/alarms'
import { STATES } from '../model/alarms'

const LOOKS: Record<State, [kind: string, shape: string]> = {
  ALARM: ['fault', 'M6 1.8v5M6 9.6v.6'],
  OK: ['ok', 'M2 6.5 4.7 9.2 10 3.2'],
  INSUFFICIENT_DATA: ['in_progress', 'M2 6h.1M6 6h.1M10 6h.1'],
}

export function AlarmState({ state }: { state: State }) {
  const [kind, shape] = LOOKS[state]
  return (
    <span className={`status status-${kind}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <path d={shape} />
      </svg>
      {STATES[state]}
    </span>
  )
}
