// Two periods of the map, or two sides of one: the ring of one inside that of the other, and a mark where a difference is
// significant. Pure.

import type {
  ComparedFigures,
  Delta,
  Graph,
  MapEdge,
  MapNode,
  PeriodComparison,
  SignificantChange,
} from '../api/types'
import { ringPainter } from '../map/candidateRing'
import { R } from '../map/geometry'
import type { Brush } from '../styles/brush'
import { ghostEdge } from './ghosts'
import { shares } from './health'
import { withFigures } from './sides'

/** What the earlier period is, in the order in which key C goes through them. */
export const PERIODS = {
  before: 'Period before',
  yesterday: 'Yesterday',
  week: 'A week ago',
  deployment: 'Before the last deployment',
  problem: 'Before the problem',
} as const

const ORDER = Object.keys(PERIODS)

/** What an address compares with: one of the above, a deployment, a problem, or when the earlier period begins; null: nothing. */
export function periodOf(params: URLSearchParams): string | null {
  return params.get('against')
}

/** The next one; after none the one before what is wrong, the first one if nothing is. */
export function nextPeriod(against: string | null, isWrong: boolean): string {
  if (against === null && isWrong) return 'problem'
  return ORDER[(ORDER.indexOf(against ?? '') + 1) % ORDER.length] as string
}

/** The changes of a node or an edge, those that begin there first. */
export function changesOf({ changes }: PeriodComparison, id: string): SignificantChange[] {
  return changes.filter((one) => one.id === id)
}

/** The worst first. */
const TRENDS: SignificantChange['trend'][] = [
  ...(['failing', 'slower', 'new', 'vanished', 'more', 'less', 'working', 'faster'] as const),
]

function byTrend(one: SignificantChange, other: SignificantChange): number {
  return TRENDS.indexOf(one.trend) - TRENDS.indexOf(other.trend)
}

/** The places where changes begin, with their changes in words. */
export function beginnings({ changes }: PeriodComparison): { id: string; name: string; text: string }[] {
  const own = changes.filter(({ follows }) => follows === null).sort(byTrend)
  const ids = [...new Set(own.map(({ id }) => id))]
  return ids.map((id) => {
    const mine = own.filter((one) => one.id === id)
    return { id, name: mine[0]?.name ?? id, text: mine.map(({ text }) => text).join(', ') }
  })
}

/** The graph with the rings of the earlier period, its vanished edges, and marks at what differs. */
export function withPeriod(graph: Graph, found: PeriodComparison | null): Graph {
  if (!found) return graph
  const compared = new Map(found.nodes.map((node) => [node.id, node]))
  const nodes = graph.nodes.map((whole) => {
    if (whole.box) return withMembers(whole, found)
    const both = compared.get(whole.id)
    // The map counts both sides; of periods it has the later one.
    const node = found.by ? withFigures(whole, both?.now, both?.then) : whole
    const changes = changesOf(found, node.id)
    const words = wordsOf(changes)
    const rollout = { words: '', paint: ringOf(both?.then) ?? nothing }
    return { ...node, rollout, ...(words && { delta: deltaOf(changes, words) }) }
  })
  const edges = [...graph.edges, ...vanished(graph, found)].map((edge) => {
    // What follows is marked at the nodes.
    const changes = ownChanges(changesOf(found, edge.id))
    return changes.length ? { ...edge, trust: markOf(changes) } : edge
  })
  return { ...graph, nodes, edges: withLines(edges, nodes, found) }
}

/** What begins where it is: what follows is marked there. */
function ownChanges(changes: readonly SignificantChange[]): SignificantChange[] {
  return changes.filter(({ follows }) => follows === null)
}

/** Marks at the lines between boxes that differ, as at edges; those that the map does not have are drawn, too. */
function withLines(edges: readonly MapEdge[], nodes: readonly MapNode[], found: PeriodComparison): MapEdge[] {
  const known = new Set(edges.map(({ id }) => id))
  const boxes = new Set(nodes.filter(({ box }) => box).map(({ id }) => id))
  const differing = found.lines
    .map((line) => ({ ...line, changes: ownChanges(line.changes).sort(byTrend) }))
    .filter(({ changes, source, target }) => changes.length && boxes.has(source) && boxes.has(target))
  const more = differing.filter(({ id }) => !known.has(id)).map(ghostEdge)
  const deltas = new Map(
    differing.map(({ id, changes }) => [id, { words: wordsOf(changes), begins: true, paint: nothing }]),
  )
  return [...edges, ...more].map((edge) => {
    const delta = deltas.get(edge.id)
    return delta ? { ...edge, delta } : edge
  })
}

