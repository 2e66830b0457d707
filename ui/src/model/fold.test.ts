import { expect, test } from 'vitest'
import { folded, ringShares } from './fold'
import { edge, node } from './samples'

const pair = (over: Parameters<typeof node>[1] = {}) => [
  node('pay service', { type: 'AWS::Lambda', ok: 90, fault: 0, throttle: 10 }),
  node('pay', { drawn_with: 'pay service', ok: 95, fault: 5, ...over }),
]

test('a function is drawn with its service, whose calls are the service’s', () => {
  const graph = {
    nodes: [node('web'), ...pair(), node('table')],
    edges: [edge('web', 'pay service'), edge('pay service', 'pay'), edge('pay', 'table')],
  }
  const found = folded(graph)
  expect(found.graph.nodes.map(({ id }) => id)).toEqual(['web', 'pay service', 'table'])
  expect(found.graph.edges.map(({ id, source, target }) => [id, source, target])).toEqual([
    ['web:pay service', 'web', 'pay service'],
    ['pay:table', 'pay service', 'table'],
  ])
  expect(['pay', 'pay service:pay', 'pay:table', 'web'].map(found.drawnId)).toEqual([
    'pay service',
    'pay service',
    'pay:table',
    'web',
  ])
})

test('neither half hides what the other knows', () => {
  const [drawn] = folded({ nodes: pair(), edges: [] }).graph.nodes
  expect(ringShares(drawn!)).toEqual({ fault: 0.05, throttle: 0.1, error: 0, ok: 0.85, unknown: 0 })
  const [failing] = folded({ nodes: pair({ ok: 0, fault: 10 }), edges: [] }).graph.nodes
  const ring = ringShares(failing!)!
  expect(ring.ok).toBe(0)
  expect(ring.fault / ring.throttle).toBeCloseTo(10)
  expect(Object.values(ring).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1)
})

test('what the function alone has is seen on the pair', () => {
  const [service, inner] = pair()
  const rollout = { words: 'v41 90 % · v42 10 %', paint: () => undefined }
  const openEnd = { words: '2 calls end here', paint: () => undefined }
  const nodes = [service!, { ...inner!, rollout, openEnd, declared: 'undeclared' as const }]
  const [drawn] = folded({ nodes, edges: [] }).graph.nodes
  expect(drawn).toMatchObject({ id: 'pay service', rollout, openEnd, declared: 'undeclared' })
})

test('a pair is unhealthy if one of both is', () => {
  const found = folded({ nodes: pair(), edges: [] })
  const health = found.health({ unhealthy: new Set(['pay']), failing: new Set() })
  expect(health.unhealthy).toEqual(new Set(['pay service']))
})

test('a client beside its entry stays a node of the graph', () => {
  const graph = { nodes: [node('web'), node('client', { kind: 'client', drawn_with: 'web' })], edges: [] }
  expect(folded(graph).graph).toBe(graph)
})
