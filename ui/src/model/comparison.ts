// Two maps of one window beside each other: which nodes are the same service, and how the two differ.

import type { Graph, MapEdge, MapNode } from '../api/types'
import { STATES, shares, type State } from './health'
import { SCOPE_KEYS, type Choice, type ScopeKey } from './scope'

export const SIDES = ['left', 'right'] as const
export type Side = (typeof SIDES)[number]

/** What is compared: two values of a part of the scope. */
export interface Comparison {
  by: ScopeKey
  left: string
  right: string
}

/** A service on both sides, or on one. */
export type Pair = Record<Side, MapNode | null> & { key: string; name: string; type: string }

/** What the address compares; of what it leaves open, the first part of the scope that has two values. */
export function comparisonOf(params: URLSearchParams, choices: readonly Choice[]): Comparison | null {
  const wanted = SCOPE_KEYS.find((key) => key === params.get('by'))
  const several = choices.find(({ values }) => values.length > 1)
  const found = between(wanted ?? several?.key, params, choices)
  // An address may name what has one value in this window, while another part of the scope has two.
  return found ?? between(several?.key, new URLSearchParams(), choices)
}

function between(
  by: ScopeKey | undefined,
  params: URLSearchParams,
  choices: readonly Choice[],
): Comparison | null {
  if (!by) return null
  const values = choices.find(({ key }) => key === by)?.values ?? []
  const left = params.get('left') ?? params.get(by) ?? values[0]
  const right = params.get('right') ?? values.find((value) => value !== left)
  return left && right ? { by, left, right } : null
}

/** Nodes of one id are a pair. So are two of one name and type in different accounts or regions, if no others are called so. */
export function pairsOf(left: readonly MapNode[], right: readonly MapNode[]): Pair[] {
  const byId = new Map(right.map((node) => [node.id, node]))
  const alone = left.filter(({ id }) => !byId.has(id))
  const aloneLeft = uniqueByName(alone)
  const ids = new Set(left.map(({ id }) => id))
  const aloneRight = uniqueByName(right.filter(({ id }) => !ids.has(id)))
  const partners = new Map<string, MapNode>()
  for (const [name, node] of aloneLeft) {
    const partner = aloneRight.get(name)
    if (node && partner) partners.set(node.id, partner)
  }
  const taken = new Set([...partners.values()].map(({ id }) => id))
  return [
    ...left.map((node) => pair(node, byId.get(node.id) ?? partners.get(node.id) ?? null)),
    ...right.filter(({ id }) => !ids.has(id) && !taken.has(id)).map((node) => pair(null, node)),
  ]
}

/** By type and name; null where several are called so. */
function uniqueByName(nodes: readonly MapNode[]): Map<string, MapNode | null> {
  const found = new Map<string, MapNode | null>()
  for (const node of nodes) {
    const name = `${node.type} ${node.name}`
    found.set(name, found.has(name) ? null : node)
  }
  return found
}

function pair(left: MapNode | null, right: MapNode | null): Pair {
  const { id, name, type } = (left ?? right) as MapNode
  return { key: id, name, type, left, right }
}

/** The right map with its nodes where their partners are on the left one, so that the eye can go from one to the other. */
export function alignedWith(left: Graph, right: Graph, pairs: readonly Pair[]): Graph {
  const partners = new Map<string, MapNode>()
  for (const one of pairs) if (one.left && one.right) partners.set(one.right.id, one.left)
  const bends = new Map(left.edges.map((edge) => [ends(edge.source, edge.target), edge.bends]))
  const place = ({ source, target, bends: own }: MapEdge): MapEdge['bends'] => {
    const from = partners.get(source)
    const to = partners.get(target)
    if (!from && !to) return own
    return (from && to && bends.get(ends(from.id, to.id))) ?? []
  }
  return {
    nodes: right.nodes.map((node) => {
      const partner = partners.get(node.id)
      return partner ? { ...node, x: partner.x, y: partner.y } : node
    }),
    edges: right.edges.map((edge) => ({ ...edge, bends: place(edge) })),
  }
}

function ends(source: string, target: string): string {
  return `${source} ${target}`
}

/** Right minus left, of the share of a state; null where a side has no finished requests. */
export function shift({ left, right }: Pair, state: State): number | null {
  const before = left && shares(left)
  const after = right && shares(right)
  return before && after ? after[state] - before[state] : null
}

/** How many times as long requests take on the right. */
export function slowdown({ left, right }: Pair): number | null {
  return left?.avg_ms && right?.avg_ms != null ? right.avg_ms / left.avg_ms : null
}

/** Those on one side alone first; then by how far the shares of failing requests are apart, then by their times. */
export function byDifference(pairs: readonly Pair[]): Pair[] {
  const rank = (one: Pair) => {
    const single = one.left && one.right ? 0 : 1
    const apart = STATES.filter((state) => state !== 'ok').map((state) => Math.abs(shift(one, state) ?? 0))
    return [single, Math.max(...apart), Math.abs(Math.log(slowdown(one) || 1))] as const
  }
  return pairs
    .map((one) => ({ one, rank: rank(one) }))
    .sort(
      (a, b) =>
        b.rank[0] - a.rank[0] ||
        b.rank[1] - a.rank[1] ||
        b.rank[2] - a.rank[2] ||
        a.one.name.localeCompare(b.one.name),
    )
    .map(({ one }) => one)
}
