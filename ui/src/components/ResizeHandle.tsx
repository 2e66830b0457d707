// The edge between two columns: dragged, or moved with the arrow keys while it has the focus.

import type { PointerEvent } from 'react'
import '../styles/panel.css'

interface Props {
  label: string
  className?: string
  width: number
  least: number
  most: number
  /** Which arrow key makes it wider. */
  wider: 'ArrowLeft' | 'ArrowRight'
  /** The width that a pointer at this place means. */
  widthAt(clientX: number, handle: HTMLElement): number
  onWidth(width: number): void
}

const STEP = 20

export function ResizeHandle(props: Props) {
  const { label, className = '', width, least, most, wider, widthAt, onWidth } = props
  const resize = (next: number) => onWidth(clamped(next, least, most))
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    resize(widthAt(event.clientX, event.currentTarget))
  }
  return (
    <div
      className={`resize-handle ${className}`}
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      title={`${label}: drag, or ← and →`}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuenow={width}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={(event) => {
        const sign =
          event.key === wider ? 1 : event.key === 'ArrowLeft' || event.key === 'ArrowRight' ? -1 : 0
        if (sign === 0) return
        event.preventDefault()
        event.stopPropagation()
        resize(width + sign * STEP)
      }}
    />
  )
}

/** A width in whole pixels between two. */
export function clamped(width: number, least: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, width)))
}
