// One picture of the scene. Knows nothing of pointers, fetching or React.
// Shapes that look alike are gathered into one path: a canvas is as fast as it has few strokes.

import { ringLabel } from '../model/format'
import { ringShares } from '../model/fold'
import { STATES, traffic, type Band } from '../model/health'
import { visibleWorld } from './camera'
import {
  ARC_GAP,
  BADGE,
  BAND,
  DASH,
  DISC,
  INNER,
  R,
  SELECT_RING,
  SMALL,
  arcs,
  badgeRadius,
  type Arc,
} from './geometry'
import { GLYPHS, glyphOf } from './glyphs'
import { paintLabels } from './paintLabels'
import { paintEdgeMarks, paintEdges } from './paintEdges'
import { detailAt, type Frame, type Picture } from './picture'
import type { SceneEdge, SceneNode } from './scene'
import { textWidth } from './text'

const FULL = Math.PI * 2
/** Of nodes beside what is searched for or selected: they are still read as the surroundings. */
const DIMMED = 0.4

export function paint(g: CanvasRenderingContext2D, frame: Frame): void {
  const { camera, size, ratio, palette, scene } = frame
  g.setTransform(ratio, 0, 0, ratio, 0, 0)
  g.globalAlpha = 1
  g.fillStyle = palette.bg
  g.fillRect(0, 0, size.width, size.height)
  g.setTransform(ratio * camera.k, 0, 0, ratio * camera.k, ratio * camera.tx, ratio * camera.ty)
  g.lineJoin = 'round'

  const picture = pictureOf(g, frame)
  paintEdges(picture)
  for (const { node, alpha } of scene.fading(frame.now)) paintNodes(picture, [node], alpha)
  const lit = picture.nodes.filter(picture.isLit)
  if (lit.length < picture.nodes.length) {
    const dim = picture.nodes.filter((node) => !picture.isLit(node))
    paintNodes(picture, dim, DIMMED)
  }
  paintNodes(picture, lit, 1)
  paintRings(picture)
  paintEdgeMarks(picture)
  paintLabels(picture)
  g.globalAlpha = 1
}

function pictureOf(g: CanvasRenderingContext2D, frame: Frame): Picture {
  const { scene, camera, size, hidden, emphasis } = frame
  const { lit, selectedNode, selectedEdge, hoverEdge, hoverNode } = emphasis
  const view = visibleWorld(camera, size)
  const touches = ({ data }: SceneEdge, id: string | null) =>
    id !== null && (data.source === id || data.target === id)
  const isShown = ({ data }: SceneEdge) => !hidden.has(data.source) && !hidden.has(data.target)
  return {
    ...frame,
    g,
    k: camera.k,
    detail: detailAt(camera.k),
    nodes: [...scene.nodesIn(view)].filter(({ data }) => !hidden.has(data.id)),
    edges: [...scene.edgesIn(view)].filter(isShown),
    isLit: ({ data }) => lit === null || lit.has(data.id),
    isEdgeHot: (edge) =>
      edge.data.id === hoverEdge || edge.data.id === selectedEdge || touches(edge, hoverNode),
    isEdgeLit: (edge) => {
      if (!lit) return true
      if (selectedEdge) return edge.data.id === selectedEdge
      if (selectedNode) return touches(edge, selectedNode)
      return lit.has(edge.data.source) && lit.has(edge.data.target)
    },
  }
}

