import { expect, test } from 'vitest'
import { nameIn } from './names'
import { node } from './samples'

test('a name comes from the first graph that has the node', () => {
  const graphs = [{ nodes: [node('a')] }, { nodes: [{ ...node('b'), name: 'orders' }] }]
  expect(nameIn(graphs, 'b')).toBe('orders')
  expect(nameIn(graphs, 'c')).toBeUndefined()
})
