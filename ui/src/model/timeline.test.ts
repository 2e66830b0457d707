import { expect, test } from 'vitest'
import type { TraceRow } from '../api/types'
import { row } from './samples'
import {
  ancestors,
  barPlace,
  failuresInside,
  firstFault,
  indentFor,
  ticks,
  visibleRows,
  wholeSpan,
  windowed,
  zoomedSpan,
} from './timeline'

const tree = [
  row('a'),
  row('b', { parent: 'a', depth: 1 }),
  row('c', { parent: 'b', depth: 2 }),
  row('d', { parent: 'a', depth: 1 }),
]

test('a fold hides everything under it and nothing else', () => {
  expect(visibleRows(tree, new Set(['b'])).map(({ row: { id } }) => id)).toEqual(['a', 'b', 'd'])
  expect(visibleRows(tree, new Set(['a'])).map(({ row: { id } }) => id)).toEqual(['a'])
  expect(visibleRows(tree, new Set()).map(({ hasChildren }) => hasChildren)).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('a deep tree is indented less', () => {
  expect(indentFor(tree, 150)).toBe(14)
  expect(indentFor([row('a', { depth: 18 })], 150)).toBe(8)
  expect(indentFor([row('a', { depth: 200 })], 150)).toBe(3)
  expect(indentFor([], 150)).toBe(14)
})

test('a row’s ancestors are what must unfold', () => {
  expect(ancestors(tree, 'c')).toEqual(['b', 'a'])
  expect(ancestors(tree, 'a')).toEqual([])
})

test('the deepest fault comes first; throttles and errors only without a fault', () => {
  const rows = [
    row('a', { status: 'fault' }),
    row('b', { parent: 'a', depth: 1, status: 'fault' }),
    row('c', { parent: 'b', depth: 2, status: 'error' }),
  ]
  expect(firstFault(rows)?.id).toBe('b')
  expect(firstFault([row('a', { status: 'error' })])?.id).toBe('a')
  expect(firstFault([row('a')])).toBeNull()
})

test('the first fault is where the exception was raised, not its inferred copy or a caller', () => {
  const failing = (id: string, parent: string | null, start_ms: number, over: Partial<TraceRow> = {}) =>
    row(id, { parent, start_ms, status: 'fault', ...over })
  const rows = [
    failing('function', null, 0, { exception: 'TaskTimedOut' }),
    failing('early', 'function', 10, { exception: '' }),
    failing('call', 'function', 40, { depth: 1, exception: 'TaskTimedOut' }),
    failing('copy', 'call', 40, { depth: 2, kind: 'inferred' }),
    failing('later', 'function', 50, { depth: 1, exception: 'HTTPError' }),
  ]
  expect(firstFault(rows)?.id).toBe('call')
  const silent = rows.map((each) => ({ ...each, exception: '' }))
  expect(firstFault(silent)?.id).toBe('early')
  expect(firstFault([failing('only', null, 0, { kind: 'inferred' })])?.id).toBe('only')
})

test.each([
  [0, 1840],
  [0, 1],
  [0, 0.003],
  [3, 7.7],
  [-20, 90_000],
])('between %s and %s there are a few round ticks', (start, end) => {
  const found = ticks({ start, end })
  expect(found.length).toBeGreaterThanOrEqual(3)
  expect(found.length).toBeLessThanOrEqual(9)
  expect(found[0]).toBeGreaterThanOrEqual(start)
  expect(found.at(-1)).toBeLessThanOrEqual(end)
})

test('a span covers rows that begin early or end late', () => {
  expect(wholeSpan([row('a', { start_ms: -5 }), row('b', { start_ms: 90, duration_ms: 40 })], 100)).toEqual({
    start: -5,
    end: 130,
  })
  expect(wholeSpan([], 0)).toEqual({ start: 0, end: 1 })
})

test('bars are cut to what is shown; one in progress runs to the end', () => {
  const shown = { start: 50, end: 150 }
  expect(barPlace(row('a', { start_ms: 0, duration_ms: 100 }), shown)).toEqual({
    left: 0,
    width: 50,
    outside: false,
  })
  expect(barPlace(row('a', { start_ms: 100, duration_ms: null }), shown)).toEqual({
    left: 50,
    width: 50,
    outside: false,
  })
  expect(barPlace(row('a', { start_ms: 0, duration_ms: 10 }), shown).outside).toBe(true)
})

test('zooming keeps the point under the pointer and stays within the trace', () => {
  const whole = { start: 0, end: 100 }
  expect(zoomedSpan(whole, whole, 0.5, 50)).toEqual({ start: 25, end: 75 })
  expect(zoomedSpan({ start: 25, end: 75 }, whole, 4, 50)).toEqual(whole)
})

test('a window of rows covers what is in sight', () => {
  expect(windowed(10_000, 24, 2400, 240, 5)).toEqual({ from: 95, to: 115 })
  expect(windowed(10, 24, 0, 240)).toEqual({ from: 0, to: 10 })
})

test('failures inside are those worse than the trace itself', () => {
  const rows = ['fault', 'fault', 'error', 'ok', 'throttle'].map((status, i) =>
    row(String(i), { status: status as 'ok' }),
  )
  expect(failuresInside(rows, 'ok')).toEqual([
    ['fault', 2],
    ['throttle', 1],
    ['error', 1],
  ])
  expect(failuresInside(rows, 'error')).toEqual([
    ['fault', 2],
    ['throttle', 1],
  ])
  expect(failuresInside(rows, 'fault')).toEqual([])
})
