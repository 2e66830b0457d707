// The drawn graph over time: a refresh changes numbers, never the place of a node that is already known.

import type { Graph, MapEdge, MapNode, Point } from '../api/types'
import { isBeside } from '../model/fold'
import { loop, nodeBox, overlap, route, sampled, spoke, type Box, type Placed, type Route } from './geometry'
import { SpatialIndex } from './spatialIndex'

const ROW = 128
const FADE_MS = 300
const NODE_CELL = 256
const EDGE_CELL = 512

export interface SceneNode {
  data: MapNode
  x: number
  y: number
  dragged: boolean
  edges: SceneEdge[]
  /** A client that is drawn small beside its entry, and stays there. */
  beside: boolean
}

export interface SceneEdge {
  data: MapEdge
  source: SceneNode
  target: SceneNode
  /** The layout's bend points, and where both ends were when it chose them. */
  bends: Point[]
  laidOut: [Placed, Placed]
  route: Route
  line: Point[]
  /** Where its failure mark is, as of a revision of the scene. */
  cross?: { at: Point; revision: number }
}

export interface Leaving {
  node: SceneNode
  since: number
}

export class Scene {
  readonly nodes = new Map<string, SceneNode>()
  edges: SceneEdge[] = []
  leaving: Leaving[] = []
  /** Grows whenever a node comes, goes or moves. */
  revision = 0
  private graph: Graph = { nodes: [], edges: [] }
  private readonly nodeIndex = new SpatialIndex<SceneNode>(NODE_CELL)
  private readonly edgeIndex = new SpatialIndex<SceneEdge>(EDGE_CELL)

  /** Takes new numbers. Known nodes stay; new ones take the server's place or the first free cell below it. */
  update(graph: Graph, positions: Record<string, Point>, now: number): void {
    this.graph = graph
    const arriving = graph.nodes.filter(({ id }) => !this.nodes.has(id))
    this.forget(new Set(graph.nodes.map(({ id }) => id)), now)
    for (const data of graph.nodes) {
      const known = this.nodes.get(data.id)
      if (known) {
        known.data = data
        known.beside = isBeside(data)
      }
    }
    const first = this.nodes.size === 0
    for (const data of arriving) this.nodes.set(data.id, this.arrived(data, positions[data.id], first))
    this.connect(graph.edges)
    this.follow(this.nodes.values())
    if (arriving.length > 0) this.revision++
  }

  /** Nodes near a box of the world; a few outside it may be among them. */
  nodesIn(box: Box): Set<SceneNode> {
    return this.nodeIndex.near(box)
  }

  /** Edges near a box of the world; a few outside it may be among them. */
  edgesIn(box: Box): Set<SceneEdge> {
    return this.edgeIndex.near(box)
  }

  private arrived(data: MapNode, position: Point | undefined, first: boolean): SceneNode {
    const node: SceneNode = {
      data,
      x: data.x,
      y: data.y,
      dragged: position !== undefined,
      edges: [],
      beside: isBeside(data),
    }
    if (position) [node.x, node.y] = position
    else if (!first && !node.beside) this.makeRoom(node)
    this.nodeIndex.set(node, [nodeBox(node)])
    return node
  }

  private makeRoom(node: SceneNode): void {
    const taken = () => {
      const box = nodeBox(node)
      return [...this.nodeIndex.near(box)].some((other) => overlap(nodeBox(other), box))
    }
    for (let tries = 0; tries < 500 && taken(); tries++) node.y += ROW
  }

  private forget(staying: Set<string>, now: number): void {
    for (const [id, node] of this.nodes) {
      if (staying.has(id)) continue
      this.nodes.delete(id)
      this.nodeIndex.delete(node)
      this.revision++
      this.leaving.push({ node, since: now })
    }
  }

  /** How much of a leaving node is still to be seen. Drops those that are gone. */
  fading(now: number): { node: SceneNode; alpha: number }[] {
    this.leaving = this.leaving.filter(({ since }) => now - since < FADE_MS)
    return this.leaving.map(({ node, since }) => ({ node, alpha: 1 - (now - since) / FADE_MS }))
  }

