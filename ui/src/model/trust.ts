// How far figures are to be trusted: a mark at a node or on an edge whose figures are not exact, unless the drawing says so
// already: by ≈ of what is scaled, by a dashed band of outcomes that are not known.

import type { Doubt, Graph, PlaceTrust, TrustMark, TrustReply } from '../api/types'
import { R } from '../map/geometry'

export const TRUST_WORDS: Record<Doubt['trust'], string> = {
  exact: 'Exact',
  scaled: 'Scaled',
  sampled: 'Sampled',
  partial: 'Partial',
  skewed: 'Clock off',
}
/** What a mark shows; also in the panel and the legend. */
export const TRUST_GLYPHS: Record<Doubt['trust'], string> = {
  exact: '=',
  scaled: '≈',
  sampled: '%',
  partial: '…',
  skewed: '±',
}
/** The gravest last. */
const ORDER: Doubt['trust'][] = ['skewed', 'sampled', 'partial']
const AT = R * 0.86
/** The radius of a mark: where the map is small, it stays readable. */
const [NEAR, FURTHER] = [9, 15]

/** What a mark at a node or an edge would say; null where there is none. */
export function marked({ doubts }: Pick<PlaceTrust, 'doubts'>): Doubt['trust'] | null {
  const trusts = doubts.filter(({ status }) => status !== 'ok').map(({ trust }) => trust)
  return ORDER.findLast((trust) => trusts.includes(trust)) ?? null
}

/** The graph with the marks of those of its nodes and edges that have one. */
export function withTrust(graph: Graph, found: Pick<TrustReply, 'nodes' | 'edges'> | undefined): Graph {
  if (!found) return graph
  const marks = new Map<string, TrustMark>()
  for (const one of found.nodes) {
    const trust = marked(one)
    if (trust) marks.set(one.id, markOf(trust, AT, -AT))
  }
  const clients = new Set(graph.nodes.filter(({ kind }) => kind === 'client').map(({ id }) => id))
  for (const one of found.edges) {
    const trust = marked(one)
    // What was not sampled, or comes from a client, is marked at the node.
    const atNode = trust === 'sampled' || clients.has(one.id.split(':')[0] ?? '')
    if (trust && !atNode) marks.set(one.id, markOf(trust, 0, 0))
  }
  if (marks.size === 0) return graph
  const withMark = <T extends { id: string }>(one: T): T => {
    const trust = marks.get(one.id)
    return trust ? { ...one, trust } : one
  }
  return { nodes: graph.nodes.map(withMark), edges: graph.edges.map(withMark) }
}

function markOf(trust: Doubt['trust'], dx: number, dy: number): TrustMark {
  return {
    trust,
    words: TRUST_WORDS[trust].toLowerCase(),
    paint({ g, palette, detail }, x, y) {
      if (detail === 'far') return
      const radius = detail === 'full' ? NEAR : FURTHER
      g.setLineDash([])
      g.fillStyle = palette.panel
      g.strokeStyle = palette.edge
      g.lineWidth = 1
      g.beginPath()
      g.arc(x + dx, y + dy, radius, 0, Math.PI * 2)
      g.fill()
      g.stroke()
      g.font = `700 ${radius * 1.5}px ${palette.sans}`
      g.textAlign = 'center'
      g.fillStyle = palette.ink
      g.fillText(TRUST_GLYPHS[trust], x + dx, y + dy + radius * (trust === 'partial' ? 0.2 : 0.52))
    },
  }
}
