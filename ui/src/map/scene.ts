// The drawn graph over time: a refresh changes numbers, never the place of a node that is already known.

import type { Graph, MapEdge, MapNode, Point } from '../api/types'
import { loop, nodeBox, overlap, route, sampled, type Placed, type Route } from './geometry'

const ROW = 128
const FADE_MS = 300

export interface SceneNode {
  data: MapNode
  x: number
  y: number
  dragged: boolean
  edges: SceneEdge[]
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
}

export interface Leaving {
  node: SceneNode
  since: number
}

export class Scene {
  readonly nodes = new Map<string, SceneNode>()
  edges: SceneEdge[] = []
  leaving: Leaving[] = []
  private graph: Graph = { nodes: [], edges: [] }

  /** Takes new numbers. Known nodes stay; new ones take the server's place or the first free cell below it. */
  update(graph: Graph, positions: Record<string, Point>, now: number): void {
    this.graph = graph
    const arriving = graph.nodes.filter(({ id }) => !this.nodes.has(id))
    this.forget(new Set(graph.nodes.map(({ id }) => id)), now)
    for (const data of graph.nodes) {
      const known = this.nodes.get(data.id)
      if (known) known.data = data
    }
    const first = this.nodes.size === 0
    for (const data of arriving) this.nodes.set(data.id, this.arrived(data, positions[data.id], first))
    this.connect(graph.edges)
  }

  private arrived(data: MapNode, position: Point | undefined, first: boolean): SceneNode {
    const node: SceneNode = { data, x: data.x, y: data.y, dragged: position !== undefined, edges: [] }
    if (position) [node.x, node.y] = position
    else if (!first) this.makeRoom(node)
    return node
  }

  private makeRoom(node: SceneNode): void {
    const taken = () => [...this.nodes.values()].some((other) => overlap(nodeBox(other), nodeBox(node)))
    for (let tries = 0; tries < 500 && taken(); tries++) node.y += ROW
  }

  private forget(staying: Set<string>, now: number): void {
    for (const [id, node] of this.nodes) {
      if (staying.has(id)) continue
      this.nodes.delete(id)
      this.leaving.push({ node, since: now })
    }
  }

  /** How much of a leaving node is still to be seen. Drops those that are gone. */
  fading(now: number): { node: SceneNode; alpha: number }[] {
    this.leaving = this.leaving.filter(({ since }) => now - since < FADE_MS)
    return this.leaving.map(({ node, since }) => ({ node, alpha: 1 - (now - since) / FADE_MS }))
  }

  private connect(edges: MapEdge[]): void {
    const known = new Map(this.edges.map((edge) => [edge.data.id, edge]))
    for (const node of this.nodes.values()) node.edges = []
    this.edges = []
    for (const data of edges) {
      const source = this.nodes.get(data.source)
      const target = this.nodes.get(data.target)
      if (!source || !target) continue
      const old = known.get(data.id)
      const edge = old && old.source === source && old.target === target ? old : newEdge(data, source, target)
      edge.data = data
      this.edges.push(edge)
      source.edges.push(edge)
      if (target !== source) target.edges.push(edge)
    }
  }

  move(node: SceneNode, x: number, y: number): void {
    node.x = x
    node.y = y
    node.edges.forEach(reroute)
  }

  /** Where the newest layout would put every node that the user has not placed. */
  arranged(): Map<SceneNode, Placed> {
    const places = new Map<SceneNode, Placed>()
    for (const data of this.graph.nodes) {
      const node = this.nodes.get(data.id)
      if (node && !node.dragged) places.set(node, { x: data.x, y: data.y })
    }
    return places
  }

  /** Takes over the newest bends; called when the nodes have reached their arranged places. */
  settle(): void {
    for (const edge of this.edges) {
      edge.bends = edge.data.bends
      edge.laidOut = ends(edge.source.data, edge.target.data)
      reroute(edge)
    }
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

const near = (a: Placed, b: Placed) => Math.abs(a.x - b.x) < 1 && Math.abs(a.y - b.y) < 1

function reroute(edge: SceneEdge): void {
  const { source, target, laidOut } = edge
  const inPlace = near(source, laidOut[0]) && near(target, laidOut[1])
  edge.route =
    source === target ? loop(source) : route(source, target, inPlace ? edge.bends : [], edge.data.back)
  edge.line = sampled(edge.route)
}