/** A box says how many of its members differ, or of calls among and from them, and the worst: what is marked where it opens. */
function withMembers(whole: MapNode, found: PeriodComparison): MapNode {
  const both = found.box_figures.find(({ id }) => id === whole.id)
  const node = found.by ? withFigures(whole, both?.now, both?.then) : whole
  const box = both?.then ? { ...node, earlier: both.then } : node
  const within = found.changes.filter(({ id, follows }) => {
    return found.boxes[id] === box.id && (follows === null || !id.includes(':'))
  })
  const begins = begin(within)
  const [worst] = within.filter(({ follows }) => !begins || follows === null).sort(byTrend)
  if (!worst) return box
  const many = new Set(within.map(({ id }) => id)).size
  const verb = begins ? (many === 1 ? 'differs' : 'differ') : many === 1 ? 'follows' : 'follow'
  const words = `Δ ${many} ${verb}: ${worst.name} ${worst.text}`
  return { ...box, delta: { words, begins, paint: nothing } }
}

function wordsOf(changes: readonly SignificantChange[]): string {
  const [first, ...more] = changes
  return first ? `Δ ${first.text}${more.length ? ` +${more.length}` : ''}` : ''
}

function ringOf(figures: ComparedFigures | null | undefined) {
  const parts = figures && shares({ ...figures, unknown: 0 })
  return parts ? ringPainter(parts) : null
}

function nothing(): void {
  // A client has no ring; a box is no drawing.
}

/** Edges that the map no longer has, between nodes that it has. */
function vanished(graph: Graph, found: PeriodComparison): MapEdge[] {
  const nodes = new Set(graph.nodes.map(({ id }) => id))
  const known = new Set(graph.edges.map(({ id }) => id))
  const gone = new Set(found.changes.filter(({ measure }) => measure === 'vanished').map(({ id }) => id))
  return found.edges
    .filter((edge) => gone.has(edge.id) && !known.has(edge.id))
    .filter(({ source, target }) => nodes.has(source) && nodes.has(target))
    .map(ghostEdge)
}

/** The radius of a mark: where the map is small, it stays readable. */
const [NEAR, FURTHER, LEAST_PIXELS] = [10, 16, 8]

function begin(changes: readonly SignificantChange[]): boolean {
  return changes.some(({ follows }) => follows === null)
}

/** From afar, where differences begin alone. */
function deltaOf(changes: readonly SignificantChange[], words: string): Delta {
  const begins = begin(changes)
  return {
    words,
    begins,
    paint(brush, x, y) {
      if (brush.detail === 'far' && !begins) return
      paintDelta(brush, x - R * 0.86, y - R * 0.86, Math.max(NEAR, LEAST_PIXELS / brush.k), begins)
    },
  }
}

function markOf(changes: readonly SignificantChange[]): NonNullable<MapEdge['trust']> {
  return {
    trust: 'exact',
    words: '',
    paint(brush, x, y) {
      if (brush.detail !== 'far')
        paintDelta(brush, x, y, brush.detail === 'full' ? NEAR : FURTHER, begin(changes))
    },
  }
}

/** A filled mark where changes begin, an empty one where they follow. */
function paintDelta({ g, palette, k }: Brush, x: number, y: number, radius: number, filled: boolean): void {
  g.setLineDash([])
  g.fillStyle = filled ? palette.ink : palette.panel
  g.strokeStyle = palette.ink
  g.lineWidth = Math.max(1, 1 / k)
  g.beginPath()
  g.arc(x, y, radius, 0, Math.PI * 2)
  g.fill()
  g.stroke()
  g.font = `700 ${radius * 1.35}px ${palette.sans}`
  g.textAlign = 'center'
  g.fillStyle = filled ? palette.panel : palette.ink
  g.fillText('Δ', x, y + radius * 0.48)
}
