// Clocks that differ: work that began, by its own clock, before it was called.

import type { TraceRow } from '../api/types'

export interface Skew {
  service: string
  /** A row that shows it. */
  id: string
  /** Milliseconds that the clock is behind its caller's, at least. */
  behind: number
}

const LEAST_MS = 1

/** By how much each service's clock is behind its caller's at least, the furthest first. No call answers before it is made. */
export function clockSkews(rows: readonly TraceRow[]): Skew[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const found = new Map<string, Skew>()
  for (const row of rows) {
    const caller = row.parent === null ? undefined : byId.get(row.parent)
    if (!caller || row.kind !== 'segment') continue
    const behind = caller.start_ms - row.start_ms
    if (behind < LEAST_MS || behind <= (found.get(row.service)?.behind ?? 0)) continue
    found.set(row.service, { service: row.service, id: row.id, behind })
  }
  return [...found.values()].sort((a, b) => b.behind - a.behind)
}
