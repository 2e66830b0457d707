// Over the rows: the whole trace in small, to brush a part of it, and the ticks of the part that is shown.

import { memo, useRef, useState, type PointerEvent, type ReactElement } from 'react'
import type { TraceRow } from '../api/types'
import { duration } from '../model/format'
import { barPlace, ticks, type Span } from '../model/timeline'
import { ResizeHandle } from './ResizeHandle'

interface Props {
  rows: readonly TraceRow[]
  whole: Span
  shown: Span
  onShown(span: Span): void
}

export const [NARROWEST_NAME, WIDEST_NAME, USUAL_NAME] = [160, 900, 340] as const

interface HeaderProps extends Props {
  /** Width of the rows' scroll bar: the axis must line up with the bars. */
  gutter: number
  wanted: number
  /** Pixels of the column of names. */
  nameWidth: number
  onNameWidth(width: number): void
}

export function TimelineHeader(props: HeaderProps) {
  const { rows, whole, shown, gutter, wanted, nameWidth, onNameWidth, onShown } = props
  const zoomed = shown.start > whole.start || shown.end < whole.end
  return (
    <div className="timeline-header" style={{ paddingRight: gutter }}>
      <div className="timeline-corner">
        <span>Segment</span>
        {zoomed && (
          <button type="button" className="link" title="Whole trace (0)" onClick={() => onShown(whole)}>
            Reset zoom
          </button>
        )}
        <ResizeHandle
          className="name-handle"
          label="Width of the names"
          width={nameWidth}
          least={NARROWEST_NAME}
          most={WIDEST_NAME}
          wider="ArrowRight"
          widthAt={(clientX, handle) =>
            clientX - (handle.parentElement as HTMLElement).getBoundingClientRect().left
          }
          onWidth={onNameWidth}
        />
      </div>
      <div className="timeline-axis">
        <Overview rows={rows} whole={whole} shown={shown} onShown={onShown} />
        <Ticks shown={shown} wanted={wanted} />
      </div>
      <div className="timeline-unit">Duration</div>
    </div>
  )
}

/** Percent of the axis from which on words stand left of their tick; of a narrow one with few ticks, where they are left out. */
const [LAST, LAST_OF_FEW, FEW] = [94, 67, 3]

function Ticks({ shown, wanted }: { shown: Span; wanted: number }) {
  const place = (at: number) => ((at - shown.start) / (shown.end - shown.start)) * 100
  return (
    <div className="ticks" aria-hidden="true">
      {ticks(shown, wanted).map((at) => {
        const isLast = place(at) > LAST && wanted > FEW
        const hasRoom = wanted > FEW || place(at) < LAST_OF_FEW
        return (
          <span key={at} className={isLast ? 'tick is-last' : 'tick'} style={{ left: `${place(at)}%` }}>
            {hasRoom && duration(at)}
          </span>
        )
      })}
    </div>
  )
}

const LANES = 80

function isFailed({ status }: TraceRow): boolean {
  return status !== 'ok' && status !== 'in_progress'
}

/** Every row as a hair line. The rows of a long trace share lanes; those that look the same are drawn once. */
const Strokes = memo(function Strokes({ rows, whole }: Pick<Props, 'rows' | 'whole'>) {
  const lanes = Math.min(LANES, rows.length)
  const drawn = new Map<string, ReactElement>()
  // What failed is drawn last and never thinner than can be seen.
  const ordered = rows.map((row, index) => ({ row, index, failed: isFailed(row) }))
  ordered.sort((a, b) => Number(a.failed) - Number(b.failed))
  for (const { row, index, failed } of ordered) {
    const { left, width } = barPlace(row, whole)
    const y = rows.length <= LANES ? index : Math.floor((index / rows.length) * LANES)
    const key = `${y} ${left.toFixed(1)} ${width.toFixed(1)} ${row.status}`
    if (drawn.has(key)) continue
    const shown = Math.max(width, failed ? 0.6 : 0.2)
    drawn.set(
      key,
      <rect
        key={key}
        x={left}
        y={y}
        width={shown}
        height={failed ? Math.max(0.8, lanes / 20) : 0.8}
        className={`bar-${row.status}`}
      />,
    )
  }
  return (
    <svg viewBox={`0 0 100 ${lanes}`} preserveAspectRatio="none" aria-hidden="true">
      {[...drawn.values()]}
    </svg>
  )
})

function Overview({ rows, whole, shown, onShown }: Props) {
  const root = useRef<HTMLDivElement>(null)
  const [from, setFrom] = useState<number | null>(null)
  const timeAt = (event: PointerEvent) => {
    const box = (root.current as HTMLDivElement).getBoundingClientRect()
    const ratio = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width))
    return whole.start + ratio * (whole.end - whole.start)
  }
  const least = (whole.end - whole.start) / 200
  const brush = (event: PointerEvent) => {
    if (from === null) return
    const to = timeAt(event)
    if (Math.abs(to - from) >= least) onShown({ start: Math.min(from, to), end: Math.max(from, to) })
  }
  const percent = (at: number) => ((at - whole.start) / (whole.end - whole.start)) * 100
  return (
    <div
      className="overview"
      ref={root}
      title="Drag to zoom into a part"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        setFrom(timeAt(event))
      }}
      onPointerMove={brush}
      onPointerUp={() => setFrom(null)}
      onDoubleClick={() => onShown(whole)}
    >
      <Strokes rows={rows} whole={whole} />
      <div className="shade" style={{ left: 0, width: `${percent(shown.start)}%` }} />
      <div className="shade" style={{ right: 0, width: `${100 - percent(shown.end)}%` }} />
    </div>
  )
}
