// The rows of a trace: folding, ticks of the time axis, the part that is zoomed into, where to look first.

import type { Status, TraceRow } from '../api/types'

export interface TimelineRow {
  row: TraceRow
  hasChildren: boolean
  folded: boolean
}

/** Rows in the server's order, without those under a folded one. */
export function visibleRows(rows: readonly TraceRow[], folded: ReadonlySet<string>): TimelineRow[] {
  const parents = new Set(rows.map(({ parent }) => parent))
  const hidden = new Set<string>()
  const shown: TimelineRow[] = []
  for (const row of rows) {
    if (row.parent !== null && (hidden.has(row.parent) || folded.has(row.parent))) {
      hidden.add(row.id)
      continue
    }
    shown.push({ row, hasChildren: parents.has(row.id), folded: folded.has(row.id) })
  }
  return shown
}

const WIDEST_INDENT = 14
const NARROWEST_INDENT = 3

/** Pixels per level, so that the deepest name still has room. */
export function indentFor(rows: readonly TraceRow[], room: number): number {
  const deepest = rows.reduce((most, { depth }) => Math.max(most, depth), 1)
  return Math.max(NARROWEST_INDENT, Math.min(WIDEST_INDENT, Math.floor(room / deepest)))
}

/** The folds that must open so that a row can be seen. */
export function ancestors(rows: readonly TraceRow[], id: string): string[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const found: string[] = []
  let at = byId.get(id)?.parent ?? null
  while (at !== null && !found.includes(at)) {
    found.push(at)
    at = byId.get(at)?.parent ?? null
  }
  return found
}

/**
 * Where to look first: of the failing rows those with an exception, if there is one; of these the one that
 * no other lies below, as callers repeat what their calls raised; the earliest of several. An inferred row
 * only repeats its call.
 */
export function firstFault(rows: readonly TraceRow[]): TraceRow | null {
  const first = (status: TraceRow['status']) => {
    const failed = rows.filter((row) => row.status === status)
    const ids = new Set(failed.map(({ id }) => id))
    const own = failed.filter(
      ({ kind, parent }) => kind !== 'inferred' || parent === null || !ids.has(parent),
    )
    const raised = own.filter(({ exception }) => exception)
    return earliest(lowest(rows, raised.length > 0 ? raised : own))
  }
  return first('fault') ?? first('throttle') ?? first('error')
}

/** Those of some rows that have none of them below. */
function lowest(rows: readonly TraceRow[], some: readonly TraceRow[]): TraceRow[] {
  const parents = new Map(rows.map(({ id, parent }) => [id, parent]))
  const callers = new Set<string>()
  for (const { parent } of some)
    for (let at = parent; at !== null && !callers.has(at); at = parents.get(at) ?? null) callers.add(at)
  return some.filter(({ id }) => !callers.has(id))
}

function earliest(rows: readonly TraceRow[]): TraceRow | null {
  return rows.reduce<TraceRow | null>(
    (best, row) => (best && best.start_ms <= row.start_ms ? best : row),
    null,
  )
}

const SEVERITY: readonly Status[] = ['ok', 'in_progress', 'error', 'throttle', 'fault']

/** How many rows ended worse than the trace itself, by status, the worst first. */
export function failuresInside(rows: readonly TraceRow[], status: Status): [status: Status, count: number][] {
  return SEVERITY.slice(Math.max(SEVERITY.indexOf(status), 1) + 1)
    .toReversed()
    .map((one): [Status, number] => [one, rows.filter((row) => row.status === one).length])
    .filter(([, found]) => found > 0)
}

export interface Span {
  start: number
  end: number
}

/** The whole time a trace covers, in milliseconds after its start. */
export function wholeSpan(rows: readonly TraceRow[], durationMs: number): Span {
  const start = rows.reduce((least, row) => Math.min(least, row.start_ms), 0)
  const end = rows.reduce((most, row) => Math.max(most, row.start_ms + (row.duration_ms ?? 0)), durationMs)
  return { start, end: end > start ? end : start + 1 }
}

/** Five to eight round values that cover a span. */
export function ticks({ start, end }: Span, wanted = 6): number[] {
  const raw = (end - start) / wanted
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999) ?? raw
  const first = Math.ceil(start / step - 1e-9)
  const last = Math.floor(end / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  )
}

export interface BarPlace {
  /** Percent of the track. */
  left: number
  width: number
  /** The bar begins or ends outside what is shown. */
  outside: boolean
}

export function barPlace(row: TraceRow, shown: Span): BarPlace {
  const length = shown.end - shown.start
  const from = row.start_ms
  const to = row.duration_ms === null ? shown.end : row.start_ms + row.duration_ms
  const left = Math.max(0, Math.min(100, ((from - shown.start) / length) * 100))
  const right = Math.max(0, Math.min(100, ((to - shown.start) / length) * 100))
  return { left, width: right - left, outside: to < shown.start || from > shown.end }
}

/** Where a stretch of time is on the track, in percent; null outside of what is shown. */
export function spanPlace(from: number, to: number, shown: Span): { left: number; width: number } | null {
  const length = shown.end - shown.start
  const left = Math.max(0, ((from - shown.start) / length) * 100)
  const right = Math.min(100, ((to - shown.start) / length) * 100)
  return right > left ? { left, width: right - left } : null
}

/** A span zoomed by a factor around a point of it, clamped to the whole. */
export function zoomedSpan(span: Span, whole: Span, factor: number, at: number): Span {
  const least = (whole.end - whole.start) / 10_000
  const length = Math.min(whole.end - whole.start, Math.max(least, (span.end - span.start) * factor))
  const ratio = (at - span.start) / (span.end - span.start)
  const start = Math.max(whole.start, Math.min(at - ratio * length, whole.end - length))
  return { start, end: start + length }
}

export interface Slice {
  from: number
  to: number
}

/** Which rows to draw of a long list. */
export function windowed(
  count: number,
  rowHeight: number,
  scrollTop: number,
  height: number,
  spare = 12,
): Slice {
  const from = Math.max(0, Math.floor(scrollTop / rowHeight) - spare)
  const to = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare)
  return { from: Math.min(from, to), to }
}
