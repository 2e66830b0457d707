// One picture of the scene. Knows nothing of pointers, fetching or React.

import { cut, ringLabel, timeAndRate } from '../model/format'
import { isEstimated, shares, traffic, type Shares } from '../model/health'

import { visibleWorld } from './camera'
import { ARC_GAP, BADGE, BAND, BASELINE, DISC, INNER, R, SELECT_RING, arcs } from './geometry'
import { GLYPHS, glyphOf } from './glyphs'
import { paintEdgeMarks, paintEdges } from './paintEdges'
import { detailAt, isHidden, type Emphasis, type Frame, type Picture } from './picture'
import type { SceneEdge, SceneNode } from './scene'
import type { Palette } from '../styles/theme'

export function paint(g: CanvasRenderingContext2D, frame: Frame): void {
  const { camera, size, ratio, palette, scene, emphasis } = frame
  g.setTransform(ratio, 0, 0, ratio, 0, 0)
  g.fillStyle = palette.bg
  g.fillRect(0, 0, size.width, size.height)
  g.setTransform(ratio * camera.k, 0, 0, ratio * camera.k, ratio * camera.tx, ratio * camera.ty)
  g.textAlign = 'center'
  g.lineJoin = 'round'

  const picture = pictureOf(g, frame)
  paintEdges(picture)
  for (const { node, alpha } of scene.fading(frame.now)) paintNode(picture, emphasis, node, alpha)
  const seen = visibleWorld(camera, size)
  for (const node of scene.nodes.values()) {
    if (node.x < seen.left || node.x > seen.right || node.y < seen.top || node.y > seen.bottom) continue
    if (picture.isHidden(node)) continue
    const alpha = emphasis.lit && !emphasis.lit.has(node.data.id) ? 0.16 : 1
    paintNode(picture, emphasis, node, alpha)
  }
  paintEdgeMarks(picture)
  g.globalAlpha = 1
}

function pictureOf(g: CanvasRenderingContext2D, frame: Frame): Picture {
  const { scene, camera, palette, options, emphasis } = frame
  const { lit } = emphasis
  const touches = (edge: SceneEdge, id: string | null) =>
    id !== null && (edge.data.source === id || edge.data.target === id)
  return {
    g,
    scene,
    palette,
    options,
    k: camera.k,
    detail: detailAt(camera.k),
    isHidden: (node) => isHidden(node, options),
    isHot: (edge) =>
      edge.data.id === emphasis.hoverEdge ||
      edge.data.id === emphasis.selectedEdge ||
      touches(edge, emphasis.hoverNode),
    isLit: (edge) => {
      if (!lit) return true
      if (emphasis.selectedEdge) return edge.data.id === emphasis.selectedEdge
      if (emphasis.selectedNode) return touches(edge, emphasis.selectedNode)
      return lit.has(edge.data.source) && lit.has(edge.data.target)
    },
    write: (text, x, y, font, colour) => {
      g.font = `${font} ${palette.sans}`
      g.lineWidth = 4
      g.strokeStyle = palette.bg
      g.strokeText(text, x, y)
      g.fillStyle = palette[colour]
      g.fillText(text, x, y)
    },
  }
}

function paintNode(picture: Picture, emphasis: Emphasis, node: SceneNode, alpha: number): void {
  const { g, palette, detail } = picture
  const { data, x, y } = node
  g.globalAlpha = alpha
  g.fillStyle = palette.bg
  circle(g, x, y, DISC)
  g.fill()

  const part = data.kind === 'client' ? null : shares(data)
  if (part) paintRing(picture, node, part)
  else paintHollow(picture, node)
  if (data.id === emphasis.selectedNode || data.id === emphasis.hoverNode) {
    g.strokeStyle = palette.acc
    g.lineWidth = 3
    circle(g, x, y, SELECT_RING)
    g.stroke()
  }
  if (detail === 'full' && data.kind !== 'client') paintBadge(picture, node)
  if (detail !== 'far') paintText(picture, node)
}

