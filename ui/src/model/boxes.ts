// Boxes of the map: where they lie, what leads from one to another, and what they say about themselves. Pure.

import type { MapEdge, MapNode, Point } from '../api/types'
import { middle, sampled, type Route } from '../map/geometry'
import { count, duration, percent, rate } from './format'
import { isEstimated, shares, STATES, STATE_LABELS } from './health'

/** By what groups are made, in the order of the server's tries. */
export const BOX_CHOICES = ['auto', 'account', 'namespace', 'stack', 'prefix', 'none'] as const
export type BoxChoice = (typeof BOX_CHOICES)[number]

export const CHOICE_WORDS: Record<BoxChoice, string> = {
  auto: 'Automatic',
  account: 'Account',
  namespace: 'Namespace',
  stack: 'Stack',
  prefix: 'Beginning of name',
  none: 'Nothing: draw services',
}

export type BoxNode = MapNode & { box: NonNullable<MapNode['box']> }

export function isBox(node: MapNode): node is BoxNode {
  return node.box !== null
}

/** World units; the server's layout is of nodes 200 apart and 128 below one another. */
export const CARD = { width: 196, height: 110 }
const SPREAD = { x: 1.22, y: 1.04 }

export interface Rect {
  left: number
  top: number
  width: number
  height: number
}

export function rectOf({ x, y }: Pick<MapNode, 'x' | 'y'>): Rect {
  return {
    left: x * SPREAD.x - CARD.width / 2,
    top: y * SPREAD.y - CARD.height / 2,
    ...CARD,
  }
}

/** Around all of them. */
export function around(nodes: readonly MapNode[]) {
  const rects = nodes.map(rectOf)
  return {
    left: Math.min(...rects.map(({ left }) => left)),
    top: Math.min(...rects.map(({ top }) => top)),
    right: Math.max(...rects.map(({ left, width }) => left + width)),
    bottom: Math.max(...rects.map(({ top, height }) => top + height)),
  }
}

/** From the side of a box to that of another, between the columns: backwards if that lies to the left. */
export function lineRoute({ bends }: Pick<MapEdge, 'bends'>, source: Placed, target: Placed): Route {
  const [from, to] = [rectOf(source), rectOf(target)]
  const side = ({ left, top, width, height }: Rect, right: boolean): Point => [
    right ? left + width : left,
    top + height / 2,
  ]
  const leaves = to.left >= from.left
  const arrives = to.left <= from.left
  const [start, end] = [side(from, leaves), side(to, arrives)]
  const inner = bends.map(([x, y]): Point => [x * SPREAD.x, y * SPREAD.y])
  const points = [start, ...inner, end]
  const last = points.length - 1
  const pieces = points.slice(1).map(([x, y], index): [Point, Point, Point] => {
    const [px, py] = points[index] as Point
    const reach = Math.max(30, Math.abs(x - px) / 2)
    const out = leaves ? reach : -reach
    const into = index + 1 === last && arrives ? reach : -reach
    return [
      [px + out, py],
      [x + into, y],
      [x, y],
    ]
  })
  return { start, pieces, end, heading: [arrives ? -1 : 1, 0] }
}

export function linePath({ start, pieces }: Route): string {
  const words = (points: readonly Point[]) => points.map(([x, y]) => `${round(x)} ${round(y)}`).join(' ')
  return `M${words([start])}${pieces.map((piece) => `C${words(piece)}`).join('')}`
}

/** Where along a line a mark may stand, the best first. */
const SHARES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9]
const MARK = 11

/** Where marks stand at lines: on no box and on no other mark, if there is such a place along the line. */
export function markPlaces(routes: readonly Route[], boxes: readonly Placed[]): Point[] {
  const rects = boxes.map(rectOf)
  const placed: Point[] = []
  const isFree = ([x, y]: Point) =>
    rects.every(
      ({ left, top, width, height }) =>
        x < left - MARK || x > left + width + MARK || y < top - MARK || y > top + height + MARK,
    ) && placed.every(([px, py]) => Math.hypot(px - x, py - y) > 2 * MARK)
  for (const route of routes) {
    const line = sampled(route)
    const places = SHARES.map((share) => middle(line, share))
    placed.push(places.find(isFree) ?? (places[0] as Point))
  }
  return placed
}

type Placed = Pick<MapNode, 'x' | 'y'>

const round = (value: number) => Math.round(value * 10) / 10

/** 167 services, 1 service */
export function membersWords({ box }: BoxNode): string {
  return `${count(box.members)} ${box.members === 1 ? 'service' : 'services'}`
}

/** 1.2k/min · 45 ms */
export function figuresWords(node: BoxNode): string {
  if (!node.requests && !node.in_progress) return 'no traffic'
  const perMinute = rate(node.traces_per_min, isEstimated(node))
  return node.avg_ms === null ? perMinute : `${perMinute} · ${duration(node.avg_ms)}`
}

/** What its figures are of, for a title. */
export function figuresHint({ box }: BoxNode): string {
  return box.figures === 'arrivals'
    ? 'what arrives from clients and other groups: calls among its members are not counted'
    : 'the work of its members: nothing arrives from clients or other groups'
}

/** What a screen reader says of a box. */
export function boxLabel(node: BoxNode): string {
  const part = shares(node)
  const states = part
    ? STATES.filter((state) => part[state]).map(
        (state) => `${percent(part[state])} ${STATE_LABELS[state].word}`,
      )
    : []
  const { unhealthy, unhealthy_total } = node.box
  const named = unhealthy.slice(0, 3).map(({ name }) => name)
  const ill =
    unhealthy_total > 0
      ? [
          `${count(unhealthy_total)} unhealthy: ${named.join(', ')}${unhealthy_total > 3 ? ' and others' : ''}`,
        ]
      : []
  const differs = node.delta ? [node.delta.words] : []
  return [node.name, membersWords(node), figuresWords(node), ...states, ...differs, ...ill].join(', ')
}

/** What an edge says where it is pointed at. */
export function edgeWords(edge: MapEdge, source: string, target: string): string {
  const part = shares(edge)
  const bad = part ? 1 - part.ok - part.unknown : 0
  const numbers = [rate(edge.requests_per_min, isEstimated(edge))]
  if (edge.avg_ms !== null) numbers.push(duration(edge.avg_ms))
  if (bad > 1e-9) numbers.push(`${percent(bad)} failed`)
  if (edge.delta) numbers.push(edge.delta.words)
  return `${source} → ${target}: ${numbers.join(' · ')}`
}

/** Where an open box is on the screen: as large as its place, at least what can be read, and within the map. */
export function frameRect(
  place: Rect,
  camera: { k: number; tx: number; ty: number },
  size: { width: number; height: number },
): Rect {
  const width = Math.min(size.width - 2 * GAP, Math.max(LEAST.width, place.width * camera.k))
  const height = Math.min(size.height - TOP - BOTTOM, Math.max(LEAST.height, place.height * camera.k))
  const left = (place.left + place.width / 2) * camera.k + camera.tx - width / 2
  const top = (place.top + place.height / 2) * camera.k + camera.ty - height / 2
  return {
    left: Math.round(Math.min(size.width - width - GAP, Math.max(GAP, left))),
    top: Math.round(Math.min(size.height - height - BOTTOM, Math.max(TOP, top))),
    width: Math.round(width),
    height: Math.round(height),
  }
}

const LEAST = { width: 560, height: 380 }
const GAP = 12
/** Below the tools, above the legend. */
const TOP = 54
const BOTTOM = 52
