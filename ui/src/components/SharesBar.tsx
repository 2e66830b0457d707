// The shares as one flat bar, with the same second cues as a ring.

import { BAND, DASH } from '../map/geometry'
import { BANDS, type Shares } from '../model/health'

const WIDTH = 88
const LEAST = 3

export function SharesBar({ shares }: { shares: Shares }) {
  const present = BANDS.filter((band) => shares[band])
  const spare = WIDTH - present.length * LEAST
  let x = 0
  return (
    <svg className="shares-bar" width={WIDTH} height="14" viewBox={`0 0 ${WIDTH} 14`} aria-hidden="true">
      {present.map((band) => {
        const width = LEAST + spare * shares[band]
        const left = x
        x += width
        return (
          <line
            key={band}
            x1={left}
            x2={left + width - (x < WIDTH - 0.5 ? 1 : 0)}
            y1="7"
            y2="7"
            stroke={`var(--${band})`}
            strokeWidth={BAND[band]}
            strokeDasharray={DASH[band]?.join(' ')}
          />
        )
      })}
    </svg>
  )
}
