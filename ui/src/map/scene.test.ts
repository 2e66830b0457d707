import { expect, test } from 'vitest'
import { edge, node } from '../model/samples'
import { nodeBox, overlap } from './geometry'
import { Scene } from './scene'

const NO_PINS = {}

function scene(...graphs: Parameters<Scene['update']>[0][]): Scene {
  const made = new Scene()
  graphs.forEach((graph, index) => made.update(graph, NO_PINS, index * 1000))
  return made
}

test('a refresh changes numbers and moves nothing', () => {
  const made = scene(
    { nodes: [node('a'), node('b', { x: 200 })], edges: [edge('a', 'b')] },
    {
      nodes: [node('b', { x: 0, y: 512, avg_ms: 99 }), node('a', { x: 600 })],
      edges: [edge('a', 'b', { bends: [[9, 9]] })],
    },
  )
  const { x, y, data } = made.nodes.get('b')!
  expect([x, y, data.avg_ms]).toEqual([200, 0, 99])
  expect(made.edges[0]!.bends).toEqual([])
})

test('a new node takes the server’s place, or the first free one below', () => {
  const made = scene(
    { nodes: [node('a')], edges: [] },
    { nodes: [node('a'), node('free', { x: 200 }), node('clash')], edges: [] },
  )
  expect(made.nodes.get('free')).toMatchObject({ x: 200, y: 0 })
  const clash = made.nodes.get('clash')!
  expect(clash.x).toBe(0)
  const others = [...made.nodes.values()].filter((one) => one !== clash)
  for (const other of others) expect(overlap(nodeBox(clash), nodeBox(other))).toBe(false)
})

test('a client beside its entry follows it, and takes no row', () => {
  const client = node('web client', { kind: 'client', drawn_with: 'web', x: 116 })
  const made = scene({
    nodes: [node('web', { x: 200 }), client],
    edges: [edge('web client', 'web')],
  })
  made.move(made.nodes.get('web')!, 500, 300)
  expect(made.nodes.get('web client')).toMatchObject({ x: 416, y: 300, beside: true })
  const [spoke] = made.edges
  expect(spoke!.route.start[0]).toBeGreaterThan(416)
  expect(spoke!.route.heading).toEqual([1, 0])
  expect(made.arranged().has(made.nodes.get('web client')!)).toBe(false)
})

test('a node that is gone fades and is forgotten', () => {
  const made = scene(
    { nodes: [node('a'), node('b')], edges: [edge('a', 'b')] },
    { nodes: [node('a')], edges: [] },
  )
  expect(made.edges).toEqual([])
  expect(made.fading(1150)[0]!.alpha).toBeCloseTo(0.5)
  expect(made.fading(1400)).toEqual([])
})

test('a pin outranks the server, also when things are arranged again', () => {
  const made = new Scene()
  made.update({ nodes: [node('a'), node('b', { x: 200 })], edges: [] }, { b: [77, 88] }, 0)
  expect(made.nodes.get('b')).toMatchObject({ x: 77, y: 88 })
  expect([...made.arranged().keys()].map(({ data }) => data.id)).toEqual(['a'])
})

test('bends are left out once an end has been moved, and come back with it', () => {
  const made = scene({
    nodes: [node('a'), node('b', { x: 400 })],
    edges: [edge('a', 'b', { bends: [[200, 64]] })],
  })
  const [line] = made.edges
  expect(line!.route.pieces).toHaveLength(2)
  made.move(made.nodes.get('b')!, 400, 90)
  expect(line!.route.pieces).toHaveLength(1)
  made.move(made.nodes.get('b')!, 400, 0)
  expect(line!.route.pieces).toHaveLength(2)
})

test('edges to unknown nodes are not drawn; neighbours are those at either end', () => {
  const made = scene({
    nodes: [node('a'), node('b'), node('c')],
    edges: [edge('a', 'b'), edge('c', 'a'), edge('a', 'x')],
  })
  expect(made.edges).toHaveLength(2)
  expect([...made.neighbours(made.nodes.get('a')!)].sort()).toEqual(['a', 'b', 'c'])
  expect([...made.neighbours(made.nodes.get('b')!)].sort()).toEqual(['a', 'b'])
})
