// Edges on the canvas: width by rate, dashes for links and back edges, a cross where calls fail.

import type { Point } from '../api/types'
import { timeAndRate } from '../model/format'
import { isEstimated } from '../model/health'
import { declaredWords } from './describe'
import { BASELINE, DISC, R, edgeWidth, middle, type Box, type Route } from './geometry'
import type { Picture } from './picture'
import type { Scene, SceneEdge } from './scene'
import { BoxIndex } from './spatialIndex'
import { textWidth, writeWithHalo } from './text'

/** Half the width of a node's text, as a number on an edge must respect it. */
const LABEL_HALF = 60
/** Subpaths per stroke: one path of thousands of curves is slower to rasterise than a few of some hundred. */
const CHUNK = 128
const LABELS_FROM = 0.6
/** Of edges beside what is selected: fainter than their nodes, as there are more of them. */
const DIMMED = 0.25

/** Where along an edge its numbers may stand, and how far above or below it; the best first. */
const PLACES = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74].flatMap((share): [share: number, lift: number][] => [
  [share, 0],
  [share, -15],
  [share, 15],
])

interface Style {
  colour: string
  alpha: number
  dash: number[]
  width: number
  order: number
}

/** Edges of one style are one path: calm ones first, then failing ones, then those in focus. */
export function paintEdges(picture: Picture): void {
  const { g, detail } = picture
  const groups = new Map<string, { style: Style; edges: SceneEdge[] }>()
  for (const edge of picture.edges) {
    const style = styleOf(picture, edge)
    const key = `${style.order} ${style.colour} ${style.alpha} ${style.dash.join()} ${style.width}`
    const group = groups.get(key)
    if (group) group.edges.push(edge)
    else groups.set(key, { style, edges: [edge] })
  }
  const ordered = [...groups.values()].sort((a, b) => a.style.order - b.style.order)
  for (const { style, edges } of ordered) {
    g.globalAlpha = style.alpha
    g.strokeStyle = style.colour
    g.fillStyle = style.colour
    g.lineWidth = style.width
    g.setLineDash(style.dash)
    for (let from = 0; from < edges.length; from += CHUNK) {
      g.beginPath()
      for (const edge of edges.slice(from, from + CHUNK)) trace(g, edge.route)
      g.stroke()
    }
    if (detail !== 'far') paintHeads(g, edges)
  }
  g.setLineDash([])
  g.globalAlpha = 1
}

function styleOf({ palette, detail, k, health, isEdgeHot, isEdgeLit }: Picture, edge: SceneEdge): Style {
  const hot = isEdgeHot(edge)
  const failing = health.failing.has(edge.data.id)
  const far = detail === 'far'
  const { back, kind, declared } = edge.data
  const unseen = declared === 'never_seen'
  const dash = unseen ? [7, 5] : far ? [] : back ? [6, 4] : kind === 'link' ? [2, 4] : []
  const calm = unseen ? palette.mute : declared ? palette.ink : palette.edge
  return {
    colour: hot ? palette.acc : failing ? palette.fault : calm,
    alpha: hot ? 1 : !isEdgeLit(edge) ? DIMMED : far && !failing ? 0.45 : 0.85,
    dash,
    width: Math.max(edgeWidth(edge.data.requests_per_min), 0.6 / k),
    order: hot ? 2 : failing ? 1 : 0,
  }
}

function trace(g: CanvasRenderingContext2D, { start, pieces }: Route): void {
  g.moveTo(start[0], start[1])
  for (const [a, b, to] of pieces) g.bezierCurveTo(a[0], a[1], b[0], b[1], to[0], to[1])
}

function paintHeads(g: CanvasRenderingContext2D, edges: readonly SceneEdge[]): void {
  g.beginPath()
  for (const { route } of edges) {
    const { end, heading } = route
    const [hx, hy] = heading
    g.moveTo(end[0] + 9 * hx, end[1] + 9 * hy)
    g.lineTo(end[0] - 2 * hx - 5 * hy, end[1] - 2 * hy + 5 * hx)
    g.lineTo(end[0] - 2 * hx + 5 * hy, end[1] - 2 * hy - 5 * hx)
    g.closePath()
  }
  g.fill()
}

/** Crosses and numbers, over the nodes. A number goes where it covers no node, no name and no other number. */
export function paintEdgeMarks(picture: Picture): void {
  const { detail, edges, health, options, k, isEdgeHot, isEdgeLit } = picture
  if (detail === 'far') return
  const failing = edges.filter(({ data }) => health.failing.has(data.id))
  paintCrosses(picture, failing)
  for (const edge of edges) {
    picture.g.globalAlpha = isEdgeLit(edge) ? 1 : DIMMED
    edge.data.trust?.paint(picture, ...middle(edge.line, 0.2))
  }
  if (k < LABELS_FROM) return
  const labelled = edges.filter((edge) => isEdgeHot(edge) || (options.edgeNumbers && isEdgeLit(edge)))
  if (labelled.length === 0) return
  const taken = obstacles(picture, failing)
  for (const edge of labelled) paintNumbers(picture, edge, taken)
}

