import { expect, test } from 'vitest'
import type { Graph, MapNode } from '../api/types'
import { withOpenEnds } from './openEnds'

const node = (id: string) => ({ id }) as MapNode
const graph: Graph = { nodes: [node('a'), node('b'), node('c')], edges: [] }

test('only nodes at which an edge is missing have a stub', () => {
  const found = withOpenEnds(graph, [
    { node: 'a', calls: 1, requests: 0 },
    { node: 'b', calls: 0, requests: 1200 },
    { node: 'gone', calls: 1, requests: 0 },
  ])
  expect(found.nodes.map(({ openEnd }) => openEnd?.words)).toEqual([
    '1 call ends here',
    '1,200 requests without the parent',
    undefined,
  ])
})

test('a healthy map is the same object', () => {
  expect(withOpenEnds(graph, [])).toBe(graph)
})
