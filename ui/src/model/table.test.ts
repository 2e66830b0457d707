import { expect, test } from 'vitest'
import { node } from './samples'
import { matchingNodes } from './search'
import { DEFAULT_SORT, sortedBy, sortedNodes } from './table'

const nodes = [
  node('b', { traces_per_min: 5, x: 200 }),
  node('a', { traces_per_min: 9, ok: 8, fault: 2, x: 400 }),
  node('client', { kind: 'client', traces_per_min: null, ok: null, x: 0, type: 'client' }),
]
const ids = (list: { id: string }[]) => list.map(({ id }) => id)

test('rows sort by any column, and what is unknown goes last either way', () => {
  expect(ids(sortedNodes(nodes, { column: 'rate', descending: true }))).toEqual(['a', 'b', 'client'])
  expect(ids(sortedNodes(nodes, { column: 'rate', descending: false }))).toEqual(['b', 'a', 'client'])
  expect(ids(sortedNodes(nodes, { column: 'fault', descending: true }))).toEqual(['a', 'b', 'client'])
})

test('the unhealthy come first, then the busiest', () => {
  const mixed = [
    node('busy', { traces_per_min: 90, ok: 90 }),
    node('idle', { traces_per_min: 1, ok: 1 }),
    node('errors', { traces_per_min: 5, ok: 1, error: 9 }),
    node('throttled', { traces_per_min: 5, ok: 9, throttle: 1 }),
    node('faults', { traces_per_min: 2, ok: 8, fault: 2 }),
    node('dead', { traces_per_min: 2, ok: 0, fault: 10 }),
    node('client', { kind: 'client', traces_per_min: null, ok: null }),
  ]
  const order = ['dead', 'faults', 'throttled', 'errors', 'busy', 'idle', 'client']
  expect(ids(sortedNodes(mixed, DEFAULT_SORT))).toEqual(order)
  expect(ids(sortedNodes(mixed, { column: 'health', descending: false }))).toEqual(order.toReversed())
})

test('a second click turns the order; words begin with A', () => {
  expect(sortedBy(DEFAULT_SORT, 'health')).toEqual({ column: 'health', descending: false })
  expect(sortedBy(DEFAULT_SORT, 'name')).toEqual({ column: 'name', descending: false })
  expect(sortedBy(DEFAULT_SORT, 'p95')).toEqual({ column: 'p95', descending: true })
})

test('a search finds names and types, from left to right, and joins with a state', () => {
  expect(matchingNodes(nodes, '  ', null)).toBeNull()
  expect(ids(matchingNodes(nodes, 'LAMBDA', null) ?? [])).toEqual(['b', 'a'])
  expect(ids(matchingNodes(nodes, 'lambda', 'fault') ?? [])).toEqual(['a'])
  expect(matchingNodes(nodes, 'nothing', null)).toEqual([])
})