function obstacles({ nodes, labels, k, scene }: Picture, failing: readonly SceneEdge[]): BoxIndex {
  const taken = new BoxIndex(128)
  for (const { x, y, data } of nodes) {
    taken.add({ left: x - DISC, right: x + DISC, top: y - DISC, bottom: y + DISC })
    const text = labels.get(data.id)?.box
    if (text)
      taken.add({
        left: x + text.left / k,
        right: x + text.right / k,
        top: y + text.top / k,
        bottom: y + text.bottom / k,
      })
  }
  for (const edge of failing) {
    const [x, y] = crossPlace(scene, edge)
    taken.add({ left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 })
  }
  return taken
}

function paintCrosses(picture: Picture, edges: readonly SceneEdge[]): void {
  const { g, palette, scene, isEdgeLit, isEdgeHot } = picture
  for (const strong of [false, true]) {
    const places = edges
      .filter((edge) => (isEdgeLit(edge) || isEdgeHot(edge)) === strong)
      .map((edge) => crossPlace(scene, edge))
    if (places.length === 0) continue
    g.globalAlpha = strong ? 1 : DIMMED
    g.fillStyle = palette.bg
    g.beginPath()
    for (const [x, y] of places) {
      g.moveTo(x + 7, y)
      g.arc(x, y, 7, 0, Math.PI * 2)
    }
    g.fill()
    g.strokeStyle = palette.fault
    g.lineWidth = 2.2
    g.lineCap = 'round'
    g.beginPath()
    for (const [x, y] of places) {
      g.moveTo(x - 3.5, y - 3.5)
      g.lineTo(x + 3.5, y + 3.5)
      g.moveTo(x + 3.5, y - 3.5)
      g.lineTo(x - 3.5, y + 3.5)
    }
    g.stroke()
    g.lineCap = 'butt'
  }
  g.globalAlpha = 1
}

/** In the middle, or the nearest place along the edge that is not behind a node; found again when nodes have moved. */
function crossPlace(scene: Scene, edge: SceneEdge): Point {
  if (edge.cross?.revision === scene.revision) return edge.cross.at
  const places = PLACES.filter(([, lift]) => lift === 0).map(([share]) => middle(edge.line, share))
  const at = places.find((place) => isClear(scene, place)) ?? middle(edge.line)
  edge.cross = { at, revision: scene.revision }
  return at
}

function isClear(scene: Scene, [x, y]: Point): boolean {
  const point: Box = { left: x - 11, right: x + 11, top: y - 11, bottom: y + 11 }
  for (const node of scene.nodesIn(point)) {
    const [dx, dy] = [Math.abs(x - node.x), y - node.y]
    if (dx < DISC + 4 && Math.abs(dy) < DISC + 4) return false
    if (dx < LABEL_HALF + 4 && dy > R + 8 && dy < BASELINE.numbers + 8) return false
  }
  return true
}

/** The numbers of an edge; where there is no room, only those of the edge that is pointed at. */
function paintNumbers({ g, palette, k, isEdgeHot }: Picture, edge: SceneEdge, taken: BoxIndex): void {
  const numbers = timeAndRate(edge.data.avg_ms, edge.data.requests_per_min, isEstimated(edge.data))
  const text = edge.data.declared === 'never_seen' ? declaredWords(edge.data) : numbers
  if (!text) return
  const size = Math.max(11, 11 / k)
  const half = textWidth(g, palette.sans, text, size, true) / 2 + 3
  const places = PLACES.map(([share, lift]): [Point, Box] => {
    const [x, on] = middle(edge.line, share)
    const y = on + lift
    return [[x, y], { left: x - half, right: x + half, top: y - size * 0.75, bottom: y + size * 0.6 }]
  })
  const free = places.find(([, box]) => taken.isFree(box))
  if (!free && !isEdgeHot(edge)) return
  const [[x, y], box] = free ?? (places[0] as [Point, Box])
  taken.add(box)
  g.globalAlpha = 1
  g.font = `600 ${size}px ${palette.sans}`
  g.textAlign = 'center'
  g.strokeStyle = palette.bg
  g.fillStyle = palette.ink
  writeWithHalo(g, text, x, y + size * 0.36, 4)
}
