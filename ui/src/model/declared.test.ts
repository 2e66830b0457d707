import { describe, expect, test } from 'vitest'
import type { Comparison, DeclaredEdge, DeclaredNode, Status } from '../api/declared'
import type { Graph } from '../api/types'
import { comparedWindow, findingsOf, withDeclared } from './declared'
import { edge, node } from './samples'

function declared(id: string, status: Status, ids: string[] = []): DeclaredNode {
  const empty = { account: '', region: '', stacks: ['shop'], logical_id: id, why: '' }
  return { ...empty, id, ids, name: id, type: 'AWS::DynamoDB::Table', kind: 'table', status }
}

function call(source: string, target: string, status: Status): DeclaredEdge {
  const names = { source_name: source, target_name: target, stacks: ['shop'], why: '' }
  return { ...names, id: `${source}:${target}`, source, target, evidence: ['policy'], status }
}

function comparison(nodes: DeclaredNode[], edges: DeclaredEdge[] = []): Comparison {
  const counts = { seen: 0, never_seen: 0, undeclared: 0, unknown: 0 }
  return {
    from: 0,
    to: 1,
    traffic_since: 0,
    data_until: 1,
    incomplete: null,
    stacks: [],
    counts,
    nodes,
    edges,
  }
}

const graph: Graph = {
  nodes: [node('fn', { x: 100, y: 100 }), node('orders', { x: 300, y: 100 })],
  edges: [edge('fn', 'orders')],
}

describe('what was never seen', () => {
  test('is drawn beside its caller, where no node is', () => {
    const shown = withDeclared(
      graph,
      comparison([declared('gone', 'never_seen')], [call('fn', 'gone', 'never_seen')]),
    )
    const gone = shown.nodes.find(({ id }) => id === 'gone')
    expect([gone?.declared, gone?.x, gone?.y]).toEqual(['never_seen', 300, 228])
    expect(shown.edges.map((one) => [one.id, one.declared])).toEqual([
      ['fn:orders', undefined],
      ['fn:gone', 'never_seen'],
    ])
  })

  test('follows what is not seen itself, and else lies below everything', () => {
    const shown = withDeclared(
      graph,
      comparison(
        [declared('c', 'never_seen'), declared('b', 'never_seen'), declared('alone', 'never_seen')],
        [call('b', 'c', 'never_seen'), call('fn', 'b', 'never_seen')],
      ),
    )
    const places = Object.fromEntries(shown.nodes.map(({ id, x, y }) => [id, [x, y]]))
    expect(places['b']).toEqual([300, 228])
    expect(places['c']).toEqual([500, 228])
    expect((places['alone'] as number[])[1]).toBeGreaterThan(228 + 128)
  })

  test('is added to a part of a map only where it is joined to it', () => {
    const found = comparison([declared('alone', 'never_seen')])
    expect(withDeclared(graph, found, true).nodes).toHaveLength(2)
    expect(withDeclared(graph, found).nodes).toHaveLength(3)
  })

  test('never covers another node', () => {
    const many = Array.from({ length: 40 }, (_, at) => declared(`t${at}`, 'never_seen'))
    const calls = many.slice(20).map(({ id }) => call('fn', id, 'never_seen'))
    const { nodes } = withDeclared(graph, comparison(many, calls))
    const cells = new Set(nodes.map(({ x, y }) => `${x} ${y}`))
    expect(cells.size).toBe(nodes.length)
  })

  test('is not added when the map has it, and calls without ends are left out', () => {
    const found = comparison([declared('fn', 'never_seen')], [call('fn', 'nowhere', 'never_seen')])
    expect(withDeclared(graph, found)).toEqual(graph)
  })
})

test('what is undeclared is marked, by every id of it', () => {
  const found = comparison(
    [declared('orders', 'undeclared', ['orders', 'other'])],
    [call('fn', 'orders', 'undeclared')],
  )
  const shown = withDeclared(graph, found)
  expect(shown.nodes.map((one) => one.declared)).toEqual([undefined, 'undeclared'])
  expect(shown.edges.map((one) => one.declared)).toEqual(['undeclared'])
})

test('what is known of a node or an edge', () => {
  const found = comparison([declared('fn', 'seen', ['fn', 'service'])], [call('fn', 'orders', 'seen')])
  expect(findingsOf(found, 'service')).toHaveLength(1)
  expect(findingsOf(found, 'fn:orders')).toHaveLength(1)
  expect(findingsOf(found, 'nothing')).toEqual([])
})

test('the window is a day at the least, to whole minutes', () => {
  expect(comparedWindow({ from: 100_000, to: 100_030 })).toEqual({ from: 100_080 - 86_400, to: 100_080 })
  expect(comparedWindow({ from: 0, to: 600_000 })).toEqual({ from: 0, to: 600_000 })
})
