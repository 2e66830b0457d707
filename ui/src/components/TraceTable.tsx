// Traces as rows. ↑ and ↓ move, Enter opens.

import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { TraceSummary } from '../api/types'
import { age, clock, count, cut, date, duration, zone } from '../model/format'
import { shownCode, statusWord } from '../model/health'
import { barShare, responseWords } from '../model/traceTimes'
import { arrowOf, nextSort, type TraceColumn, type TraceSort } from '../model/traceSort'
import { scrollToRow, Spacer, useRowsInSight } from './rowsInSight'
import { StatusMark } from './StatusMark'
import '../styles/tables.css'

interface Props {
  traces: TraceSummary[]
  /** Null: by the latest request at the node or edge. */
  sort: TraceSort | null
  hrefOf(id: string): string
  onOpen(id: string): void
  onSort(sort: TraceSort): void
}

const COLUMNS: readonly { column: TraceColumn | null; words: string; numeric?: boolean }[] = [
  { column: 'status', words: 'Status' },
  { column: null, words: 'Trace' },
  { column: 'start', words: 'Start' },
  { column: 'duration', words: 'Duration' },
  { column: 'response', words: 'Response', numeric: true },
  { column: 'entry', words: 'Entry' },
  { column: 'request', words: 'Request' },
  { column: 'code', words: 'Code', numeric: true },
  { column: 'services', words: 'Services' },
  { column: null, words: 'Annotations' },
]

const ROW_HEIGHT = 29
const NARROW = 760

export function TraceTable({ traces, sort, hrefOf, onOpen, onSort }: Props) {
  const [active, setActive] = useState(0)
  const body = useRef<HTMLTableSectionElement>(null)
  const sight = useRowsInSight(body, traces.length, ROW_HEIGHT, NARROW)
  const slowest = traces.reduce((most, trace) => Math.max(most, trace.duration_ms), 0)
  const now = useNow()
  // A row that was not in sight gets the focus as soon as it is drawn.
  const pending = useRef<number | null>(null)
  useEffect(() => {
    if (pending.current === null) return
    scrollToRow(body.current, pending.current, ROW_HEIGHT)
    const row = body.current?.querySelector<HTMLElement>(`tr[data-index="${pending.current}"]`)
    if (!row) return
    pending.current = null
    row.focus()
  })

  const move = (to: number) => {
    const next = Math.max(0, Math.min(traces.length - 1, to))
    setActive(next)
    const row = body.current?.querySelector<HTMLElement>(`tr[data-index="${next}"]`)
    if (row) row.focus()
    else pending.current = next
  }
  const press = (event: KeyboardEvent) => {
    const actions: Record<string, () => void> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      Home: () => move(0),
      End: () => move(traces.length - 1),
      Enter: () => traces[active] && onOpen(traces[active].id),
    }
    const action = actions[event.key]
    if (!action || event.target instanceof HTMLAnchorElement) return
    event.preventDefault()
    action()
  }

  return (
    <table className="table trace-table" aria-label="Traces" aria-rowcount={traces.length + 1}>
      <thead>
        <tr>
          {COLUMNS.map(({ column, words, numeric }) => (
            <th
              key={words}
              className={numeric ? 'numeric' : undefined}
              aria-sort={column && sort?.column === column ? sort.order : undefined}
            >
              {column ? (
                <button type="button" className="sort" onClick={() => onSort(nextSort(sort, column))}>
                  {words} {column === 'start' && <em className="mute">{zone()}</em>}
                  <span aria-hidden="true">{arrowOf(sort, column)}</span>
                </button>
              ) : (
                words
              )}
            </th>
          ))}
        </tr>
      </thead>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of its focusable rows */}
      <tbody ref={body} onKeyDown={press}>
        <Spacer height={sight.from * ROW_HEIGHT} />
        {traces.slice(sight.from, sight.to).map((trace, offset) => (
          <TraceTableRow
            key={trace.id}
            index={sight.from + offset}
            trace={trace}
            slowest={slowest}
            now={now}
            href={hrefOf(trace.id)}
            tabIndex={sight.from + offset === active ? 0 : -1}
            onFocus={() => setActive(sight.from + offset)}
            onOpen={onOpen}
          />
        ))}
        <Spacer height={(traces.length - sight.to) * ROW_HEIGHT} />
      </tbody>
    </table>
  )
}

