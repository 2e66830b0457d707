// Edges on the canvas: width by rate, dashes for links and back edges, a cross where calls fail.

import { duration, rate } from '../model/format'
import { isFaulty } from '../model/health'
import { edgeWidth, middle, type Route } from './geometry'
import type { Picture } from './paint'
import type { SceneEdge } from './scene'

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
  if (picture.detail === 'far') return
  for (const { edge, stroke } of strokes) paintMarks(picture, edge, stroke)
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

function paintMarks(picture: Picture, edge: SceneEdge, stroke: Stroke): void {
  const faulty = isFaulty(edge.data)
  const labelled = picture.k >= 0.6 && (picture.isHot(edge) || picture.options.edgeNumbers)
  if (!faulty && !labelled) return
  const { g } = picture
  const [x, y] = middle(edge.route)
  g.globalAlpha = stroke.alpha === 0.1 ? 0.1 : 1
  if (faulty) paintCross(picture, x, y)
  if (labelled) paintLabel(picture, edge, x, faulty ? y - 12 : y - 5)
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

function paintLabel({ write }: Picture, edge: SceneEdge, x: number, y: number): void {
  const words = [edge.data.avg_ms == null ? '' : duration(edge.data.avg_ms), rate(edge.data.requests_per_min)]
  write(words.filter(Boolean).join(' · '), x, y, '600 11px', 'ink')
}