  private connect(edges: MapEdge[]): void {
    const before = new Map(this.edges.map((edge) => [edge.data.id, edge]))
    const gone = new Set(this.edges)
    for (const node of this.nodes.values()) node.edges = []
    this.edges = []
    for (const data of edges) {
      const source = this.nodes.get(data.source)
      const target = this.nodes.get(data.target)
      if (!source || !target) continue
      const old = before.get(data.id)
      const known = old && old.source === source && old.target === target ? old : null
      const edge = known ?? newEdge(data, source, target)
      if (!known) this.edgeIndex.set(edge, boxesOf(edge))
      gone.delete(edge)
      edge.data = data
      this.edges.push(edge)
      source.edges.push(edge)
      if (target !== source) target.edges.push(edge)
    }
    for (const edge of gone) this.edgeIndex.delete(edge)
  }

  move(node: SceneNode, x: number, y: number): void {
    this.moveAll(new Map([[node, { x, y }]]))
    this.follow(node.edges.map(({ source }) => source))
  }

  /** Brings clients back to the side of their entries. */
  follow(nodes: Iterable<SceneNode>): void {
    const places = new Map<SceneNode, Placed>()
    for (const node of nodes) {
      const entry = node.beside ? this.nodes.get(node.data.drawn_with ?? '') : undefined
      if (!entry) continue
      const place = { x: entry.x + node.data.x - entry.data.x, y: entry.y + node.data.y - entry.data.y }
      if (!near(node, place)) places.set(node, place)
    }
    if (places.size > 0) this.moveAll(places)
  }

  /** Moves many nodes and reroutes each of their edges once. */
  moveAll(places: ReadonlyMap<SceneNode, Placed>): void {
    const touched = new Set<SceneEdge>()
    for (const [node, { x, y }] of places) {
      node.x = x
      node.y = y
      this.nodeIndex.set(node, [nodeBox(node)])
      for (const edge of node.edges) touched.add(edge)
    }
    for (const edge of touched) this.reroute(edge)
    this.revision++
  }

  private reroute(edge: SceneEdge): void {
    reroute(edge)
    this.edgeIndex.set(edge, boxesOf(edge))
  }

  /** Where the newest layout would put every node that the user has not placed. */
  arranged(): Map<SceneNode, Placed> {
    const places = new Map<SceneNode, Placed>()
    for (const data of this.graph.nodes) {
      const node = this.nodes.get(data.id)
      if (node && !node.dragged && !node.beside) places.set(node, { x: data.x, y: data.y })
    }
    return places
  }

  /** Takes over the newest bends; called when the nodes have reached their arranged places. */
  settle(): void {
    for (const edge of this.edges) {
      edge.bends = edge.data.bends
      edge.laidOut = ends(edge.source.data, edge.target.data)
      this.reroute(edge)
    }
    this.revision++
  }

  neighbours(node: SceneNode): Set<string> {
    return new Set([node.data.id, ...node.edges.flatMap((edge) => [edge.data.source, edge.data.target])])
  }
}

const ends = (source: Placed, target: Placed): [Placed, Placed] => [
  { x: source.x, y: source.y },
  { x: target.x, y: target.y },
]

function newEdge(data: MapEdge, source: SceneNode, target: SceneNode): SceneEdge {
  const laidOut = ends(source.data, target.data)
  const edge: SceneEdge = { data, source, target, bends: data.bends, laidOut, route: loop(source), line: [] }
  reroute(edge)
  return edge
}

/** The pieces of an edge as boxes: together much smaller than the box around a long curve. */
function boxesOf({ line }: SceneEdge): Box[] {
  const boxes: Box[] = []
  for (let i = 0; i + 1 < line.length; i += 3) {
    const part = line.slice(i, i + 4)
    const [xs, ys] = [part.map(([x]) => x), part.map(([, y]) => y)]
    boxes.push({
      left: Math.min(...xs) - 10,
      right: Math.max(...xs) + 10,
      top: Math.min(...ys) - 10,
      bottom: Math.max(...ys) + 10,
    })
  }
  return boxes
}

const near = (a: Placed, b: Placed) => Math.abs(a.x - b.x) < 1 && Math.abs(a.y - b.y) < 1

function reroute(edge: SceneEdge): void {
  const { source, target, laidOut } = edge
  const inPlace = near(source, laidOut[0]) && near(target, laidOut[1])
  if (source === target) edge.route = loop(source)
  else if (source.beside) edge.route = spoke(source, target)
  else edge.route = route(source, target, inPlace ? edge.bends : [], edge.data.back)
  edge.line = sampled(edge.route)
}
