// The four shares as one flat bar, with the same second cues as a ring.

import { BAND } from '../map/geometry'
import { STATES, type Shares } from '../model/health'

const WIDTH = 88
const LEAST = 3

export function SharesBar({ shares }: { shares: Shares }) {
  const present = STATES.filter((state) => shares[state] > 0)
  const spare = WIDTH - present.length * LEAST
  let x = 0
  return (
    <svg className="shares-bar" width={WIDTH} height="14" viewBox={`0 0 ${WIDTH} 14`} aria-hidden="true">
      {present.map((state) => {
        const width = LEAST + spare * shares[state]
        const left = x
        x += width
        return (
          <line
            key={state}
            x1={left}
            x2={left + width - (x < WIDTH - 0.5 ? 1 : 0)}
            y1="7"
            y2="7"
            stroke={`var(--${state})`}
            strokeWidth={BAND[state]}
            strokeDasharray={state === 'throttle' ? '4 2.2' : undefined}
          />
        )
      })}
    </svg>
  )
}