function circle(g: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  g.beginPath()
  g.arc(x, y, r, 0, Math.PI * 2)
}

function paintRing({ g, palette, detail }: Picture, { data, x, y }: SceneNode, part: Shares): void {
  const far = detail === 'far'
  const bands = arcs(part)
  const gap = bands.length > 1 && !far ? ARC_GAP / 2 : 0
  const grown = far && part.ok < 1 ? 1.5 : 1
  if (!far) {
    for (const { state, from, to } of bands) {
      g.strokeStyle = palette.outline
      g.lineWidth = BAND[state] + 2
      g.beginPath()
      g.arc(x, y, INNER + BAND[state] / 2, from, to)
      g.stroke()
    }
  }
  for (const { state, from, to } of bands) {
    const width = BAND[state] * grown
    g.strokeStyle = palette[state]
    g.lineWidth = width
    if (state === 'throttle' && !far) g.setLineDash([4, 2.2])
    g.beginPath()
    g.arc(x, y, INNER + width / 2, from + gap, to - gap)
    g.stroke()
    g.setLineDash([])
  }
  if (data.state === 'unknown' && !far) paintInferred(g, palette, x, y)
}

function paintInferred(g: CanvasRenderingContext2D, palette: Palette, x: number, y: number): void {
  g.strokeStyle = palette.mute
  g.lineWidth = 1.5
  g.setLineDash([3, 3])
  circle(g, x, y, 20)
  g.stroke()
  g.setLineDash([])
}

function paintHollow({ g, palette }: Picture, { data, x, y }: SceneNode): void {
  g.strokeStyle = palette.mute
  g.lineWidth = 2
  if (traffic(data) === 'in_progress') g.setLineDash([6, 4])
  circle(g, x, y, R - 1)
  g.stroke()
  g.setLineDash([])
  if (data.kind === 'client') paintGlyph(g, GLYPHS.client, x, y, 22, palette.mute)
}

const paths = new Map<string, Path2D>()

function paintGlyph(
  g: CanvasRenderingContext2D,
  d: string,
  x: number,
  y: number,
  size: number,
  colour: string,
): void {
  let path = paths.get(d)
  if (!path) paths.set(d, (path = new Path2D(d)))
  const scale = size / 10
  g.save()
  g.translate(x - size / 2, y - size / 2)
  g.scale(scale, scale)
  g.strokeStyle = colour
  g.lineWidth = size > 12 ? 0.9 : 1.1
  g.stroke(path)
  g.restore()
}

function paintBadge({ g, palette }: Picture, { data, x, y }: SceneNode): void {
  const cx = x + BADGE.x
  const cy = y + BADGE.y
  g.fillStyle = palette.panel
  g.strokeStyle = palette.edge
  g.lineWidth = 1
  circle(g, cx, cy, BADGE.r)
  g.fill()
  g.stroke()
  paintGlyph(g, glyphOf(data.kind), cx, cy, 9.5, palette.ink)
}

function paintText(picture: Picture, { data, x, y }: SceneNode): void {
  const { write, detail } = picture
  if (detail === 'name') {
    write(cut(data.name, 24), x, y + BASELINE.name, '600 17px', 'ink')
    return
  }
  write(ringLabel(data.avg_ms), x, y + 4, '600 12px', 'ink')
  write(cut(data.name, 24), x, y + BASELINE.name, '600 12.5px', 'ink')
  const lines = [typeLine(data), numbersLine(data)].filter(Boolean)
  lines.forEach((line, index) =>
    write(line, x, y + (index ? BASELINE.numbers : BASELINE.type), '11px', 'mute'),
  )
}

function typeLine({ name, type }: SceneNode['data']): string {
  return type.toLowerCase() === name.toLowerCase() ? '' : cut(type, 26)
}

function numbersLine(data: SceneNode['data']): string {
  if (data.kind === 'client') return ''
  if (traffic(data) === 'none') return 'no traffic'
  if (traffic(data) === 'in_progress') return 'in progress'
  return timeAndRate(data.avg_ms, data.traces_per_min, isEstimated(data))
}
