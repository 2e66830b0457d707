import { expect, test } from 'vitest'
import type { TraceSummary } from '../api/types'
import { listWords, shownWords, unlisted } from './traceCounts'

test.each([
  [{ shown: 1, total: 1, counted_all: true }, '1 trace'],
  [{ shown: 812, total: 812, counted_all: true }, '812 traces'],
  [{ shown: 5000, total: 12_431, counted_all: true }, 'the newest 5,000 of 12,431 traces'],
  [{ shown: 5000, total: 25_000, counted_all: false }, 'the newest 5,000 of more than 25,000 traces'],
  [{ shown: 5000, total: 5000, counted_all: false }, 'the newest 5,000 traces'],
])('%o are %s', (counts, words) => {
  expect(shownWords(counts)).toBe(words)
})

const traces = (...units: (number | null)[]) =>
  units.map((units_there) => ({ units_there })) as TraceSummary[]

test.each([
  [traces(null), true, { total: 1, matching_units: null, sorted: null }, '1 trace'],
  [
    traces(null, null),
    false,
    { total: 4210, matching_units: null, sorted: null },
    '4,210 traces; the newest 2 are listed',
  ],
  [
    traces(null, null),
    false,
    { total: null, matching_units: null, sorted: null },
    'more than 2 traces; the newest are listed',
  ],
  [traces(1, 32), true, { total: 2, matching_units: 33, sorted: null }, '33 requests in 2 traces'],
  [traces(1), true, { total: 1, matching_units: 1, sorted: null }, '1 request in 1 trace'],
])('a list of %o says %o', (shown, isAll, first, words) => {
  expect(listWords(shown, isAll, first, null)).toBe(words)
})

test('a list that is not counted has the count of its chart, if that counted all', () => {
  const first = { total: null, matching_units: null, sorted: null }
  const chart = { shown: 5, total: 4210, counted_all: true }
  expect(listWords(traces(null), false, first, chart)).toBe('4,210 traces; the newest 1 are listed')
  const cut = { ...chart, counted_all: false }
  expect(listWords(traces(null), false, first, cut)).toBe('more than 1 trace; the newest are listed')
})

test('background work is not called requests', () => {
  const first = { total: 1, matching_units: 1, sorted: null }
  expect(listWords(traces(1), true, first, null, 'background')).toBe('1 unit of background work in 1 trace')
})

test('a list that is sorted by response time has the slowest', () => {
  const sorted = { total: 9, matching_units: null, sorted: { traces: 9, complete: true } }
  expect(listWords(traces(null), false, sorted, null)).toBe('9 traces; the slowest 1 are listed')
})

test('what the map counts and no trace has is said, once all traces are listed', () => {
  expect(unlisted(traces(1, 30), true, { total: 2, matching_units: 33, sorted: null })).toBe(2)
  expect(unlisted(traces(1, 30), false, { total: 9, matching_units: 33, sorted: null })).toBe(0)
  expect(unlisted(traces(null), true, { total: 1, matching_units: null, sorted: null })).toBe(0)
})
