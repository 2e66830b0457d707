import { expect, test } from 'vitest'
import type { MapEdge, MapNode } from '../api/types'
import { alignedWith, byDifference, comparisonOf, pairsOf, shift, slowdown } from './comparison'
import type { Choice } from './scope'

function node(id: string, more: Partial<MapNode> = {}): MapNode {
  return {
    id,
    name: id,
    type: 'service',
    x: 0,
    y: 0,
    ok: 1,
    error: 0,
    throttle: 0,
    fault: 0,
    ...more,
  } as MapNode
}

function edge(source: string, target: string, bends: MapEdge['bends']): MapEdge {
  return { id: `${source}:${target}`, source, target, bends } as MapEdge
}

const ENVIRONMENTS: Choice = { key: 'environment', label: 'Environment', values: ['prod', 'staging', 'dev'] }
const ACCOUNTS: Choice = { key: 'account', label: 'Account', values: ['1', '2'] }

test('an address that says nothing compares the two values that come first', () => {
  const found = comparisonOf(new URLSearchParams(), [ENVIRONMENTS, ACCOUNTS])
  expect(found).toEqual({ by: 'environment', left: 'prod', right: 'staging' })
})

test('what is selected is the left side', () => {
  const found = comparisonOf(new URLSearchParams('environment=staging'), [ENVIRONMENTS])
  expect(found).toEqual({ by: 'environment', left: 'staging', right: 'prod' })
})

test('an address decides, also about what the window does not have', () => {
  const found = comparisonOf(new URLSearchParams('by=account&left=2&right=7'), [ENVIRONMENTS, ACCOUNTS])
  expect(found).toEqual({ by: 'account', left: '2', right: '7' })
})

test('two accounts are compared where the environment of the address is the only one', () => {
  const one = { ...ENVIRONMENTS, values: ['prod'] }
  const found = comparisonOf(new URLSearchParams('by=environment&environment=prod'), [one, ACCOUNTS])
  expect(found).toEqual({ by: 'account', left: '1', right: '2' })
})

test('there is nothing to compare with one value', () => {
  expect(comparisonOf(new URLSearchParams(), [{ ...ENVIRONMENTS, values: ['prod'] }])).toBeNull()
  expect(comparisonOf(new URLSearchParams('by=nonsense'), [])).toBeNull()
})

test('nodes are paired by id, and by name across accounts', () => {
  const found = pairsOf(
    [node('a'), node('b1', { name: 'b' }), node('c')],
    [node('a'), node('b2', { name: 'b' }), node('d')],
  )
  expect(found.map(({ left, right }) => [left?.id, right?.id])).toEqual([
    ['a', 'a'],
    ['b1', 'b2'],
    ['c', undefined],
    [undefined, 'd'],
  ])
})

test('a name that several nodes have pairs none of them, and a type tells them apart', () => {
  const several = pairsOf([node('b1', { name: 'b' })], [node('b2', { name: 'b' }), node('b3', { name: 'b' })])
  expect(several).toHaveLength(3)
  const typed = pairsOf(
    [node('b1', { name: 'b' })],
    [node('b2', { name: 'b' }), node('b3', { name: 'b', type: 'AWS::SQS::Queue' })],
  )
  expect(typed.map(({ left, right }) => [left?.id, right?.id])).toEqual([
    ['b1', 'b2'],
    [undefined, 'b3'],
  ])
})

test('partners are drawn at one place, with the bends of the left edge', () => {
  const left = {
    nodes: [node('a', { x: 1, y: 2 }), node('b1', { name: 'b', x: 3, y: 4 })],
    edges: [edge('a', 'b1', [[7, 7]])],
  }
  const right = {
    nodes: [node('a', { x: 9 }), node('b2', { name: 'b', x: 9 }), node('c', { x: 5, y: 6 })],
    edges: [edge('a', 'b2', [[8, 8]]), edge('b2', 'c', [[8, 8]]), edge('c', 'c', [[8, 8]])],
  }
  const drawn = alignedWith(left, right, pairsOf(left.nodes, right.nodes))
  expect(drawn.nodes.map(({ x, y }) => [x, y])).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
  expect(drawn.edges.map(({ bends }) => bends)).toEqual([[[7, 7]], [], [[8, 8]]])
})

test('differences are right minus left, and unknown where a side has no requests', () => {
  const [both] = pairsOf(
    [node('a', { ok: 9, fault: 1, avg_ms: 20 })],
    [node('a', { ok: 5, fault: 5, avg_ms: 50 })],
  )
  expect(shift(both!, 'fault')).toBeCloseTo(0.4)
  expect(slowdown(both!)).toBeCloseTo(2.5)
  const [idle] = pairsOf([node('a', { ok: 0 })], [node('a')])
  expect(shift(idle!, 'fault')).toBeNull()
})

test('what is on one side alone comes first, then what fails more, then what is slower', () => {
  const left = [node('same'), node('slow', { avg_ms: 10 }), node('bad'), node('only')]
  const right = [node('same'), node('slow', { avg_ms: 90 }), node('bad', { ok: 1, throttle: 1 })]
  expect(byDifference(pairsOf(left, right)).map(({ name }) => name)).toEqual(['only', 'bad', 'slow', 'same'])
})
