// The map as rows: the same numbers, sortable.

import type { MapNode } from '../api/types'
import { shares, type State } from './health'

export type Column = 'name' | 'type' | 'rate' | 'avg' | 'p95' | State

export interface Sort {
  column: Column
  descending: boolean
}

export const DEFAULT_SORT: Sort = { column: 'rate', descending: true }

/** A second click on a column turns it round; numbers begin with the largest, words with A. */
export function sortedBy(sort: Sort, column: Column): Sort {
  if (sort.column === column) return { column, descending: !sort.descending }
  return { column, descending: column !== 'name' && column !== 'type' }
}

export function sortedNodes(nodes: readonly MapNode[], { column, descending }: Sort): MapNode[] {
  const sign = descending ? -1 : 1
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

function valueOf(node: MapNode, column: Column): string | number | null {
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
