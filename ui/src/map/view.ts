// The map without a framework: scene and camera, redraws on change, hit tests.

import type { Graph, Point } from '../api/types'
import type { Viewport } from '../model/url'
import { DEFAULT_OPTIONS, NO_HEALTH, hiddenNodes, type MapHealth, type MapOptions } from '../model/visibility'
import type { Palette } from '../styles/theme'
import {
  viewportOf,
  cameraFor,
  fittedWithNames,
  panned,
  revealedWithNames,
  visibleWorld,
  worldAt,
  zoomed,
  type Camera,
  type Size,
} from './camera'
import { R, bounds, distance, type Box, type Placed } from './geometry'
import { LabelCache } from './labelCache'
import { byPriority, importance, layoutLabels, mostLabels, type Label } from './labels'
import { paint } from './paint'
import { PanBuffer } from './panBuffer'
import { NO_EMPHASIS, type Emphasis, type Frame } from './picture'
import { Scene, type SceneEdge, type SceneNode } from './scene'
import { textWidth } from './text'

const REST_MS = 120
const ARRANGE_MS = 400
const EDGE_TOLERANCE = 6
/** Smaller maps are painted faster than a buffer is filled. */
const BUFFERED_FROM = 150
const MOST_NAMES_TO_FIT = 300

/** What can be seen once the map rests. */
export interface Sight {
  /** Shown nodes inside the view, the most important first. */
  visible: SceneNode[]
  /** Shown nodes outside the view, and how many of them are unhealthy. */
  outside: number
  outsideUnhealthy: number
}

export interface Listener {
  /** The camera moved: called with every frame. */
  onCamera(camera: Camera): void
  /** Nothing has moved for a moment. */
  onIdle(sight: Sight): void
}

interface Tween {
  started: number
  from: Map<SceneNode, Placed>
  to: Map<SceneNode, Placed>
}

