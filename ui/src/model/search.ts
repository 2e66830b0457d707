// Which services are meant by a search and by the legend's filter.

import type { MapNode } from '../api/types'
import { count } from './format'
import { ringShares } from './fold'
import type { Band } from './health'

/** Nodes to light up, left to right, top to bottom; null when nothing narrows the map. */
export function matchingNodes(
  nodes: readonly MapNode[],
  query: string,
  state: Band | null,
): MapNode[] | null {
  const wanted = query.trim().toLowerCase()
  if (!wanted && !state) return null
  const isNamed = ({ name, names, type }: MapNode) =>
    [name, ...(names ?? []), type].some((text) => text.toLowerCase().includes(wanted))
  const meant = (node: MapNode) =>
    (!wanted || isNamed(node) || (node.inner && isNamed(node.inner))) &&
    (!state || (ringShares(node)?.[state] ?? 0) > 0)
  return nodes.filter(meant).sort((a, b) => a.x - b.x || a.y - b.y)
}

export interface Found {
  query: string
  /** Matches on the map; null without a search, and until there is a map to search. */
  hits: number | null
  /** Matches that are known and not on the map. */
  hidden: number
  /** Matches altogether, as the server counts them; null until it has. */
  matches: number | null
  /** Of how many services. */
  total: number
  /** Whether the server is searching what the map leaves out. */
  searching: boolean
}

/** How many services a search has found, and that this may not be all. */
export function foundWords({ query, hits, hidden, matches, total, searching }: Found): string {
  if (hits === null || !query) return ''
  const found = Math.max(hits + hidden, matches ?? 0)
  if (searching) return found === 0 ? 'Searching all…' : `${count(found)} drawn, searching all…`
  return found === 0 ? 'No service matches' : `${count(found)} of ${count(total)}`
}
