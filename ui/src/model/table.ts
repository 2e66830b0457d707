// The map as rows: the same numbers, sortable.

import type { MapNode } from '../api/types'
import { shares, STATES, type State } from './health'

export type Column = 'health' | 'name' | 'type' | 'rate' | 'avg' | 'p95' | State

export interface Sort {
  column: Column
  descending: boolean
}

/** The unhealthy first, then the busiest: what someone on call looks for. */
export const DEFAULT_SORT: Sort = { column: 'health', descending: true }

/** A second click on a column turns it round; numbers begin with the largest, words with A. */
export function sortedBy(sort: Sort, column: Column): Sort {
  if (sort.column === column) return { column, descending: !sort.descending }
  return { column, descending: column !== 'name' && column !== 'type' }
}

export function sortedNodes(nodes: readonly MapNode[], { column, descending }: Sort): MapNode[] {
  const sign = descending ? -1 : 1
  if (column === 'health') return [...nodes].sort((a, b) => -sign * byHealth(a, b))
  return [...nodes].sort((a, b) => {
    const left = valueOf(a, column)
    const right = valueOf(b, column)
    if (left === right) return a.name.localeCompare(b.name)
    if (left === null) return 1
    if (right === null) return -1
    if (typeof left === 'string') return sign * left.localeCompare(String(right))
    return sign * (left - Number(right))
  })
}

/** The worse first: by share of faults, then throttles, then errors; of equals the busier, then by name. */
function byHealth(a: MapNode, b: MapNode): number {
  const left = shares(a)
  const right = shares(b)
  for (const state of STATES) {
    if (state === 'ok') break
    const difference = (right?.[state] ?? 0) - (left?.[state] ?? 0)
    if (difference !== 0) return difference
  }
  return (b.traces_per_min ?? -1) - (a.traces_per_min ?? -1) || a.name.localeCompare(b.name)
}

function valueOf(node: MapNode, column: Exclude<Column, 'health'>): string | number | null {
  switch (column) {
    case 'name':
      return node.name
    case 'type':
      return node.type
    case 'rate':
      return node.traces_per_min
    case 'avg':
      return node.avg_ms
    case 'p95':
      return node.p95_ms
    default:
      return shares(node)?.[column] ?? null
  }
}
