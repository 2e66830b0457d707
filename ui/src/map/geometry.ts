// Measures of the map in world units (pixels at scale 1), and the shapes that follow from them. Pure.

import type { Point } from '../api/types'
import { BANDS, type Band, type Shares } from '../model/health'

export const R = 26
/** Where the bands begin; they grow outwards by their width, so a fault sticks out beyond an ok. */
export const INNER = R - 3
export const BAND: Record<Band, number> = { fault: 12, throttle: 9, error: 9, ok: 6, unknown: 6 }
/** Dashes of bands at scale 1: colour is never the only sign. */
export const DASH: Partial<Record<Band, [number, number]>> = { throttle: [4, 2.2], unknown: [2, 2] }
export const DISC = R + 8
/** The radius of a client beside its entry. */
export const SMALL = 11
export const SELECT_RING = R + 12
/** On the left: bands begin at twelve o'clock with the worst, which the badge must not hide. */
export const BADGE = { x: -R * 0.86, y: -R * 0.86, r: 8 }
/** The scale from which on nodes have their numbers, a map of some forty on a laptop's screen among them. */
export const CLOSE = 0.42

/** A badge stays readable where the map is small. */
export function badgeRadius(k: number): number {
  return Math.min(14, Math.max(BADGE.r, 6.5 / k))
}
export const BASELINE = { name: R + 26, type: R + 40, numbers: R + 54 }

const FULL = Math.PI * 2
const TOP = -Math.PI / 2
export const SMALLEST_ARC = FULL / 40
export const ARC_GAP = 0.045

export interface Arc {
  state: Band
  from: number
  to: number
}

/** The bands of a ring: every state that occurred gets at least 9°, the others give way. They fill the circle. */
export function arcs(shares: Shares): Arc[] {
  const present = BANDS.filter((band) => shares[band])
  const angles = widened(present.map((band) => shares[band] * FULL))
  let at = TOP
  return present.map((state, index) => {
    const from = at
    at += angles[index] as number
    return { state, from, to: at }
  })
}

function widened(angles: number[]): number[] {
  let small = angles.map((angle) => angle < SMALLEST_ARC)
  for (;;) {
    const taken = small.filter(Boolean).length * SMALLEST_ARC
    const large = angles.reduce((sum, angle, i) => sum + (small[i] ? 0 : angle), 0)
    const scale = large > 0 ? (FULL - taken) / large : 1
    const next = angles.map((angle, i) => small[i] || angle * scale < SMALLEST_ARC)
    if (next.every((value, i) => value === small[i])) {
      return angles.map((angle, i) => (small[i] ? SMALLEST_ARC : angle * scale))
    }
    small = next
  }
}

export interface Placed {
  x: number
  y: number
}

/** A cubic Bézier chain: a start and, per piece, two handles and an end. */
export interface Route {
  start: Point
  pieces: [Point, Point, Point][]
  end: Point
  /** Direction of the arrow head. */
  heading: Point
}

/** A band of faults reaches R + 10: edges end outside it, the arrow's tip 9 px beyond the line's end. */
const LEAVE = R + 11
const ARRIVE = R + 20

/** From the caller's side, through the layout's bends, to the arrow's tip. `back` runs against the flow, out on the left. */
export function route(source: Placed, target: Placed, bends: readonly Point[], back: boolean): Route {
  const side = back && source.x > target.x ? -1 : 1
  const start: Point = [source.x + side * LEAVE, source.y]
  const end: Point = [target.x - side * ARRIVE, target.y]
  const points = [start, ...bends, end]
  const pieces = points.slice(1).map((to, index): [Point, Point, Point] => {
    const from = points[index] as Point
    const handle = side * Math.max(30, Math.abs(to[0] - from[0]) / 2)
    return [[from[0] + handle, from[1]], [to[0] - handle, to[1]], to]
  })
  return { start, pieces, end, heading: [side, 0] }
}

/** From a client beside its entry, straight to the arrow's tip. */
export function spoke(source: Placed, target: Placed): Route {
  const [dx, dy] = [target.x - source.x, target.y - source.y]
  const length = Math.hypot(dx, dy) || 1
  const heading: Point = [dx / length, dy / length]
  const at = (along: number): Point => [source.x + heading[0] * along, source.y + heading[1] * along]
  const [start, end] = [at(SMALL + 3), at(length - ARRIVE)]
  return { start, pieces: [[start, end, end]], end, heading }
}

/** A call to itself: a 20 px loop over the node. */
export function loop(node: Placed): Route {
  const top = node.y - R - 7
  const start: Point = [node.x - 10, top]
  const end: Point = [node.x + 10, top - 8]
  const pieces: [Point, Point, Point][] = [[[node.x - 24, top - 34], [node.x + 24, top - 34], end]]
  return { start, pieces, end, heading: [-0.35, 0.94] }
}

function onCurve(a: Point, b: Point, c: Point, d: Point, t: number): Point {
  const u = 1 - t
  const along = (i: 0 | 1) =>
    u * u * u * a[i] + 3 * u * u * t * b[i] + 3 * u * t * t * c[i] + t * t * t * d[i]
  return [along(0), along(1)]
}

/** Points along a route, close enough together to measure distances against. */
export function sampled(path: Route, perPiece = 14): Point[] {
  const points: Point[] = [path.start]
  let from = path.start
  for (const [b, c, to] of path.pieces) {
    for (let i = 1; i <= perPiece; i++) points.push(onCurve(from, b, c, to, i / perPiece))
    from = to
  }
  return points
}

/** The point that lies a share of the way along a line. */
export function middle(points: readonly Point[], share = 0.5): Point {
  const lengths = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i]![0], y - points[i]![1]))
  let left = lengths.reduce((sum, length) => sum + length, 0) * share
  for (const [i, length] of lengths.entries()) {
    if (left <= length) return between(points[i] as Point, points[i + 1] as Point, length ? left / length : 0)
    left -= length
  }
  return points.at(-1) as Point
}

function between(a: Point, b: Point, t: number): Point {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]
}

/** Distance from a point to the nearest piece of a line. */
export function distance(points: readonly Point[], x: number, y: number): number {
  let best = Infinity
  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1] as Point
    const [bx, by] = points[i] as Point
    const dx = bx - ax
    const dy = by - ay
    const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)
    const t = Math.min(1, Math.max(0, along))
    best = Math.min(best, Math.hypot(x - ax - t * dx, y - ay - t * dy))
  }
  return best
}

export function edgeWidth(perMinute: number | null): number {
  return Math.min(6, Math.max(1, Math.round(1 + Math.log10(1 + (perMinute ?? 0))))) * 0.8
}

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** What a node and its three lines of text cover: no two of them may overlap. One beside another has no text. */
export function nodeBox(node: Placed & { beside?: boolean }, half = 75): Box {
  const { x, y } = node
  if (node.beside) return { left: x - SMALL, right: x + SMALL, top: y - SMALL, bottom: y + SMALL }
  return {
    left: node.x - half,
    right: node.x + half,
    top: node.y - SELECT_RING,
    bottom: node.y + BASELINE.numbers + 4,
  }
}

export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

export function bounds(nodes: Iterable<Placed>): Box | null {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const node of nodes) {
    const own = nodeBox(node)
    box.left = Math.min(box.left, own.left)
    box.right = Math.max(box.right, own.right)
    box.top = Math.min(box.top, own.top)
    box.bottom = Math.max(box.bottom, own.bottom)
  }
  return box.left < box.right ? box : null
}
