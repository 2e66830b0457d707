// The folded map: a function is drawn with its service, a client beside its entry. The server says which (`drawn_with`).

import type { Graph, MapEdge, MapNode } from '../api/types'
import { BANDS, shares, type Shares } from './health'
import type { MapHealth } from './visibility'

export interface Folded {
  graph: Graph
  /** The id that a node or an edge is drawn by. */
  drawnId(id: string): string
  health(health: MapHealth): MapHealth
}

/** A client beside its entry. */
export function isBeside({ kind, drawn_with }: Pick<MapNode, 'kind' | 'drawn_with'>): boolean {
  return kind === 'client' && drawn_with !== null
}

/** What is drawn of a graph. Without folded nodes that is the graph. */
export function folded(graph: Graph): Folded {
  const into = new Map<string, string>()
  for (const node of graph.nodes) if (node.drawn_with && !isBeside(node)) into.set(node.id, node.drawn_with)
  const headOf = (id: string) => into.get(id) ?? id
  const isInside = ({ source, target }: MapEdge) => source !== target && headOf(source) === headOf(target)
  const inside = new Map(graph.edges.filter(isInside).map(({ id, source }) => [id, headOf(source)]))
  const functionOf = new Map(
    graph.nodes.filter(({ id }) => into.has(id)).map((node) => [into.get(node.id), node]),
  )
  const nodes = graph.nodes
    .filter(({ id }) => !into.has(id))
    .map((node) => {
      const inner = functionOf.get(node.id)
      return inner ? together(node, inner) : node
    })
  const edges = graph.edges
    .filter(({ id }) => !inside.has(id))
    .map((edge) => ({ ...edge, source: headOf(edge.source), target: headOf(edge.target) }))
  return {
    graph: into.size > 0 ? { nodes, edges } : graph,
    drawnId: (id) => into.get(id) ?? inside.get(id) ?? id,
    health: (health) => ({ ...health, unhealthy: new Set([...health.unhealthy].map(headOf)) }),
  }
}

function together(node: MapNode, inner: MapNode): MapNode {
  const rollout = node.rollout ?? inner.rollout
  const delta = inner.delta?.begins && !node.delta?.begins ? inner.delta : (node.delta ?? inner.delta)
  const declared = node.declared ?? inner.declared
  const openEnd = node.openEnd ?? inner.openEnd
  const trust = node.trust ?? inner.trust
  return {
    ...node,
    inner,
    ring: worst(shares(node), shares(inner)),
    ...(rollout && { rollout }),
    ...(delta && { delta }),
    ...(declared && { declared }),
    ...(openEnd && { openEnd }),
    ...(trust && { trust }),
  }
}

/** What colours a node on the map. */
export function ringShares(node: MapNode): Shares | null {
  return node.ring ?? shares(node)
}

/** Of every state but OK the larger share of both, so that neither hides what the other knows. */
function worst(one: Shares | null, other: Shares | null): Shares | null {
  if (!one || !other) return one ?? other
  const found = { ...one, ok: 0 }
  for (const band of BANDS) if (band !== 'ok') found[band] = Math.max(one[band], other[band])
  const rest = 1 - BANDS.reduce((sum, band) => sum + found[band], 0)
  if (rest >= 0) return { ...found, ok: rest }
  for (const band of BANDS) found[band] /= 1 - rest
  return found
}
