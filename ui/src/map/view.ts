// The map without a framework: scene and camera, redraws on change, hit tests.

import type { Graph, Point } from '../api/types'
import {
  viewportOf,
  cameraFor,
  fitted,
  panned,
  revealed,
  visibleWorld,
  worldAt,
  zoomed,
  type Camera,
  type Size,
} from './camera'
import type { Viewport } from '../model/url'
import { R, bounds, distance, type Placed } from './geometry'
import { paint } from './paint'
import { isHidden, type Emphasis, type MapOptions } from './picture'
import { Scene, type SceneEdge, type SceneNode } from './scene'
import type { Palette } from '../styles/theme'

const REST_MS = 120
const ARRANGE_MS = 400
const EDGE_TOLERANCE = 6

export interface Listener {
  /** The camera moved: called with every frame. */
  moved(camera: Camera): void
  /** Nothing has moved for a moment: the visible nodes, left to right, top to bottom. */
  onIdle(visible: SceneNode[]): void
}

interface Tween {
  started: number
  from: Map<SceneNode, Placed>
  to: Map<SceneNode, Placed>
}

const NOTHING: Emphasis = {
  hoverNode: null,
  hoverEdge: null,
  selectedNode: null,
  selectedEdge: null,
  lit: null,
}

export class MapView {
  readonly scene = new Scene()
  camera: Camera = { k: 1, tx: 0, ty: 0 }
  size: Size = { width: 1, height: 1 }
  private emphasis: Emphasis = NOTHING
  private options: MapOptions = { edgeNumbers: false, hideIdle: false, onlyUnhealthy: false }
  private readonly g: CanvasRenderingContext2D
  private frame = 0
  private rest = 0
  private moving = false
  private ratio = 0
  private tween: Tween | null = null

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private palette: Palette,
    private readonly listener: Listener,
  ) {
    this.g = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D
  }

  dispose(): void {
    cancelAnimationFrame(this.frame)
    clearTimeout(this.rest)
  }

  resize(size: Size): void {
    this.size = size
    this.ratio = 0
    this.draw()
  }

  setPalette(palette: Palette): void {
    this.palette = palette
    this.draw()
  }

  setEmphasis(change: Partial<Emphasis>): void {
    this.emphasis = { ...this.emphasis, ...change }
    this.draw()
  }

  setOptions(options: MapOptions): void {
    this.options = options
    this.draw()
  }

  setGraph(graph: Graph, positions: Record<string, Point>): void {
    this.scene.update(graph, positions, performance.now())
    this.draw()
  }

  private get shown(): SceneNode[] {
    return [...this.scene.nodes.values()].filter((node) => !isHidden(node, this.options))
  }

  fit(nodes: Placed[] = this.shown): void {
    const box = bounds(nodes)
    if (box) this.camera = fitted(box, this.size)
    this.draw()
  }

  /** Whether every shown node lies inside the picture. */
  seesAll(): boolean {
    const box = bounds(this.shown)
    if (!box) return true
    const seen = visibleWorld(this.camera, this.size, 0)
    return (
      box.left >= seen.left && box.right <= seen.right && box.top >= seen.top && box.bottom <= seen.bottom
    )
  }

  setViewport(view: Viewport): void {
    this.camera = cameraFor(view, this.size)
    this.draw()
  }

  get viewport(): Viewport {
    return viewportOf(this.camera, this.size)
  }

  pan(dx: number, dy: number): void {
    this.camera = panned(this.camera, dx, dy)
    this.moving = true
    this.draw()
  }

  zoom(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    this.camera = zoomed(this.camera, factor, x, y)
    this.moving = true
    this.draw()
  }

  /** Brings a node with its neighbours into view, moving as little as needed; true when it had to move. */
  reveal(ids: Iterable<string>): boolean {
    const nodes = [...ids].flatMap((id) => this.scene.nodes.get(id) ?? [])
    const box = bounds(nodes)
    if (!box) return false
    const before = this.camera
    this.camera = revealed(before, box, this.size)
    this.draw()
    return before.tx !== this.camera.tx || before.ty !== this.camera.ty || before.k !== this.camera.k
  }

  centre(id: string): void {
    const node = this.scene.nodes.get(id)
    if (node) this.setViewport({ x: node.x, y: node.y, k: Math.max(this.camera.k, 0.7) })
  }

  /** Takes over the server's newest layout; the only thing that moves nodes the user knows. */
  arrange(): void {
    const to = this.scene.arranged()
    const from = new Map([...to.keys()].map((node) => [node, { x: node.x, y: node.y }]))
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.tween = { from, to, started: performance.now() - (still ? ARRANGE_MS : 0) }
    this.draw()
  }

  /** Whether the server would place some node elsewhere by now. */
  get outdated(): boolean {
    for (const [node, place] of this.scene.arranged()) {
      if (Math.hypot(node.x - place.x, node.y - place.y) > 4) return true
    }
    return false
  }

  nodeAt(x: number, y: number): SceneNode | null {
    const at = worldAt(this.camera, x, y)
    const reach = Math.max(R + 8, 10 / this.camera.k)
    let best: SceneNode | null = null
    let nearest = reach
    for (const node of this.shown) {
      const gap = Math.hypot(node.x - at.x, node.y - at.y)
      if (gap < nearest) [best, nearest] = [node, gap]
    }
    return best
  }

  edgeAt(x: number, y: number): SceneEdge | null {
    const at = worldAt(this.camera, x, y)
    let best: SceneEdge | null = null
    let nearest = EDGE_TOLERANCE / this.camera.k
    for (const edge of this.scene.edges) {
      if (isHidden(edge.source, this.options) || isHidden(edge.target, this.options)) continue
      const gap = distance(edge.line, at.x, at.y)
      if (gap < nearest) [best, nearest] = [edge, gap]
    }
    return best
  }

  moveNode(node: SceneNode, dx: number, dy: number): void {
    node.dragged = true
    this.scene.move(node, node.x + dx / this.camera.k, node.y + dy / this.camera.k)
    this.draw()
  }

  draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0
      this.advance()
      this.paint()
      this.listener.moved(this.camera)
      clearTimeout(this.rest)
      this.rest = window.setTimeout(() => this.settle(), REST_MS)
    })
  }

  private advance(): void {
    const now = performance.now()
    if (this.scene.fading(now).length > 0) this.draw()
    if (!this.tween) return
    const t = Math.min(1, (now - this.tween.started) / ARRANGE_MS)
    const eased = 1 - (1 - t) ** 3
    for (const [node, to] of this.tween.to) {
      const from = this.tween.from.get(node) as Placed
      this.scene.move(node, from.x + (to.x - from.x) * eased, from.y + (to.y - from.y) * eased)
    }
    if (t < 1) {
      this.draw()
    } else {
      this.tween = null
      this.scene.settle()
      this.fit()
    }
  }

  private settle(): void {
    const coarse = this.moving && devicePixelRatio !== 1
    this.moving = false
    if (coarse) this.paint()
    const seen = visibleWorld(this.camera, this.size, 0)
    const inside = (n: SceneNode) =>
      n.x > seen.left && n.x < seen.right && n.y > seen.top && n.y < seen.bottom
    this.listener.onIdle(this.shown.filter(inside).sort((a, b) => a.x - b.x || a.y - b.y))
  }

  /** Coarse pixels while moving, sharp ones at rest: keeps HiDPI screens fluent without a GPU. */
  private paint(): void {
    const ratio = this.moving ? 1 : devicePixelRatio
    if (this.ratio !== ratio) {
      this.ratio = ratio
      this.canvas.width = Math.round(this.size.width * ratio)
      this.canvas.height = Math.round(this.size.height * ratio)
    }
    const { scene, camera, size, palette, options, emphasis } = this
    paint(this.g, { scene, camera, size, ratio, palette, options, emphasis, now: performance.now() })
  }
}