/** All of them with one opacity; layer by layer, as nodes do not overlap. */
function paintNodes(picture: Picture, nodes: readonly SceneNode[], alpha: number): void {
  if (nodes.length === 0) return
  const { g, palette, detail } = picture
  g.globalAlpha = alpha
  g.fillStyle = palette.bg
  g.beginPath()
  for (const { x, y, beside } of nodes) circle(g, x, y, beside ? SMALL : DISC)
  g.fill()

  const rings = nodes.map((node) => ringOf(node)).filter((ring) => ring !== null)
  paintBands(picture, rings)
  for (const { data, x, y } of nodes) {
    data.rollout?.paint(picture, x, y)
    data.openEnd?.paint(picture, x, y)
  }
  paintHollow(
    picture,
    nodes.filter((node) => node.data.kind === 'client' || !ringShares(node.data)),
  )
  paintUndeclared(
    picture,
    nodes.filter(({ data }) => data.declared === 'undeclared'),
  )
  if (detail !== 'full') for (const { data, x, y } of nodes) data.delta?.paint(picture, x, y)
  if (detail === 'far') return
  paintInferred(
    picture,
    rings.filter(({ node }) => node.data.state === 'unknown'),
  )
  if (detail !== 'full') return
  paintBadges(
    picture,
    nodes.filter(({ data }) => data.kind !== 'client'),
  )
  paintRingLabels(picture, nodes)
  for (const { data, x, y } of nodes) {
    data.trust?.paint(picture, x, y)
    data.delta?.paint(picture, x, y)
  }
}

interface Ring {
  node: SceneNode
  bands: Arc[]
}

function ringOf(node: SceneNode): Ring | null {
  const part = node.data.kind === 'client' ? null : ringShares(node.data)
  return part && { node, bands: arcs(part) }
}

function circle(g: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  g.moveTo(x + r, y)
  g.arc(x, y, r, 0, FULL)
}

function arc(g: CanvasRenderingContext2D, x: number, y: number, r: number, from: number, to: number): void {
  g.moveTo(x + r * Math.cos(from), y + r * Math.sin(from))
  g.arc(x, y, r, from, to)
}

function paintBands({ g, palette, detail }: Picture, rings: readonly Ring[]): void {
  const far = detail === 'far'
  const each = (state: Band, draw: (ring: Ring, band: Arc) => void) => {
    for (const ring of rings) for (const band of ring.bands) if (band.state === state) draw(ring, band)
  }
  if (!far) {
    g.strokeStyle = palette.outline
    for (const state of STATES) {
      g.lineWidth = BAND[state] + 2
      g.beginPath()
      each(state, ({ node: { x, y } }, { from, to }) => arc(g, x, y, INNER + BAND[state] / 2, from, to))
      g.stroke()
    }
  }
  // In the order of severity, so that a fault is never covered.
  for (const state of ['unknown', 'ok', 'error', 'throttle', 'fault'] as const) {
    for (const grown of far ? [false, true] : [false]) {
      const width = BAND[state] * (grown ? 1.5 : 1)
      g.strokeStyle = palette[state]
      g.lineWidth = width
      g.setLineDash(far ? [] : (DASH[state] ?? []))
      g.beginPath()
      each(state, ({ node: { x, y }, bands }, { from, to }) => {
        const failing = bands.some((band) => BAND[band.state] > BAND.ok)
        if (far && failing !== grown) return
        const gap = bands.length > 1 && !far ? ARC_GAP / 2 : 0
        arc(g, x, y, INNER + width / 2, from + gap, to - gap)
      })
      g.stroke()
    }
  }
  g.setLineDash([])
}

function paintInferred({ g, palette }: Picture, rings: readonly Ring[]): void {
  g.strokeStyle = palette.mute
  g.lineWidth = 1.5
  g.setLineDash([3, 3])
  g.beginPath()
  for (const { node } of rings) circle(g, node.x, node.y, 20)
  g.stroke()
  g.setLineDash([])
}

/** A second ring around what no template declares. */
function paintUndeclared({ g, palette, k }: Picture, nodes: readonly SceneNode[]): void {
  if (nodes.length === 0) return
  g.strokeStyle = palette.ink
  g.lineWidth = Math.max(1.5, 1 / k)
  g.beginPath()
  for (const { x, y } of nodes) circle(g, x, y, DISC + 2)
  g.stroke()
}

