// Declared against observed: what the map shows of it, and in which words. Pure.

import type { Comparison, DeclaredEdge, DeclaredNode, Status } from '../api/declared'
import type { Graph, MapEdge, MapNode } from '../api/types'
import { ghostEdge, NO_REQUESTS } from './ghosts'

export const STATUSES = ['never_seen', 'undeclared', 'unknown', 'seen'] as const

export const STATUS_WORDS: Record<Status, string> = {
  never_seen: 'declared, not seen',
  undeclared: 'seen, not declared',
  unknown: 'unknown',
  seen: 'seen',
}

const DAY = 86_400
const MINUTE = 60
const COLUMN = 200
const ROW = 128
/** Nearer than this two nodes would touch. */
const [WIDE, HIGH] = [170, 116]
const MOST_TRIES = 400

/** "Never" is said of a day at the least, and anew every minute. */
export function comparedWindow({ from, to }: { from: number; to: number }): { from: number; to: number } {
  const end = Math.ceil(to / MINUTE) * MINUTE
  return { from: Math.min(from, end - DAY), to: end }
}

export type Finding = { node: DeclaredNode; edge?: never } | { edge: DeclaredEdge; node?: never }

export function findings({ nodes, edges }: Comparison): Finding[] {
  return [...nodes.map((node) => ({ node })), ...edges.map((edge) => ({ edge }))]
}

/** What is known of a node or an edge of the map, by its id. */
export function findingsOf(comparison: Comparison, id: string): (DeclaredNode | DeclaredEdge)[] {
  const nodes = comparison.nodes.filter((one) => one.id === id || one.ids.includes(id))
  return nodes.length > 0 ? nodes : comparison.edges.filter((one) => one.id === id)
}

/**
 * The graph with what was declared and never seen beside what may call it, and with what is undeclared marked.
 * `part`: the graph shows only some nodes, so that only what is joined to them is added.
 */
export function withDeclared(graph: Graph, comparison: Comparison, part = false): Graph {
  const undeclared = new Set(
    [...comparison.nodes.flatMap(idsOf), ...comparison.edges].flatMap((one) =>
      one.status === 'undeclared' ? one.id : [],
    ),
  )
  const marked = <T extends MapNode | MapEdge>(thing: T): T =>
    undeclared.has(thing.id) ? { ...thing, declared: 'undeclared' } : thing
  const nodes = graph.nodes.map(marked)
  const added = placed(nodes, comparison, part)
  const known = new Set([...nodes, ...added].map(({ id }) => id))
  const drawn = new Set(graph.edges.map(({ id }) => id))
  const missing = comparison.edges.filter(
    (edge) =>
      edge.status === 'never_seen' && !drawn.has(edge.id) && known.has(edge.source) && known.has(edge.target),
  )
  const once = new Map(
    missing.map((edge) => [edge.id, { ...ghostEdge(edge), declared: 'never_seen' as const }]),
  )
  return { nodes: [...nodes, ...added], edges: [...graph.edges.map(marked), ...once.values()] }
}

function idsOf({ ids, status }: DeclaredNode): { id: string; status: Status }[] {
  return ids.map((id) => ({ id, status }))
}

/** Places for what was never seen: right of a caller, left of what it calls, else below everything. */
function placed(nodes: readonly MapNode[], comparison: Comparison, part: boolean): MapNode[] {
  const known = new Map(nodes.map(({ id, x, y }) => [id, { x, y }]))
  const waiting = new Map(
    comparison.nodes
      .filter(({ id, status }) => status === 'never_seen' && !known.has(id))
      .map((n) => [n.id, n]),
  )
  const found: MapNode[] = []
  const put = (node: DeclaredNode, x: number, y: number) => {
    const place = free([...known.values()], x, y)
    known.set(node.id, place)
    waiting.delete(node.id)
    found.push(ghostNode(node, place))
  }
  for (let before = -1; before !== waiting.size;) {
    before = waiting.size
    for (const { source, target, status } of comparison.edges) {
      if (status !== 'never_seen') continue
      const [from, to] = [known.get(source), known.get(target)]
      const [caller, callee] = [waiting.get(source), waiting.get(target)]
      if (from && callee) put(callee, from.x + COLUMN, from.y)
      else if (to && caller) put(caller, to.x - COLUMN, to.y)
    }
  }
  if (part) return found
  const floor = Math.max(0, ...[...known.values()].map(({ y }) => y)) + ROW * 1.5
  const left = Math.min(COLUMN / 2, ...[...known.values()].map(({ x }) => x))
  ;[...waiting.values()].forEach((node, at) =>
    put(node, left + (at % 5) * COLUMN, floor + Math.floor(at / 5) * ROW),
  )
  return found
}

interface Place {
  x: number
  y: number
}

/** The first place at or below one where no node is. */
function free(taken: readonly Place[], x: number, y: number): Place {
  const column = taken.filter((one) => Math.abs(one.x - x) < WIDE)
  let at = y
  for (let tries = 0; tries < MOST_TRIES && column.some((one) => Math.abs(one.y - at) < HIGH); tries++)
    at += ROW
  return { x, y: at }
}

function ghostNode({ id, name, type, kind, account, region }: DeclaredNode, { x, y }: Place): MapNode {
  const own = { id, name, names: [name], type, kind, account, region, x, y }
  return {
    ...NO_REQUESTS,
    ...own,
    state: 'unknown',
    root: false,
    traces_per_min: 0,
    work: 'requests',
    background: null,
    value: null,
    location: '',
    rank: 0,
    drawn_with: null,
    box: null,
    declared: 'never_seen',
  }
}
