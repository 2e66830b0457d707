import { describe, expect, test } from 'vitest'
import type { Problem } from '../api/types'
import {
  changeWords,
  glyph,
  lastWords,
  noneWords,
  behindWords,
  nodesOf,
  numbers,
  place,
  reach,
  sparkline,
  when,
  windowOf,
} from './problems'

const node = (name: string, type = '') => ({ id: `n-${name}`, name, type, account: '' })
const SINCE = new Date(2026, 10, 24, 9, 38).getTime() / 1000
const FAILING: Problem = {
  id: 'p1',
  state: 'active',
  text: '✕ payments fails',
  since: SINCE,
  ended: null,
  updated: SINCE + 300,
  origin: node('payments'),
  source: null,
  origin_from: 'traces',
  failures_begin_at: null,
  measure: 'fault',
  usual: 0.003,
  now: 0.095,
  entries: [node('shop')],
  callers: [node('checkout'), node('orders'), node('cart')],
  clients: { ok: 90, fault: 10, total: 100 },
  requests: { ok: 90, fault: 10, total: 100 },
  exception: { name: 'CardDeclined', traces: 9, read: 10, new: true },
  changes: [{ kind: 'deployment', at: SINCE - 120, what: 'deployment of payments v2' }],
  series: { start: SINCE - 600, step: 60, values: [0, null, 0.1, 0.2] },
  traces: '/api/v1/traces',
  muted_until: null,
}
const of = (change: Partial<Problem>): Problem => ({ ...FAILING, ...change })

describe('a line', () => {
  test('says what, since when, whom it reaches and what changed', () => {
    expect(glyph(FAILING)).toBe('✕')
    expect(place(FAILING)).toBe('payments')
    expect(numbers(FAILING)).toBe('faults 0.3 → 9.5 %')
    expect(when(FAILING)).toBe('since 09:38')
    expect(reach(FAILING)).toBe('affects shop, checkout, orders and 1 more')
    expect(changeWords(FAILING)).toBe('2 min after deployment of payments v2')
    expect(when(of({ ended: SINCE + 360 }))).toBe('09:38 to 09:44')
  })

  test.each([
    [-1, '1 min after'],
    [0, 'with'],
    [59, 'with'],
    [60, '1 min before'],
  ])('what changed %i s from its minute on', (seconds, words) => {
    const change = { ...FAILING.changes[0]!, at: SINCE + seconds }
    expect(changeWords(of({ changes: [change] }))).toBe(`${words} deployment of payments v2`)
  })

  test('of slowness and calls', () => {
    expect(numbers(of({ measure: 'p90', usual: 12_000, now: 340_000 }))).toBe('p90 12 → 340 ms')
    expect(numbers(of({ measure: 'p50', usual: 12_000, now: 3_400_000 }))).toBe('p50 12 ms → 3.40 s')
    const calls = of({ measure: 'drop', usual: 31, now: 0, source: node('orders') })
    expect([place(calls), glyph(calls), numbers(calls)]).toEqual([
      'orders → payments',
      '⇣',
      'no calls of 31 a minute',
    ])
    expect(numbers(of({ measure: 'surge', usual: 10, now: 31 }))).toBe('calls ×3.1 per request')
    const entry = of({ measure: 'drop', usual: 31, now: 10, source: node('client', 'client') })
    expect([place(entry), numbers(entry)]).toEqual(['payments', 'calls 31 → 10 a minute'])
  })

  test('of a problem that reaches no other node', () => {
    expect(reach(of({ entries: [], callers: [] }))).toBe('')
    expect(changeWords(of({ changes: [] }))).toBe('')
  })
})

test('the last problem', () => {
  expect(lastWords(of({ ended: SINCE + 360 }))).toBe('last problem 09:38, 6 min')
  expect(lastWords(undefined)).toBe('')
})

test('its nodes and its time', () => {
  expect([...nodesOf(FAILING)]).toEqual(['n-payments', 'n-shop', 'n-checkout', 'n-orders', 'n-cart'])
  expect(windowOf(FAILING, SINCE + 100.5)).toEqual({ from: SINCE - 600, to: SINCE + 101 })
  expect(windowOf(of({ ended: SINCE + 60 }), SINCE + 9_000).to).toBe(SINCE + 360)
})

test('a sparkline has gaps where there were no requests', () => {
  expect(sparkline(FAILING)).toEqual([
    [[0, 1]],
    [
      [2 / 3, 0.5],
      [1, 0],
    ],
  ])
  expect(sparkline(of({ series: null }))).toEqual([])
})

test('nothing is called usual in the first hour, nor before anything was judged', () => {
  const counted = (minutes: number, judged_until: number | null) => ({
    minutes_counted: minutes,
    minutes_needed: 60,
    judged_until,
    to: SINCE,
  })
  expect(noneWords(counted(59, null))).toBe('Learning what is usual: 59 of 60 minutes')
  expect(noneWords(counted(60, SINCE))).toBe('Nothing unusual')
  expect(noneWords(counted(60, null))).toBe('No problem is known: nothing was judged yet')
})

test('minutes that are not judged are named once they are more than usual', () => {
  const judged = (until: number | null) => ({
    minutes_counted: 60,
    minutes_needed: 60,
    judged_until: until,
    to: SINCE,
  })
  expect(behindWords(judged(null))).toBe('')
  expect(behindWords(judged(SINCE - 180))).toBe('')
  expect(behindWords(judged(SINCE - 27 * 60))).toBe('Not judged yet: the 27 minutes since 09:11')
})
