// Which services are meant by a search and by the legend's filter.

import type { MapNode } from '../api/types'
import { shares, type State } from './health'

/** Nodes to light up, left to right, top to bottom; null when nothing narrows the map. */
export function matchingNodes(
  nodes: readonly MapNode[],
  query: string,
  state: State | null,
): MapNode[] | null {
  const wanted = query.trim().toLowerCase()
  if (!wanted && !state) return null
  const meant = (node: MapNode) =>
    (!wanted ||
      [node.name, ...(node.names ?? []), node.type].some((text) => text.toLowerCase().includes(wanted))) &&
    (!state || (shares(node)?.[state] ?? 0) > 0)
  return nodes.filter(meant).sort((a, b) => a.x - b.x || a.y - b.y)
}
