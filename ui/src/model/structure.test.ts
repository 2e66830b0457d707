import { expect, test } from 'vitest'
import type { Graph, MapNode, Structure } from '../api/types'
import { pointWords, singlePoints, withPoints } from './structure'

const point = (id: string, only_through: number) => ({
  id,
  name: id,
  type: '',
  account: '',
  only_through,
  requests_lost: 10,
})
const structure = (...points: ReturnType<typeof point>[]) =>
  ({ single_points: points }) as unknown as Structure

test('what leads to one other service alone is not listed', () => {
  const found = singlePoints(structure(point('a', 3), point('b', 1)))
  expect(found.map(({ id }) => id)).toEqual(['a'])
  expect(pointWords(found[0]!)).toBe('3 services are reached through it alone, with 10 requests')
})

test('they are marked, beside what a node has already', () => {
  const rollout = { words: 'new version', paint: () => {} }
  const graph = {
    nodes: [{ id: 'a', rollout } as unknown as MapNode, { id: 'b' } as MapNode],
    edges: [],
  } as Graph
  const words = withPoints(graph, [point('a', 3)]).nodes.map((node) => node.rollout?.words)
  expect(words).toEqual(['3 services through it alone · new version', undefined])
  expect(withPoints(graph, [])).toBe(graph)
})
