import { describe, expect, test } from 'vitest'
import { parseRange, rangeParams, stepped, windowOf, DEFAULT_PRESET } from './range'
import { normalTraceId } from './traceId'
import {
  changed,
  edgeEnds,
  fixedLink,
  href,
  parseFocus,
  parseRoute,
  parseStatuses,
  parseView,
  viewText,
} from './url'

const query = (text: string) => new URLSearchParams(text)

test('paths lead to pages', () => {
  expect(parseRoute('/')).toEqual({ page: 'map' })
  expect(parseRoute('/map')).toEqual({ page: 'map' })
  expect(parseRoute('/traces')).toEqual({ page: 'traces' })
  expect(parseRoute('/traces/1-5f-a')).toEqual({ page: 'trace', id: '1-5f-a' })
  expect(parseRoute('/shares')).toEqual({ page: 'shares' })
  expect(parseRoute('/else').page).toBe('unknown')
})

describe('range', () => {
  test('a preset moves with the clock, fixed instants do not', () => {
    expect(windowOf(parseRange(query('range=1h')), 10_000)).toEqual({ from: 6360, to: 10_000 })
    expect(windowOf(parseRange(query('from=5&to=9.5')), 10_000)).toEqual({ from: 5, to: 9.5 })
  })
  test.each(['', 'range=2y', 'from=9&to=5', 'from=x&to=5', 'from=5'])(
    '%s falls back to the default',
    (text) => {
      expect(parseRange(query(text))).toEqual({ kind: 'live', preset: DEFAULT_PRESET })
    },
  )
  test('what is written is what is read', () => {
    for (const text of ['range=24h', 'from=5&to=9']) {
      const range = parseRange(query(text))
      expect(parseRange(changed(query('range=5m'), rangeParams(range)))).toEqual(range)
    }
  })
  test('a step moves by the window’s own length', () => {
    expect(stepped({ from: 100, to: 160 }, -1)).toEqual({ kind: 'fixed', from: 40, to: 100 })
    expect(stepped({ from: 100, to: 160 }, 1)).toEqual({ kind: 'fixed', from: 160, to: 220 })
  })
})

test('a viewport survives the address', () => {
  expect(parseView(viewText({ x: 120.4, y: -33.6, k: 0.7512 }))).toEqual({ x: 120, y: -34, k: 0.751 })
  for (const text of [null, '', '1,2', 'a,b,c', '1,2,0', '1,2,-3']) expect(parseView(text)).toBeNull()
})

test('focus, statuses and edges are read with care', () => {
  expect(parseFocus(query('focus=n1&hops=9'))).toEqual({ id: 'n1', hops: 1 })
  expect(parseFocus(query('hops=2'))).toBeNull()
  expect(parseStatuses('fault,nonsense,ok')).toEqual(['fault', 'ok'])
  expect(edgeEnds('n1:n2')).toEqual(['n1', 'n2'])
  expect(edgeEnds('n1')).toBeNull()
})

test('a link to what is on the screen has its instants', () => {
  const link = fixedLink('https://raymap/map?range=5m&sel=n1', { from: 60, to: 120 })
  expect(link).toBe('https://raymap/map?sel=n1&from=60&to=120')
})

test('links keep colons readable and drop what is empty', () => {
  expect(href('/traces', { edge: 'a:b', node: null, status: '' })).toBe('/traces?edge=a:b')
})

test('trace ids in both forms, and out of a header', () => {
  const id = '1-5759e988-bd862e3fe1be46a994272793'
  for (const text of [
    id,
    ` ${id.toUpperCase()} `,
    '5759e988bd862e3fe1be46a994272793',
    `Root=${id};Parent=53995c3f42cd8ad8`,
  ]) {
    expect(normalTraceId(text)).toBe(id)
  }
  for (const text of ['', '1-5759e988', 'hello', `${id}0`]) expect(normalTraceId(text)).toBeNull()
})
