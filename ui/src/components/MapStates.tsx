// The map before it is there, and where there is nothing to draw.

import { useEffect, useState } from 'react'
import { span } from '../model/format'
import { Empty } from './Empty'
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

interface EmptyRangeProps {
  from: number
  to: number
  what: string
  onLastDay: (() => void) | undefined
  onClear?: (() => void) | undefined
}

export function EmptyRange({ from, to, what, onLastDay, onClear }: EmptyRangeProps) {
  return (
    <Empty title={`No ${what} in this range`}>
      <p>{span(from, to)}</p>
      <div className="empty-actions">
        {onLastDay && (
          <button type="button" className="button primary" onClick={onLastDay}>
            Last 24 hours
          </button>
        )}
        {onClear && (
          <button type="button" className="button" onClick={onClear}>
            Clear filter
          </button>
        )}
      </div>
    </Empty>
  )
}
