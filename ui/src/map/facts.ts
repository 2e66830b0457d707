// The numbers of a node or an edge as rows of a table.

import type { MapEdge, MapNode } from '../api/types'
import { count, duration, percent } from '../model/format'
import { BANDS, STATE_LABELS, shares, type Band } from '../model/health'

export interface Fact {
  label: string
  value: string
}

export function timeFacts(thing: MapNode | MapEdge): Fact[] {
  return [
    { label: 'Average', value: duration(thing.avg_ms) },
    { label: 'p50', value: duration(thing.p50_ms) },
    { label: 'p95', value: duration(thing.p95_ms) },
    { label: 'p99', value: duration(thing.p99_ms) },
  ]
}

export function shareFacts(thing: MapNode | MapEdge): (Fact & { state: Band })[] {
  const part = shares(thing)
  const counts: Partial<Record<Band, number | null>> = thing
  return BANDS.filter((band) => band !== 'unknown' || part?.unknown).map((state) => ({
    state,
    label: STATE_LABELS[state].word,
    value: part ? `${count(counts[state])} (${percent(part[state])})` : '–',
  }))
}
