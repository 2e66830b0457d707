// The lanes of the time scrubber: requests, share of faults and response times over a day, with what is usual; marks of
// deployments and problems; and the shown window, which is a slider.

import { useLayoutEffect, useMemo, useRef, useState, type RefObject } from 'react'
import type { TimeWindow } from '../api/client'
import type { History } from '../api/types'
import { clock } from '../model/format'
import {
  clusters,
  drawing,
  hourTicks,
  shareAt,
  timeAt,
  type Cluster,
  type Lanes,
  type Mark,
} from '../model/scrubber'

const LANES: Lanes = {
  requests: { top: 18, height: 20 },
  faults: { top: 41, height: 12 },
  p95: { top: 56, height: 12 },
}
const HEIGHT = 71
/** Pixels before a press is a drag. */
const STILL = 4

interface Props {
  history: History | null
  day: TimeWindow
  shown: TimeWindow
  slider: RefObject<HTMLDivElement | null>
  words: string
  failure: string
  onKey(event: React.KeyboardEvent): void
  /** The instant under the pointer. */
  onPoint(at: number | null): void
  onClick(at: number): void
  onDrag(from: number, to: number): void
  onProblem(id: string, from: number, to: number): void
}

export function TimeLanes(props: Props) {
  const { history, day, shown, slider, words } = props
  const root = useRef<HTMLDivElement>(null)
  const width = useWidth(root)
  const [drag, setDrag] = useState<{ from: number; to: number; x: number; moved: boolean } | null>(null)
  const [at, setAt] = useState<number | null>(null)
  const { from, to } = day
  const drawn = useMemo(
    () => (history && width ? drawing(history, { from, to }, width, LANES) : null),
    [history, from, to, width],
  )

  const instant = (event: React.PointerEvent) => {
    const box = (root.current as HTMLDivElement).getBoundingClientRect()
    return timeAt((event.clientX - box.left) / Math.max(1, box.width), day)
  }
  const point = (next: number | null) => {
    setAt(next)
    props.onPoint(next)
  }
  const down = (event: React.PointerEvent) => {
    if (event.button !== 0 || (event.target as Element).closest('button')) return
    event.currentTarget.setPointerCapture(event.pointerId)
    setDrag({ from: instant(event), to: instant(event), x: event.clientX, moved: false })
    slider.current?.focus({ preventScroll: true })
    event.preventDefault()
  }
  const move = (event: React.PointerEvent) => {
    point(instant(event))
    if (!drag) return
    const moved = drag.moved || Math.abs(event.clientX - drag.x) > STILL
    setDrag({ ...drag, to: instant(event), moved })
  }
  const up = (event: React.PointerEvent) => {
    if (!drag) return
    setDrag(null)
    if (drag.moved) props.onDrag(drag.from, instant(event))
    else props.onClick(drag.from)
  }

  const chosen = drag?.moved
    ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) }
    : shown
  const percent = (when: number) => `${(shareAt(when, day) * 100).toFixed(3)}%`
  return (
    <div
      ref={root}
      role="presentation"
      className={`scrubber-lanes${drag?.moved ? ' is-dragging' : ''}`}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={() => setDrag(null)}
      onPointerLeave={() => point(null)}
      onKeyDown={(event) => event.key === 'Escape' && drag && (setDrag(null), event.stopPropagation())}
    >
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <pattern id="so-far" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M1 0v4" />
        </pattern>
        {width > 0 &&
          hourTicks(day, width).map(({ at: hour, words: text }) => {
            const x = Math.round(shareAt(hour, day) * width) + 0.5
            return (
              <g className="hour" key={hour}>
                <path d={`M${x} ${LANES.requests.top}V${HEIGHT}`} />
                {x > 14 && x < width - 14 && (
                  <text x={x} y={11}>
                    {text}
                  </text>
                )}
              </g>
            )
          })}
        {drawn && (
          <>
            <path className="usual" d={drawn.usualRequests} />
            <path className="usual" d={drawn.usualP95} />
            <path className="requests" d={drawn.requests} />
            <path className="requests is-so-far" d={drawn.unfinished} />
            <path className="faults" d={drawn.faults} />
            <path className="usual-line" d={drawn.usualFaults} />
            <path className="p50" d={drawn.p50} />
            <path className="p95" d={drawn.p95} />
          </>
        )}
        {at !== null && !drag && (
          <path className="pointed" d={`M${shareAt(at, day) * width} ${LANES.requests.top}V${HEIGHT}`} />
        )}
      </svg>
      {props.failure && <p className="scrubber-failure">{props.failure}</p>}
      <div
        ref={slider}
        className="scrubber-shown"
        role="slider"
        tabIndex={0}
        aria-label="Shown time"
        aria-orientation="horizontal"
        aria-valuemin={Math.round(day.from)}
        aria-valuemax={Math.round(day.to)}
        aria-valuenow={Math.round(Math.min(day.to, Math.max(day.from, shown.from)))}
        aria-valuetext={words}
        title={`Shown: ${words}\nDrag to choose a time, click for the map of then; ← → by a minute, Shift by the window`}
        style={{ left: percent(chosen.from), right: `calc(100% - ${percent(chosen.to)})` }}
        onKeyDown={props.onKey}
      />
      {history && width > 0 && <Marks {...props} history={history} width={width} />}
    </div>
  )
}

