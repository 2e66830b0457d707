// Sets of instants as sorted, disjoint intervals.

export type Interval = readonly [from: number, to: number]

/** All instants of several intervals. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: [number, number][] = []
  for (const [from, to] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (to <= from) continue
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

/** The instants of an interval that a union of others does not contain. */
export function without([from, to]: Interval, others: readonly Interval[]): Interval[] {
  const rest: Interval[] = []
  let reached = from
  for (const [begin, end] of others) {
    if (begin >= to) break
    if (begin > reached) rest.push([reached, begin])
    reached = Math.max(reached, end)
  }
  if (to > reached) rest.push([reached, to])
  return rest
}

export function length(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from, 0)
}
