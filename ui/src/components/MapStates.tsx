// The map before it is there.

import { useEffect, useState } from 'react'
import { slowWords } from './Loading'

const RINGS = [
  [90, 150],
  [270, 90],
  [270, 210],
  [450, 90],
  [450, 210],
] as const

/** Shown after a moment, so that a fast answer does not flash. */
export function MapSkeleton({ delay = 200, slow = null }: { delay?: number; slow?: number | null }) {
  const [shown, setShown] = useState(delay === 0)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), delay)
    return () => clearTimeout(timer)
  }, [delay])
  if (!shown) return <div className="map-skeleton" />
  return (
    <div className="map-skeleton" role="status">
      <svg viewBox="0 0 540 300" aria-hidden="true">
        <path d="M122 150C180 150 180 90 238 90M122 150c58 0 58 60 116 60M302 90h116M302 210h116" />
        {RINGS.map(([x, y]) => (
          <circle key={`${x} ${y}`} cx={x} cy={y} r="26" />
        ))}
      </svg>
      <p>{slow === null ? 'Loading map…' : slowWords(slow)}</p>
    </div>
  )
}