function Marks({ history, day, width, onClick, onProblem }: Props & { history: History; width: number }) {
  const { deployments, problems } = history
  const flags = deployments.map(({ at, service, version, state }) => ({
    from: at,
    to: at,
    words: `${[service || 'Any service', /^\d/.test(version) ? `v${version}` : version, state || 'deployed'].filter(Boolean).join(' ')} ${clock(at).slice(0, 5)}`,
  }))
  const ills = problems.map(({ id, since, ended, text }) => ({
    id,
    from: Math.max(day.from, since),
    to: Math.min(day.to, ended ?? day.to),
    words: text,
  }))
  const style = ({ from, to }: Mark) => {
    const left = shareAt(from, day) * width
    return { left, width: Math.max(8, shareAt(to, day) * width - left) }
  }
  const left = [
    history.deployments_left_out > 0 && `${history.deployments_left_out} earlier deployments`,
    history.problems_left_out > 0 && `${history.problems_left_out} earlier problems`,
  ].filter(Boolean)
  return (
    <>
      {clusters(ills, day, width).map((one: Cluster<(typeof ills)[number]>) => (
        <button
          key={one.from}
          type="button"
          className="scrubber-problem"
          style={style(one)}
          aria-label={`${one.marks.length > 1 ? `${one.marks.length} problems` : 'Problem'}: ${one.words}`}
          title={`${one.words}\nShow it on the map`}
          onClick={() =>
            onProblem((one.marks[0] as { id: string }).id, one.from - 600, Math.min(day.to, one.to + 300))
          }
        />
      ))}
      {clusters(flags, day, width).map((one) => (
        <button
          key={one.from}
          type="button"
          className="scrubber-flag"
          style={{ left: shareAt((one.from + one.to) / 2, day) * width }}
          aria-label={`${one.marks.length > 1 ? `${one.marks.length} deployments` : 'Deployment'}: ${one.words}`}
          title={`${one.words}\nShow the map of then`}
          onClick={() => onClick((one.from + one.to) / 2)}
        >
          <svg width={9} height={HEIGHT - 12} aria-hidden="true">
            <path d="M0.5 0.5h8l-4 5Z" />
            <path className="pole" d={`M4.5 5V${HEIGHT}`} />
          </svg>
        </button>
      ))}
      {left.length > 0 && <p className="visually-hidden">{left.join(' and ')} are not shown</p>}
    </>
  )
}

function useWidth(root: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const place = root.current as HTMLDivElement
    const measure = () => setWidth(Math.floor(place.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(place)
    return () => observer.disconnect()
  }, [root])
  return width
}
