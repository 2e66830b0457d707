import { describe, expect, test } from 'vitest'
import { node, row } from './samples'
import { mainRow, nodeOf, rowsOf } from './traceNodes'

const shop = node('shop', { type: 'AWS::Lambda::Function' })
const lambda = node('shop-invocation', { name: 'shop', type: 'AWS::Lambda' })
const table = node('Orders', { type: 'AWS::DynamoDB::Table', kind: 'table' })
const caller = node('shop client', { name: 'shop', kind: 'client' })
const rows = [
  row('1', { name: 'shop', type: 'AWS::Lambda' }),
  row('2', { name: 'shop', type: 'AWS::Lambda::Function' }),
  row('3', { name: 'Orders', kind: 'subsegment', service: 'shop' }),
  row('4', { name: '## validate', kind: 'subsegment', service: 'shop' }),
  row('5', { name: 'Orders', kind: 'inferred', type: 'AWS::DynamoDB::Table', status: 'throttle' }),
  row('6', { name: 'Orders', kind: 'inferred', type: 'AWS::DynamoDB::Table' }),
]
const trace = { map: { nodes: [caller, lambda, shop, table], edges: [] }, rows }
const ids = (found: { id: string }[]) => found.map(({ id }) => id)

describe('rows of a node', () => {
  test('are distinguished by type where names are equal', () => {
    expect(ids(rowsOf(shop, rows))).toEqual(['2'])
    expect(ids(rowsOf(lambda, rows))).toEqual(['1'])
  })

  test('are those its callers recorded when it reported nothing', () => {
    expect(ids(rowsOf(table, rows))).toEqual(['5', '6'])
    expect(rowsOf(caller, rows)).toEqual([])
  })

  test('open at the one that failed', () => {
    expect(mainRow(rowsOf(table, rows))?.id).toBe('5')
    expect(mainRow([])).toBeNull()
  })
})

test('a subsegment belongs to the node of its segment', () => {
  expect(nodeOf(rows[3]!, trace)?.name).toBe('shop')
  expect(nodeOf(rows[5]!, trace)).toBe(table)
})
