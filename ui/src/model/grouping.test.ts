import { describe, expect, test } from 'vitest'
import { groupingOf, partOf, shownName, valueCondition, withValues } from './grouping'
import { edge, node } from './samples'

describe('what the map is split by', () => {
  test('is a dimension that the address names', () => {
    expect(groupingOf(new URLSearchParams('group_by=version'))).toBe('version')
    expect(groupingOf(new URLSearchParams('group_by=colour'))).toBeNull()
    expect(groupingOf(new URLSearchParams())).toBeNull()
  })
})

describe('a part of a node', () => {
  test('is called by the node and its value, or that it has none', () => {
    expect(shownName({ name: 'checkout', value: 'v2' }, 'version')).toBe('checkout · v2')
    expect(shownName({ name: 'checkout', value: '' }, 'version')).toBe('checkout · no version')
    expect(shownName({ name: 'checkout', value: null }, 'version')).toBe('checkout')
  })

  test('keeps the name of the node beside its own', () => {
    const graph = { nodes: [node('a', { value: '1' }), node('b')], edges: [edge('a', 'b')] }
    const { nodes, edges } = withValues(graph, 'version')
    expect(nodes.map(({ name, whole }) => [name, whole])).toEqual([
      ['a · 1', 'a'],
      ['b', undefined],
    ])
    expect(edges).toBe(graph.edges)
    expect(withValues(graph, null)).toBe(graph)
  })

  test('has an id of the node and the value', () => {
    expect(partOf('n0~Mi9iOn4')).toEqual({ whole: 'n0', value: '2/b:~' })
    expect(partOf('n0~w7w')).toEqual({ whole: 'n0', value: 'ü' })
    expect(partOf('n0~')).toEqual({ whole: 'n0', value: '' })
    expect(partOf('n0')).toBeNull()
    expect(partOf('n0~%')).toBeNull()
  })

  test('is a condition of the filter language', () => {
    expect(valueCondition('v"2', 'version')).toBe('version = "v\\"2"')
    expect(valueCondition('503', 'status')).toBe('http.status = 503')
    expect(valueCondition('', 'method')).toBe('!http.method')
    expect(valueCondition('', 'status')).toBe('!(http.status > 0)')
    expect(valueCondition(null, 'version')).toBe('')
    expect(valueCondition('v2', null)).toBe('')
  })
})