interface RowProps {
  index: number
  trace: TraceSummary
  slowest: number
  now: number
  href: string
  tabIndex: number
  onFocus(): void
  onOpen(id: string): void
}

function TraceTableRow({ index, trace, slowest, now, href, tabIndex, onFocus, onOpen }: RowProps) {
  const annotations = Object.entries(trace.annotations).map(([key, values]) => `${key}: ${values.join(', ')}`)
  return (
    <tr
      tabIndex={tabIndex}
      data-index={index}
      aria-rowindex={index + 2}
      onFocus={onFocus}
      onClick={() => onOpen(trace.id)}
    >
      <td>
        <StatusMark status={trace.status_there ?? trace.status} />
        <Beside trace={trace} />
      </td>
      <td>
        <a
          className="mono"
          href={href}
          tabIndex={-1}
          title={trace.id}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return event.stopPropagation()
            event.preventDefault()
          }}
        >
          {shortId(trace.id)}
        </a>{' '}
        {trace.partial && <span className="partial">partial</span>}
      </td>
      <td title={`${date(trace.start)} ${clock(trace.start)}`}>
        {clock(trace.start)} <span className="mute">{age(now - trace.start)}</span>
      </td>
      <td>
        <Bar ms={trace.duration_ms} slowest={slowest} status={trace.status_there ?? trace.status} />
      </td>
      <td className="numeric">{responseWords(trace)}</td>
      <td title={trace.entry?.type}>
        {trace.entry ? cut(trace.entry.name, 28) : <span className="mute">unknown</span>}
      </td>
      <td className="request" title={trace.url ?? undefined}>
        <strong>{trace.method}</strong> {pathOf(trace.url)}
      </td>
      <td className="numeric">{shownCode(trace.status, trace.code)}</td>
      <td className="clipped" title={trace.services.join(', ')}>
        <span className="mute">{trace.services.length}</span> {trace.services.join(', ')}
      </td>
      <td className="clipped mute" title={annotations.join('\n')}>
        {annotations.join(' · ')}
      </td>
    </tr>
  )
}

/** What the status of the row does not say: how the entry ended, or that something inside failed. */
function Beside({ trace }: { trace: TraceSummary }) {
  const { status, status_there, units_there, inner } = trace
  if (status_there !== null) {
    const entry = status === status_there ? '' : `entry ${statusWord(status)}`
    const times = units_there !== null && units_there > 1 ? `× ${count(units_there)}` : ''
    return <span className="mute beside">{[times, entry].filter(Boolean).join(', ')}</span>
  }
  const worst = (['fault', 'throttle', 'error'] as const).find((one) => inner[one] > 0)
  if (status !== 'ok' || !worst) return null
  const words = `${count(inner[worst])} ${statusWord(worst).toLowerCase()}${inner[worst] === 1 ? '' : 's'} inside`
  return (
    <span className={`beside status-${worst}`} title={words}>
      <StatusMark status={worst} bare /> {count(inner[worst])} inside
    </span>
  )
}

function Bar({ ms, slowest, status }: { ms: number; slowest: number; status: TraceSummary['status'] }) {
  return (
    <span className="duration-cell">
      <span className="duration-number">{duration(ms)}</span>
      <span className="duration-track" aria-hidden="true">
        <span className={`bar-${status}`} style={{ width: `${barShare(ms, slowest) * 100}%` }} />
      </span>
    </span>
  )
}

/** Enough of an id to tell rows apart; the title has the whole one. */
function shortId(id: string): string {
  return `${id.slice(0, 10)}…${id.slice(-6)}`
}

function pathOf(url: string | null): string {
  if (!url) return ''
  try {
    const { pathname, search } = new URL(url)
    return pathname + search
  } catch {
    return url
  }
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 10_000)
    return () => clearInterval(timer)
  }, [])
  return now
}
