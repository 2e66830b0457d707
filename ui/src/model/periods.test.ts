import { expect, test } from 'vitest'
import type { Graph, MapEdge, MapNode, PeriodComparison, SignificantChange } from '../api/types'
import { folded } from './fold'
import { node as mapNode } from './samples'
import { beginnings, nextPeriod, withPeriod } from './periods'

const change = (id: string, text: string, more: Partial<SignificantChange> = {}) =>
  ({ id, name: id.toUpperCase(), text, measure: 'fault', follows: null, ...more }) as SignificantChange
const figures = { requests: 4, ok: 3, error: 0, throttle: 0, fault: 1 }
const node = (id: string) => JSON.parse(`{"id":"${id}","then":${JSON.stringify(figures)}}`) as object
const found = {
  box_figures: [],
  lines: [],
  nodes: [node('a'), node('b')],
  edges: [
    { id: 'a:b', source: 'a', target: 'b' },
    { id: 'b:a', source: 'b', target: 'a' },
    { id: 'b:gone', source: 'b', target: 'gone' },
  ],
  changes: [
    change('b', 'faults 0 → 9 %', { trend: 'failing' }),
    change('b:a', 'vanished', { measure: 'vanished', trend: 'vanished' }),
    change('b', 'p90 1 → 2 ms', { trend: 'slower' }),
    change('b:gone', 'vanished', { measure: 'vanished', trend: 'vanished' }),
    change('a', 'faults 0 → 4 %', { trend: 'failing', follows: 'b' }),
  ],
} as unknown as PeriodComparison
const graph: Graph = {
  nodes: [{ id: 'a' }, { id: 'b' }] as MapNode[],
  edges: [{ id: 'a:b', source: 'a', target: 'b' }] as MapEdge[],
}

test('key C goes through the periods', () => {
  const next = [null, 'before', 'week', 'deployment', 'problem', '-3h'].map((each) => nextPeriod(each, false))
  expect(next).toEqual(['before', 'yesterday', 'deployment', 'problem', 'before', 'before'])
})

test('key C begins with the period before what is wrong', () => {
  expect([null, 'problem', 'before'].map((each) => nextPeriod(each, true))).toEqual([
    'problem',
    'before',
    'yesterday',
  ])
})

test('places where changes begin are listed once, with all their changes', () => {
  expect(beginnings(found).map(({ name, text }) => `${name}: ${text}`)).toEqual([
    'B: faults 0 → 9 %, p90 1 → 2 ms',
    'B:A: vanished',
    'B:GONE: vanished',
  ])
})

test('what differs says so, and vanished edges between nodes of the map are drawn', () => {
  const drawn = withPeriod(graph, found)
  expect(drawn.nodes.map(({ delta }) => [delta?.words, delta?.begins])).toEqual([
    ['Δ faults 0 → 4 %', false],
    ['Δ faults 0 → 9 % +1', true],
  ])
  expect(drawn.edges.map(({ id, trust }) => [id, Boolean(trust)])).toEqual([
    ['a:b', false],
    ['b:a', true],
  ])
})

const box = (id: string) => ({ id, box: { members: 9 } }) as MapNode

test('a box says how many of its members differ, the worst in words, and whether that begins in it', () => {
  const boxed = {
    ...found,
    changes: [
      change('cart', 'p90 1 → 2 ms', { trend: 'slower' }),
      change('catalog', 'faults 0.5 → 15 %', { trend: 'failing' }),
      change('catalog', 'p50 1 → 2 ms', { trend: 'slower' }),
      change('catalog:db', 'gone', { trend: 'vanished' }),
      change('gate', 'faults 0 → 3 %', { trend: 'failing', follows: 'catalog' }),
      change('client:gate', 'faults 0 → 3 %', { trend: 'failing', follows: 'catalog' }),
      change('elsewhere', 'faults 0 → 30 %', { trend: 'failing' }),
    ],
    boxes: { cart: 'shop', catalog: 'shop', 'catalog:db': 'shop', gate: 'front', 'client:gate': 'front' },
  } as unknown as PeriodComparison
  const drawn = withPeriod({ nodes: [box('shop'), box('front'), box('idle')], edges: [] }, boxed)
  expect(drawn.nodes.map(({ delta }) => [delta?.begins, delta?.words])).toEqual([
    [true, 'Δ 3 differ: CATALOG faults 0.5 → 15 %'],
    [false, 'Δ 1 follows: GATE faults 0 → 3 %'],
    [undefined, undefined],
  ])
  expect(drawn.nodes[2]?.rollout).toBeUndefined()
})

test('the worst of a box is among what begins there', () => {
  const changes = [
    change('a', 'faults 0 → 9 %', { trend: 'failing', follows: 'x' }),
    change('b', 'p50 1 → 2 ms', { trend: 'slower' }),
  ]
  const boxed = { ...found, changes, boxes: { a: 'one', b: 'one' } } as unknown as PeriodComparison
  const [only] = withPeriod({ nodes: [box('one')], edges: [] }, boxed).nodes
  expect([only?.delta?.words, only?.delta?.begins]).toEqual(['Δ 2 differ: B p50 1 → 2 ms', true])
})

const line = (id: string, changes: SignificantChange[]) => {
  const [source, target] = id.split(':')
  return { id, source, target, now: figures, changes }
}

test('a box has the states of then, and a line that differs a mark with the worst in words', () => {
  const boxed = {
    ...found,
    changes: [],
    boxes: {},
    box_figures: [
      { ...node('shop'), now: { ...figures, ok: 2, fault: 2 } },
      { id: 'new', now: figures },
    ],
    lines: [
      line('front:shop', [
        change('front:shop', 'p50 1 → 2 ms', { trend: 'slower' }),
        change('front:shop', 'faults 0 → 9 %', { trend: 'failing' }),
      ]),
      line('shop:new', [change('shop:new', 'faults 0 → 9 %', { trend: 'failing', follows: 'new' })]),
      line('new:front', [change('new:front', 'vanished', { trend: 'vanished' })]),
      line('new:elsewhere', [change('new:elsewhere', 'new', { trend: 'new' })]),
    ],
  } as unknown as PeriodComparison
  const edges = [
    { id: 'front:shop', source: 'front', target: 'shop' },
    { id: 'shop:new', source: 'shop', target: 'new' },
  ] as MapEdge[]
  const nodes = [box('shop'), box('front'), box('new')]
  const drawn = withPeriod({ nodes, edges }, boxed)
  expect(drawn.nodes.map(({ earlier }) => earlier?.fault)).toEqual([1, undefined, undefined])
  expect(drawn.edges.map(({ id, delta }) => [id, delta?.words])).toEqual([
    ['front:shop', 'Δ faults 0 → 9 % +1'],
    ['shop:new', undefined],
    ['new:front', 'Δ vanished'],
  ])
  const sides = withPeriod({ nodes, edges }, { ...boxed, by: 'version' })
  expect(sides.nodes[0]?.fault).toBe(2)
})

test('without a comparison the map is the same object', () => {
  expect(withPeriod(graph, null)).toBe(graph)
})

test('of a service and the function drawn with it, the difference that begins is shown', () => {
  const drawn = withPeriod({ nodes: [mapNode('a'), mapNode('b', { drawn_with: 'a' })], edges: [] }, found)
  expect(folded(drawn).graph.nodes.map(({ delta }) => delta?.words)).toEqual(['Δ faults 0 → 9 % +1'])
})
