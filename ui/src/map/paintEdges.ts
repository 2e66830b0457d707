// Edges on the canvas: width by rate, dashes for links and back edges, a cross where calls fail.

import type { Point } from '../api/types'
import { timeAndRate } from '../model/format'
import { isEstimated, isFaulty } from '../model/health'
import { BASELINE, DISC, R, edgeWidth, middle, overlap, type Box, type Route } from './geometry'
import type { Picture } from './picture'
import type { SceneEdge } from './scene'

/** Half the width of a node's text, as a number on an edge must respect it. */
const LABEL_HALF = 60

/** Where along an edge its numbers may stand, and how far above or below it; the best first. */
const PLACES = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74].flatMap((share): [share: number, lift: number][] => [
  [share, 0],
  [share, -15],
  [share, 15],
])

interface Stroke {
  colour: string
  alpha: number
  dash: number[]
  order: number
}

export function paintEdges(picture: Picture): void {
  const strokes = picture.scene.edges
    .filter((edge) => !picture.isHidden(edge.source) && !picture.isHidden(edge.target))
    .map((edge) => ({ edge, stroke: strokeOf(picture, edge) }))
  strokes.sort((a, b) => a.stroke.order - b.stroke.order)
  for (const { edge, stroke } of strokes) paintEdge(picture, edge, stroke)
  picture.g.setLineDash([])
  picture.g.globalAlpha = 1
}

/** Crosses and numbers, over the nodes. A number goes where it covers no node and no other number. */
export function paintEdgeMarks(picture: Picture): void {
  if (picture.detail === 'far') return
  const taken = [...picture.scene.nodes.values()].flatMap(({ x, y }): Box[] => [
    { left: x - DISC, right: x + DISC, top: y - DISC, bottom: y + DISC },
    { left: x - LABEL_HALF, right: x + LABEL_HALF, top: y + R + 12, bottom: y + BASELINE.numbers + 4 },
  ])
  for (const edge of picture.scene.edges) {
    if (picture.isHidden(edge.source) || picture.isHidden(edge.target)) continue
    paintMarks(picture, edge, taken)
  }
  picture.g.globalAlpha = 1
}

function strokeOf(picture: Picture, edge: SceneEdge): Stroke {
  const { palette } = picture
  const hot = picture.isHot(edge)
  const lit = picture.isLit(edge)
  const faulty = isFaulty(edge.data)
  const dash = edge.data.back ? [6, 4] : edge.data.kind === 'link' ? [2, 4] : []
  const calm = picture.detail === 'far' ? 0.45 : 0.85
  return {
    colour: hot ? palette.acc : faulty ? palette.fault : palette.edge,
    alpha: hot ? 1 : lit ? calm : 0.1,
    dash,
    order: hot ? 2 : faulty ? 1 : 0,
  }
}

function paintEdge({ g, k, detail }: Picture, edge: SceneEdge, stroke: Stroke): void {
  const width = Math.max(edgeWidth(edge.data.requests_per_min), 0.6 / k)
  g.globalAlpha = stroke.alpha
  g.strokeStyle = stroke.colour
  g.fillStyle = stroke.colour
  g.lineWidth = width
  g.setLineDash(stroke.dash)
  g.beginPath()
  trace(g, edge.route)
  g.stroke()
  if (detail !== 'far') paintHead(g, edge.route)
}

function trace(g: CanvasRenderingContext2D, { start, pieces }: Route): void {
  g.moveTo(start[0], start[1])
  for (const [a, b, to] of pieces) g.bezierCurveTo(a[0], a[1], b[0], b[1], to[0], to[1])
}

function paintHead(g: CanvasRenderingContext2D, { end, heading }: Route): void {
  const [hx, hy] = heading
  g.beginPath()
  g.moveTo(end[0] + 9 * hx, end[1] + 9 * hy)
  g.lineTo(end[0] - 2 * hx - 5 * hy, end[1] - 2 * hy + 5 * hx)
  g.lineTo(end[0] - 2 * hx + 5 * hy, end[1] - 2 * hy - 5 * hx)
  g.fill()
}

function paintMarks(picture: Picture, edge: SceneEdge, taken: Box[]): void {
  const faulty = isFaulty(edge.data)
  const labelled =
    picture.k >= 0.6 && (picture.isHot(edge) || (picture.options.edgeNumbers && picture.isLit(edge)))
  if (faulty) {
    const [x, y] = crossPlace(edge, taken)
    picture.g.globalAlpha = picture.isLit(edge) || picture.isHot(edge) ? 1 : 0.1
    paintCross(picture, x, y)
    taken.push({ left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 })
  }
  if (!labelled) return
  picture.g.globalAlpha = 1
  paintLabel(picture, edge, taken)
}

/** In the middle, or the nearest place along the edge that is not behind a node. */
function crossPlace(edge: SceneEdge, taken: Box[]): Point {
  const places = PLACES.filter(([, lift]) => lift === 0).map(([share]) => middle(edge.line, share))
  const isFree = ([x, y]: Point) =>
    !taken.some(
      ({ left, right, top, bottom }) => x > left - 4 && x < right + 4 && y > top - 4 && y < bottom + 4,
    )
  return places.find(isFree) ?? middle(edge.line)
}

function paintCross({ g, palette }: Picture, x: number, y: number): void {
  g.fillStyle = palette.bg
  g.beginPath()
  g.arc(x, y, 7, 0, Math.PI * 2)
  g.fill()
  g.strokeStyle = palette.fault
  g.lineWidth = 2.2
  g.lineCap = 'round'
  g.beginPath()
  g.moveTo(x - 3.5, y - 3.5)
  g.lineTo(x + 3.5, y + 3.5)
  g.moveTo(x + 3.5, y - 3.5)
  g.lineTo(x - 3.5, y + 3.5)
  g.stroke()
  g.lineCap = 'butt'
}

/** The numbers of an edge; where there is no room, only those of the edge that is pointed at. */
function paintLabel(picture: Picture, edge: SceneEdge, taken: Box[]): void {
  const { g, palette, write } = picture
  const text = timeAndRate(edge.data.avg_ms, edge.data.requests_per_min, isEstimated(edge.data))
  if (!text) return
  g.font = `600 11px ${palette.sans}`
  const half = g.measureText(text).width / 2 + 3
  const places = PLACES.map(([share, lift]): [Point, Box] => {
    const [x, on] = middle(edge.line, share)
    const y = on + lift
    return [[x, y], { left: x - half, right: x + half, top: y - 8, bottom: y + 7 }]
  })
  const free = places.find(([, box]) => !taken.some((other) => overlap(box, other)))
  if (!free && !picture.isHot(edge)) return
  const [[x, y], box] = free ?? (places[0] as [Point, Box])
  taken.push(box)
  write(text, x, y + 4, '600 11px', 'ink')
}