export class MapView {
  readonly scene = new Scene()
  camera: Camera = { k: 1, tx: 0, ty: 0 }
  size: Size = { width: 1, height: 1 }
  private emphasis: Emphasis = NO_EMPHASIS
  private options: MapOptions = DEFAULT_OPTIONS
  private health: MapHealth = NO_HEALTH
  private hidden: ReadonlySet<string> = new Set()
  private readonly g: CanvasRenderingContext2D
  private readonly labels = new LabelCache((k) => this.labelsFor(k))
  /** Grows with everything that labels depend on, apart from scale and places. */
  private labelRevision = 0
  private frame = 0
  private rest = 0
  private moving = false
  private ratio = 0
  private tween: Tween | null = null
  private readonly buffer = new PanBuffer()
  /** The scale of the last picture that was painted at rest. */
  private restingScale = 0

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
    this.labelRevision++
    this.ratio = 0
    this.redraw()
  }

  setPalette(palette: Palette): void {
    this.palette = palette
    this.redraw()
  }

  setEmphasis(change: Partial<Emphasis>): void {
    if ('lit' in change && change.lit !== this.emphasis.lit) this.labelRevision++
    this.emphasis = { ...this.emphasis, ...change }
    this.redraw()
  }

  /** Takes new numbers; `positions` are those the user has dragged nodes to. */
  setGraph(
    graph: Graph,
    positions: Record<string, Point>,
    options: MapOptions = this.options,
    health: MapHealth = this.health,
  ): void {
    this.options = options
    this.health = health
    this.hidden = hiddenNodes(graph, options, health)
    this.labelRevision++
    this.scene.update(graph, positions, performance.now())
    this.redraw()
  }

  private get shown(): SceneNode[] {
    return [...this.scene.nodes.values()].filter(({ data }) => !this.hidden.has(data.id))
  }

  /** Brings all shown nodes into view. */
  fit(nodes: Placed[] = this.shown): void {
    const box = bounds(nodes)
    if (box) this.camera = fittedWithNames(box, this.size, (camera) => this.namesAt(camera))
    this.draw()
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

  /** Brings nodes into view, moving as little as needed; true when it had to move. */
  reveal(ids: Iterable<string>): boolean {
    const nodes = [...ids].flatMap((id) => this.scene.nodes.get(id) ?? [])
    const box = bounds(nodes)
    if (!box) return false
    const before = this.camera
    this.camera = revealedWithNames(before, box, this.size, (camera) => this.namesOf(nodes, camera))
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
    return nearest(
      [...this.scene.nodesIn(square(at, reach))].filter(({ data }) => !this.hidden.has(data.id)),
      (node) => Math.hypot(node.x - at.x, node.y - at.y),
      reach,
    )
  }

  edgeAt(x: number, y: number): SceneEdge | null {
    const at = worldAt(this.camera, x, y)
    const reach = EDGE_TOLERANCE / this.camera.k
    const isShown = ({ data }: SceneEdge) => !this.hidden.has(data.source) && !this.hidden.has(data.target)
    return nearest(
      [...this.scene.edgesIn(square(at, reach))].filter(isShown),
      (edge) => distance(edge.line, at.x, at.y),
      reach,
    )
  }

  moveNode(node: SceneNode, dx: number, dy: number): void {
    node.dragged = true
    this.scene.move(node, node.x + dx / this.camera.k, node.y + dy / this.camera.k)
    this.redraw()
  }

  /** Draws what has changed. */
  private redraw(): void {
    this.buffer.invalidate()
    this.draw()
  }

  /** Draws with the next frame. */
  draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0
      this.advance()
      this.paint()
      this.listener.onCamera(this.camera)
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
    const places = new Map<SceneNode, Placed>()
    for (const [node, to] of this.tween.to) {
      const from = this.tween.from.get(node) as Placed
      places.set(node, { x: from.x + (to.x - from.x) * eased, y: from.y + (to.y - from.y) * eased })
    }
    this.scene.moveAll(places)
    this.scene.follow(this.scene.nodes.values())
    this.buffer.invalidate()
    if (t < 1) {
      this.draw()
    } else {
      this.tween = null
      this.scene.settle()
      this.fit()
    }
  }

  private settle(): void {
    const rescaled = this.camera.k !== this.restingScale
    const coarse = this.moving && (rescaled || devicePixelRatio !== 1)
    this.moving = false
    if (rescaled) this.buffer.invalidate()
    if (coarse) this.paint()
    const seen = visibleWorld(this.camera, this.size, 0)
    const isInside = (n: SceneNode) =>
      n.x > seen.left && n.x < seen.right && n.y > seen.top && n.y < seen.bottom
    const shown = this.shown
    const outside = shown.filter((node) => !isInside(node))
    this.listener.onIdle({
      visible: byPriority(shown.filter(isInside), (node) => this.tierOf(node)),
      outside: outside.length,
      outsideUnhealthy: outside.filter(({ data }) => this.health.unhealthy.has(data.id)).length,
    })
  }

  private tierOf(node: SceneNode) {
    return importance(node, this.health.unhealthy, this.emphasis.lit)
  }

  /** Laid out for the whole map, so that panning changes none of them; while a large one is zoomed, roughly. */
  private labelsNow(isRough: boolean): ReadonlyMap<string, Label> {
    const key = `${this.scene.revision} ${this.labelRevision} ${this.palette.sans}`
    return this.labels.at(this.camera.k, key, isRough)
  }

  /**
   * Where names would be on the screen. Of many nodes only how low the lowest reach: a phone's map would be half as
   * wide for names at its sides.
   */
  private namesAt(camera: Camera): Box[] {
    const many = this.shown.length > MOST_NAMES_TO_FIT
    const labels = this.labelsFor(camera.k, many ? lowest(this.shown, MOST_NAMES_TO_FIT) : this.shown)
    return [...labels.values()].map((label) => {
      const box = onScreen(label, camera)
      if (!many) return box
      const x = label.node.x * camera.k + camera.tx
      return { ...box, left: x, right: x }
    })
  }

  /** Where the names of some nodes would be, on a large map as if they were alone. */
  private namesOf(nodes: SceneNode[], camera: Camera): Box[] {
    const many = this.shown.length > MOST_NAMES_TO_FIT
    const labels = this.labelsFor(camera.k, many ? nodes : this.shown)
    return nodes
      .map(({ data }) => labels.get(data.id))
      .flatMap((label) => (label ? [onScreen(label, camera)] : []))
  }

  private labelsFor(k: number, nodes: SceneNode[] = this.shown): Map<string, Label> {
    return layoutLabels({
      nodes,
      k,
      most: mostLabels(this.size, k),
      tierOf: (node) => this.tierOf(node),
      measure: (text, size, bold) => textWidth(this.g, this.palette.sans, text, size, bold),
    })
  }

  /** What the map shows now, for another canvas and camera. */
  frameFor(camera: Camera, size: Size, ratio: number, palette: Palette): Frame {
    const { scene, options, health, hidden } = this
    const labels = layoutLabels({
      nodes: this.shown,
      k: camera.k,
      tierOf: (node) => importance(node, health.unhealthy, null),
      measure: (text, textSize, bold) => textWidth(this.g, palette.sans, text, textSize, bold),
    })
    const now = performance.now()
    return {
      scene,
      camera,
      size,
      ratio,
      palette,
      options,
      health,
      hidden,
      labels,
      now,
      emphasis: NO_EMPHASIS,
    }
  }

  /** Bounds of all shown nodes. */
  get contents(): Box | null {
    return bounds(this.shown)
  }

  /** Coarse pixels while moving, sharp ones at rest: keeps HiDPI screens fluent without a GPU. */
  private paint(): void {
    const ratio = this.moving ? 1 : devicePixelRatio
    if (this.ratio !== ratio) {
      this.ratio = ratio
      this.canvas.width = Math.round(this.size.width * ratio)
      this.canvas.height = Math.round(this.size.height * ratio)
    }
    const { scene, camera, size, palette, options, health, hidden, emphasis } = this
    const now = performance.now()
    const changing = this.tween !== null || scene.leaving.length > 0
    const frame = { scene, camera, size, ratio, palette, options, health, hidden, emphasis, now }
    if (this.moving && !changing && scene.nodes.size >= BUFFERED_FROM) {
      this.buffer.draw(this.g, frame, () => this.labelsNow(true))
    } else {
      this.restingScale = camera.k
      paint(this.g, { ...frame, labels: this.labelsNow(false) })
    }
  }
}

function onScreen({ node, box }: Label, { k, tx, ty }: Camera): Box {
  const [x, y] = [node.x * k + tx, node.y * k + ty]
  return { left: box.left + x, right: box.right + x, top: box.top + y, bottom: box.bottom + y }
}

function lowest(nodes: SceneNode[], most: number): SceneNode[] {
  return nodes.toSorted((a, b) => b.y - a.y).slice(0, most)
}

function square({ x, y }: Placed, reach: number): Box {
  return { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach }
}

function nearest<T>(items: readonly T[], gapOf: (item: T) => number, reach: number): T | null {
  let best: T | null = null
  let smallest = reach
  for (const item of items) {
    const gap = gapOf(item)
    if (gap < smallest) [best, smallest] = [item, gap]
  }
  return best
}
