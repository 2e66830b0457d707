// Boxes of the map: where they lie, what leads from one to another, and what they say about themselves. Pure.

import type { MapEdge, MapNode, Point } from '../api/types'
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
export function linePath({ bends }: Pick<MapEdge, 'bends'>, source: Placed, target: Placed): string {
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
  const pieces = points.slice(1).map(([x, y], index) => {
    const [px, py] = points[index] as Point
    const reach = Math.max(30, Math.abs(x - px) / 2)
    const out = leaves ? reach : -reach
    const into = index + 1 === last && arrives ? reach : -reach
    return `C${round(px + out)} ${round(py)} ${round(x + into)} ${round(y)} ${round(x)} ${round(y)}`
  })
  return `M${round(start[0])} ${round(start[1])}${pieces.join('')}`
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
