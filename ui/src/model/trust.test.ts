import { expect, test } from 'vitest'
import type { Doubt, Graph, MapNode, PlaceTrust } from '../api/types'
import { marked, withTrust } from './trust'

const doubt = (trust: Doubt['trust'], status: Doubt['status'] = null) => ({ trust, status }) as Doubt
const place = (id: string, ...doubts: Doubt[]) => ({ id, doubts }) as PlaceTrust
const node = (id: string) => ({ id }) as MapNode
const graph: Graph = { nodes: [node('a'), node('b'), node('c')], edges: [] }

test('the gravest doubt that the drawing does not show otherwise is marked', () => {
  expect(marked(place('a'))).toBeNull()
  expect(marked(place('a', doubt('scaled')))).toBeNull()
  expect(marked(place('a', doubt('partial', 'ok')))).toBeNull()
  expect(marked(place('a', doubt('partial', 'in_progress'), doubt('skewed')))).toBe('partial')
  expect(marked(place('a', doubt('skewed'), doubt('scaled')))).toBe('skewed')
})

test('nodes without a doubt have no mark, and an exact map is the same object', () => {
  const found = withTrust(graph, { nodes: [place('b', doubt('skewed'))], edges: [] })
  expect(found.nodes.map(({ trust }) => trust?.words)).toEqual([undefined, 'clock off', undefined])
  expect(withTrust(graph, { nodes: [place('b', doubt('scaled'))], edges: [] })).toBe(graph)
  expect(withTrust(graph, undefined)).toBe(graph)
})
