// Two traces side by side: their trees aligned, and what differs.

import type { TraceRow } from '../api/types'

export type Change = 'failed' | 'recovered' | 'added' | 'missing' | 'slower' | 'faster' | 'same'

export const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  failed: 'failed',
  recovered: 'went well',
  added: 'only here',
  missing: 'missing here',
  slower: 'slower',
  faster: 'faster',
  same: '',
}

export interface DiffRow {
  key: string
  depth: number
  /** The row in this trace and in the other; one of them may lack it. */
  here: TraceRow | null
  there: TraceRow | null
  change: Change
  /** How much longer it took here, in milliseconds; null where it cannot be said. */
  longer: number | null
  /** `key` of the row above it in the tree. */
  parent: string | null
}

/** A difference counts from here on: of the other's time, and of the time that the other trace's entry took. */
const [OF_ROW, OF_TRACE, LEAST_MS] = [0.25, 0.02, 1] as const

type Tree = ReadonlyMap<string | null, readonly TraceRow[]>

/**
 * Aligns two traces from the roots down: rows under aligned parents belong together when they are the same work,
 * the first with the first, the second with the second. What only the other has follows the row it followed there.
 */
export function diffTraces(one: readonly TraceRow[], other: readonly TraceRow[]): DiffRow[] {
  const trees = { here: treeOf(one), there: treeOf(other) }
  const least = Math.max(LEAST_MS, OF_TRACE * lengthOf(other))
  const inner = (tree: Tree, row: TraceRow | null) => (row && tree.get(row.id)) ?? []
  const found: DiffRow[] = []
  // The next row to add is the last: a trace may be deeper than functions can call one another.
  const waiting: [pair: Pair, depth: number, parent: string | null][] = []
  const add = (pairs: Pair[], depth: number, parent: string | null) => {
    for (const pair of pairs.toReversed()) waiting.push([pair, depth, parent])
  }
  add(aligned(trees.here.get(null) ?? [], trees.there.get(null) ?? []), 0, null)
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [[here, there], depth, parent] = next
    const key = here ? here.id : `other ${(there as TraceRow).id}`
    const pair = [here, there] as const
    found.push({ key, depth, here, there, change: changeOf(pair, least), longer: longerBy(pair), parent })
    add(aligned(inner(trees.here, here), inner(trees.there, there)), depth + 1, key)
  }
  return found
}

/** The rows that differ, and those above them, which say where they are. */
export function onlyDifferences(rows: readonly DiffRow[]): DiffRow[] {
  const shown = new Set<string>()
  for (const row of rows.toReversed()) {
    if (row.change === 'same' && !shown.has(row.key)) continue
    shown.add(row.key)
    if (row.parent !== null) shown.add(row.parent)
  }
  return rows.filter(({ key }) => shown.has(key))
}

/** How many rows changed, by kind of change, in the order of `CHANGES`. */
export function countChanges(rows: readonly DiffRow[]): [change: Change, count: number][] {
  return CHANGES.map((change): [Change, number] => [
    change,
    rows.filter((row) => row.change === change).length,
  ]).filter(([, count]) => count > 0)
}

const CHANGES: readonly Change[] = ['failed', 'added', 'missing', 'slower', 'faster', 'recovered']

type Pair = readonly [here: TraceRow | null, there: TraceRow | null]

function treeOf(rows: readonly TraceRow[]): Tree {
  const known = new Set(rows.map(({ id }) => id))
  const tree = new Map<string | null, TraceRow[]>()
  for (const row of rows) {
    const parent = row.parent !== null && known.has(row.parent) ? row.parent : null
    const siblings = tree.get(parent) ?? []
    siblings.push(row)
    tree.set(parent, siblings)
  }
  return tree
}

/** The same work: what is inferred in one trace may have reported itself in the other. */
function workOf({ name, kind, namespace, service }: TraceRow): string {
  return kind === 'subsegment' ? `call ${namespace} ${service} ${name}` : `segment ${name}`
}

function aligned(here: readonly TraceRow[], there: readonly TraceRow[]): Pair[] {
  const waiting = new Map<string, TraceRow[]>()
  for (const row of there) {
    const work = workOf(row)
    const known = waiting.get(work)
    if (known) known.push(row)
    else waiting.set(work, [row])
  }
  const partner = new Map<TraceRow, TraceRow>()
  const pairs: Pair[] = here.map((row) => {
    const other = waiting.get(workOf(row))?.shift() ?? null
    if (other) partner.set(other, row)
    return [row, other]
  })
  let after = 0
  for (const row of there) {
    const mine = partner.get(row)
    if (mine) after = pairs.findIndex(([one]) => one === mine) + 1
    else pairs.splice(after++, 0, [null, row])
  }
  return pairs
}

function changeOf([here, there]: Pair, least: number): Change {
  if (!there) return 'added'
  if (!here) return 'missing'
  if (isFailed(here) && !isFailed(there)) return 'failed'
  if (!isFailed(here) && isFailed(there)) return 'recovered'
  const longer = longerBy([here, there])
  if (longer === null) return 'same'
  const counts = Math.abs(longer) >= Math.max(least, OF_ROW * (there.duration_ms ?? 0))
  return !counts ? 'same' : longer > 0 ? 'slower' : 'faster'
}

function longerBy([here, there]: Pair): number | null {
  if (here?.duration_ms == null || there?.duration_ms == null) return null
  return here.duration_ms - there.duration_ms
}

function isFailed({ status }: TraceRow): boolean {
  return status !== 'ok' && status !== 'in_progress'
}

/** Of the entry: what goes on behind it, in a queue for example, may take much longer. */
function lengthOf(rows: readonly TraceRow[]): number {
  return rows[0]?.duration_ms ?? 0
}