/** Nodes without a finished request, and clients, which measure nothing. */
function paintHollow({ g, palette, detail }: Picture, nodes: readonly SceneNode[]): void {
  g.strokeStyle = palette.mute
  g.lineWidth = 2
  for (const waiting of [false, true]) {
    g.setLineDash(waiting ? [6, 4] : [])
    g.beginPath()
    for (const { data, x, y, beside } of nodes) {
      const dashed = traffic(data) === 'in_progress' || data.declared === 'never_seen'
      if (dashed === waiting) circle(g, x, y, beside ? SMALL : R - 1)
    }
    g.stroke()
  }
  g.setLineDash([])
  if (detail === 'far') return
  const clients = nodes.filter(({ data }) => data.kind === 'client')
  for (const small of [false, true]) {
    const glyphs = clients
      .filter(({ beside }) => beside === small)
      .map(({ x, y }) => ({ glyph: GLYPHS.client, x, y }))
    paintGlyphs(g, glyphs, small ? 11 : 22, palette.mute)
  }
}

const glyphPaths = new Map<string, Path2D>()

function glyphPath(d: string): Path2D {
  let path = glyphPaths.get(d)
  if (!path) glyphPaths.set(d, (path = new Path2D(d)))
  return path
}

interface Glyph {
  glyph: string
  x: number
  y: number
}

/** A path that says what it is of, for a context that draws no paths (`svgContext`). */
export type GlyphPath = Path2D & { glyphs: readonly Glyph[]; size: number }

function paintGlyphs(
  g: CanvasRenderingContext2D,
  glyphs: readonly Glyph[],
  size: number,
  colour: string,
): void {
  if (glyphs.length === 0) return
  const all: GlyphPath = Object.assign(new Path2D(), { glyphs, size })
  const scale = size / 10
  for (const { glyph, x, y } of glyphs) {
    all.addPath(glyphPath(glyph), { a: scale, d: scale, e: x - size / 2, f: y - size / 2 })
  }
  g.strokeStyle = colour
  g.lineWidth = (size > 12 ? 0.9 : 1.1) * scale
  g.stroke(all)
}

function paintBadges({ g, palette, k }: Picture, nodes: readonly SceneNode[]): void {
  const radius = badgeRadius(k)
  g.fillStyle = palette.panel
  g.strokeStyle = palette.edge
  g.lineWidth = 1
  g.beginPath()
  for (const { x, y } of nodes) circle(g, x + BADGE.x, y + BADGE.y, radius)
  g.fill()
  g.stroke()
  const glyphs = nodes.map(({ data, x, y }) => ({
    glyph: glyphOf(data.kind),
    x: x + BADGE.x,
    y: y + BADGE.y,
  }))
  paintGlyphs(g, glyphs, radius * 1.19, palette.ink)
}

/** The average in the hole, where it fits at a readable size. */
function paintRingLabels({ g, palette, k }: Picture, nodes: readonly SceneNode[]): void {
  const size = Math.max(11 / k, 12)
  const room = 2 * 20
  g.font = `600 ${size}px ${palette.sans}`
  g.textAlign = 'center'
  g.fillStyle = palette.ink
  for (const { data, x, y } of nodes) {
    const text = ringLabel(data.avg_ms)
    if (text && textWidth(g, palette.sans, text, size, true) <= room) g.fillText(text, x, y + size / 3)
  }
}

/** Around what is selected and what the pointer is on. */
function paintRings({ g, palette, scene, emphasis, k }: Picture): void {
  g.globalAlpha = 1
  g.strokeStyle = palette.acc
  g.lineWidth = Math.max(3, 2 / k)
  g.beginPath()
  for (const id of [emphasis.selectedNode, emphasis.hoverNode]) {
    const node = id === null ? undefined : scene.nodes.get(id)
    if (node) circle(g, node.x, node.y, node.beside ? SMALL + 5 : SELECT_RING)
  }
  g.stroke()
}
