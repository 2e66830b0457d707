// A state as it looks in a ring: with its own thickness and dash, so that colour is never the only sign.

import { BAND, DASH } from '../map/geometry'
import type { Band } from '../model/health'

export function StateSwatch({ state, width = 22 }: { state: Band; width?: number }) {
  const thick = BAND[state]
  return (
    <svg className="swatch" width={width} height="14" viewBox={`0 0 ${width} 14`} aria-hidden="true">
      {state !== 'unknown' && (
        <line x1="0" x2={width} y1="7" y2="7" stroke="var(--outline)" strokeWidth={thick + 2} />
      )}
      <line
        x1="1"
        x2={width - 1}
        y1="7"
        y2="7"
        stroke={`var(--${state})`}
        strokeWidth={thick}
        strokeDasharray={DASH[state]?.join(' ')}
      />
    </svg>
  )
}
