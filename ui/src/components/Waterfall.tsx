// The timeline: a tree of rows beside their bars. Long traces draw only the rows in sight.

import {
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
} from 'react'
import type { PathPiece, Trace } from '../api/types'
import {
  ancestors,
  indentFor,
  ticks,
  visibleRows,
  wholeSpan,
  windowed,
  zoomedSpan,
  type Span,
} from '../model/timeline'
import { clamped } from './ResizeHandle'
import { NARROWEST_NAME, TimelineHeader, USUAL_NAME, WIDEST_NAME } from './TimelineHeader'
import { ROW_HEIGHT, WaterfallRow } from './WaterfallRow'

const WINDOW_FROM = 300
const NARROW = 900

interface Props {
  trace: Trace
  selection: string | null
  folded: ReadonlySet<string>
  /** The critical path; empty when it is not drawn. */
  path: readonly PathPiece[]
  /** Rows that a search means; null without one. */
  hits: readonly string[] | null
  onFolded(folded: ReadonlySet<string>): void
  onSelect(id: string): void
}

export function Waterfall({ trace, selection, folded, path, hits, onFolded, onSelect }: Props) {
  const whole = useMemo(() => wholeSpan(trace.rows, trace.duration_ms), [trace])
  const [shown, setShown] = useState<Span>(whole)
  const rows = useMemo(() => visibleRows(trace.rows, folded), [trace, folded])
  const pieces = useMemo(() => piecesByRow(path), [path])
  const found = useMemo(() => hits && new Set(hits), [hits])
  const [cursor, setCursor] = useState<string | null>(selection ?? trace.rows[0]?.id ?? null)
  const scroller = useRef<HTMLDivElement>(null)
  const [nameWidth, setNameWidth] = useNameWidth()
  const { gutter, ...slice } = useSlice(scroller, rows.length)
  const isNarrow = window.innerWidth < NARROW
  const indent = useMemo(
    () => indentFor(trace.rows, isNarrow ? 56 : Math.max(80, nameWidth * 0.44)),
    [trace, isNarrow, nameWidth],
  )
  const wantedTicks = isNarrow ? 3 : 6
  const onTrack = useTimeZoom(scroller, shown, whole, setShown)

  const fold = (id: string, close: boolean) => {
    const next = new Set(folded)
    if (close) next.add(id)
    else next.delete(id)
    onFolded(next)
  }

  // A row chosen from elsewhere unfolds what hides it and comes into sight.
  const reveal = useEffectEvent((id: string) => {
    const closed = ancestors(trace.rows, id).filter((one) => folded.has(one))
    if (closed.length > 0) onFolded(new Set([...folded].filter((one) => !closed.includes(one))))
    setCursor(id)
  })
  useEffect(() => {
    if (selection) reveal(selection)
  }, [selection, trace])
  useEffect(() => {
    const index = rows.findIndex(({ row }) => row.id === cursor)
    if (index >= 0) scrollTo(scroller.current, index)
  }, [cursor, rows])

  const press = (event: KeyboardEvent) => {
    const index = rows.findIndex(({ row }) => row.id === cursor)
    const at = rows[index]
    const jump = (to: number) => setCursor(rows[Math.max(0, Math.min(rows.length - 1, to))]?.row.id ?? null)
    const actions: Record<string, () => void> = {
      ArrowDown: () => jump(index + 1),
      ArrowUp: () => jump(index - 1),
      PageDown: () => jump(index + 20),
      PageUp: () => jump(index - 20),
      Home: () => jump(0),
      End: () => jump(rows.length - 1),
      ArrowRight: () => at && (at.folded ? fold(at.row.id, false) : at.hasChildren && jump(index + 1)),
      ArrowLeft: () => {
        if (at?.hasChildren && !at.folded) fold(at.row.id, true)
        else if (at?.row.parent) setCursor(at.row.parent)
      },
      Enter: () => at && onSelect(at.row.id),
      ' ': () => at && onSelect(at.row.id),
      '0': () => setShown(whole),
    }
    const action = actions[event.key]
    if (!action || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    action()
  }

  return (
    <div className="waterfall" style={{ '--wanted-name-width': `${nameWidth}px` } as CSSProperties}>
      <TimelineHeader
        rows={trace.rows}
        whole={whole}
        shown={shown}
        gutter={gutter}
        wanted={wantedTicks}
        nameWidth={nameWidth}
        onNameWidth={setNameWidth}
        onShown={setShown}
      />
      <div
        className="waterfall-rows"
        ref={scroller}
        role="treegrid"
        aria-label="Timeline"
        aria-rowcount={rows.length}
        aria-activedescendant={cursor ? `row-${cursor}` : undefined}
        tabIndex={0}
        onKeyDown={press}
        onPointerMove={onTrack}
      >
        <div style={{ height: rows.length * ROW_HEIGHT, position: 'relative' }} role="rowgroup">
          <Gridlines shown={shown} wanted={wantedTicks} />
          {rows.slice(slice.from, slice.to).map((one, offset) => (
            <WaterfallRow
              key={one.row.id}
              row={one}
              index={slice.from + offset}
              shown={shown}
              path={pieces.get(one.row.id) ?? NO_PIECES}
              dimmed={found !== null && !found.has(one.row.id)}
              indent={indent}
              selected={one.row.id === selection}
              active={one.row.id === cursor}
              onFold={fold}
              onSelect={onSelect}
            />
          ))}
        </div>
      </div>
    </div>
  )
}

const NAME_KEY = 'raymap.names'

/** The width of the column of names, remembered in this browser. */
function useNameWidth(): [number, (width: number) => void] {
  const [width, setWidth] = useState(() =>
    clamped(Number(localStorage.getItem(NAME_KEY)) || USUAL_NAME, NARROWEST_NAME, WIDEST_NAME),
  )
  return [
    width,
    (next) => {
      localStorage.setItem(NAME_KEY, String(next))
      setWidth(next)
    },
  ]
}

const NO_PIECES: readonly PathPiece[] = []

function piecesByRow(path: readonly PathPiece[]): ReadonlyMap<string, PathPiece[]> {
  const pieces = new Map<string, PathPiece[]>()
  for (const piece of path) {
    if (piece.row === null) continue
    const known = pieces.get(piece.row) ?? []
    known.push(piece)
    pieces.set(piece.row, known)
  }
  return pieces
}

function Gridlines({ shown, wanted }: { shown: Span; wanted: number }) {
  return (
    <div className="gridlines" aria-hidden="true">
      {ticks(shown, wanted).map((at) => (
        <i key={at} style={{ left: `${((at - shown.start) / (shown.end - shown.start)) * 100}%` }} />
      ))}
    </div>
  )
}

function scrollTo(place: HTMLElement | null, index: number): void {
  if (!place) return
  const top = index * ROW_HEIGHT
  if (top < place.scrollTop) place.scrollTop = top
  else if (top + ROW_HEIGHT > place.scrollTop + place.clientHeight) {
    place.scrollTop = top + ROW_HEIGHT - place.clientHeight
  }
}

/** All rows of a short trace; of a long one those in sight and a few around them. */
function useSlice(scroller: RefObject<HTMLDivElement | null>, count: number) {
  const [scroll, setScroll] = useState({ top: 0, height: 800, gutter: 0 })
  useLayoutEffect(() => {
    const place = scroller.current
    if (!place) return
    const read = () =>
      setScroll({
        top: place.scrollTop,
        height: place.clientHeight,
        gutter: place.offsetWidth - place.clientWidth,
      })
    const watcher = new ResizeObserver(read)
    watcher.observe(place)
    place.addEventListener('scroll', read, { passive: true })
    return () => {
      watcher.disconnect()
      place.removeEventListener('scroll', read)
    }
  }, [scroller])
  const all = { from: 0, to: count }
  const slice = count > WINDOW_FROM ? windowed(count, ROW_HEIGHT, scroll.top, scroll.height) : all
  return { ...slice, gutter: scroll.gutter }
}

/** Ctrl+wheel zooms the time around the pointer. */
function useTimeZoom(
  scroller: RefObject<HTMLDivElement | null>,
  shown: Span,
  whole: Span,
  onShown: (span: Span) => void,
) {
  const pointer = useRef(0.5)
  useEffect(() => {
    const place = scroller.current
    if (!place) return
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return
      event.preventDefault()
      const at = shown.start + pointer.current * (shown.end - shown.start)
      onShown(zoomedSpan(shown, whole, Math.exp(event.deltaY * 0.004), at))
    }
    place.addEventListener('wheel', wheel, { passive: false })
    return () => place.removeEventListener('wheel', wheel)
  }, [scroller, shown, whole, onShown])
  return (event: PointerEvent) => {
    const track = event.currentTarget.querySelector('.track')?.getBoundingClientRect()
    if (track) pointer.current = Math.max(0, Math.min(1, (event.clientX - track.left) / track.width))
  }
}
