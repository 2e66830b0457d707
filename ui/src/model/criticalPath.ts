// The chain of work that a trace's duration was spent on, and the time each service spent itself.

import type { TraceRow } from '../api/types'
import { length, union, without, type Interval } from './intervals'

/** A piece of the path: the row that it belongs to; null while nothing was running. */
export interface PathPiece {
  id: string | null
  from: number
  to: number
}

type Timed = Pick<TraceRow, 'id' | 'parent' | 'depth' | 'start_ms' | 'duration_ms'>

/** How much later than its caller a call may end and still have been waited for: clocks differ. */
const TOLERANCE_MS = 1

interface Work {
  id: string
  parent: Work | null
  depth: number
  start: number
  end: number
  /** The latest end first; those before `next` cannot be on the rest of the path. */
  children: Work[]
  next: number
}

/**
 * Goes back from the last end: at every instant to the call whose end was waited for last, and without one
 * to the caller itself. Work that outlasts its caller was not waited for, and is on the path only where the
 * trace ends with it. The pieces cover the trace from its first start to its last end.
 */
export function criticalPath(rows: readonly Timed[]): PathPiece[] {
  const all = worksOf(rows)
  const last = all.reduce<Work | null>((best, work) => (best && !endsLater(work, best) ? best : work), null)
  if (!last) return []
  const pieces: PathPiece[] = []
  const add = (id: string | null, from: number, to: number) => {
    if (to > from) pieces.push({ id, from, to })
  }
  const roots = all.filter(({ parent }) => parent === null).sort((a, b) => b.end - a.end)
  const byEnd = all.toSorted((a, b) => b.end - a.end)
  let work: Work = last
  let cursor = last.end
  for (;;) {
    const child = waitedFor(work, cursor)
    if (child) {
      add(work.id, Math.max(child.end, work.start), cursor)
      // By its caller's clock it may have ended before that began.
      add(null, child.end, Math.min(cursor, work.start))
      cursor = Math.min(cursor, child.end)
      work = child
      continue
    }
    const start = Math.min(cursor, work.start)
    add(work.id, start, cursor)
    cursor = start
    const caller = work.parent ?? before(roots, cursor) ?? before(byEnd, cursor)
    if (!caller) return pieces.reverse()
    // Begun after its caller had ended: between the two it waited, in a queue for example.
    if (caller.end < cursor) add(null, caller.end, cursor)
    cursor = Math.min(cursor, caller.end)
    work = caller
  }
}

function waitedFor(work: Work, cursor: number): Work | null {
  for (; work.next < work.children.length; work.next++) {
    const child = work.children[work.next] as Work
    if (child.end <= cursor + TOLERANCE_MS && child.start < cursor) return child
  }
  return null
}

/** Of those that began earlier, the one that ended last: it was running, or was the last to run. */
function before(byEnd: readonly Work[], cursor: number): Work | null {
  return byEnd.find(({ start }) => start < cursor) ?? null
}

function endsLater(work: Work, other: Work): boolean {
  return work.end > other.end || (work.end === other.end && work.depth < other.depth)
}

function worksOf(rows: readonly Timed[]): Work[] {
  const end = rows.reduce((most, row) => Math.max(most, row.start_ms + (row.duration_ms ?? 0)), 0)
  const works = new Map<string, Work>()
  for (const { id, depth, start_ms: start, duration_ms } of rows) {
    // What is in progress runs until the end of what is known.
    const until = duration_ms === null ? Math.max(start, end) : start + duration_ms
    works.set(id, { id, parent: null, depth, start, end: until, children: [], next: 0 })
  }
  for (const { id, parent } of rows) {
    const work = works.get(id) as Work
    work.parent = (parent !== null && works.get(parent)) || null
    work.parent?.children.push(work)
  }
  for (const { children } of works.values()) children.sort((a, b) => b.end - a.end || b.start - a.start)
  return [...works.values()]
}

export interface ServiceTime {
  service: string
  rows: number
  /** Milliseconds in which a row of the service ran and nothing below it did. */
  self: number
  /** Milliseconds of the critical path. */
  onPath: number
}

/** Where the time went, by service, the longest on the critical path first. */
export function timeByService(
  rows: readonly (Timed & Pick<TraceRow, 'service'>)[],
  path: readonly PathPiece[],
): ServiceTime[] {
  const times = new Map<string, ServiceTime & { ran: Interval[] }>()
  const services = new Map(rows.map(({ id, service }) => [id, service]))
  const of = (service: string) => {
    const known = times.get(service) ?? { service, rows: 0, self: 0, onPath: 0, ran: [] }
    times.set(service, known)
    return known
  }
  for (const [id, own] of selfTimes(worksOf(rows))) {
    const time = of(services.get(id) ?? '')
    time.rows++
    time.ran.push(...own)
  }
  for (const { id, from, to } of path) if (id !== null) of(services.get(id) ?? '').onPath += to - from
  return [...times.values()]
    .map(({ ran, ...time }) => ({ ...time, self: length(union(ran)) }))
    .sort((a, b) => b.onPath - a.onPath || b.self - a.self)
}

/**
 * When each row ran and nothing below it did. What is below may lie outside of its caller, as the
 * initialization of a cold start lies before the invocation that contains it.
 */
function selfTimes(works: readonly Work[]): Map<string, Interval[]> {
  const below = new Map<Work, Interval[]>()
  const own = new Map<string, Interval[]>()
  for (const work of works.toSorted((a, b) => b.depth - a.depth)) {
    const covered = union(
      work.children.flatMap((child) => [[child.start, child.end] as const, ...(below.get(child) ?? [])]),
    )
    below.set(work, covered)
    own.set(work.id, without([work.start, work.end], covered))
  }
  return own
}
