import { describe, expect, test } from 'vitest'
import { DEFAULT_THRESHOLDS, isEstimated, isFailing, isUnhealthy, shares, shownCode, traffic } from './health'
import { node } from './samples'

test('the shares add up to one', () => {
  const part = shares(node('a', { requests: 7, ok: 3, error: 2, throttle: 1, fault: 1 }))
  expect(part).toEqual({ ok: 3 / 7, error: 2 / 7, throttle: 1 / 7, fault: 1 / 7, unknown: 0 })
})

test('requests in progress have no state yet', () => {
  const waiting = node('a', { requests: 3, ok: 0, in_progress: 3 })
  expect(shares(waiting)).toBeNull()
  expect(traffic(waiting)).toBe('in_progress')
})

test('a node without traffic, and a client without numbers, have no shares', () => {
  expect(traffic(node('a', { requests: 0, ok: 0 }))).toBe('none')
  expect(shares({ ok: null, error: null, throttle: null, fault: null })).toBeNull()
})

test('counts are estimated when fewer requests were seen', () => {
  expect(isEstimated(node('a', { requests: 8, in_progress: 2, observed: 9 }))).toBe(true)
  expect(isEstimated(node('a', { requests: 8, in_progress: 2, observed: 10 }))).toBe(false)
  expect(isEstimated(node('a', { requests: null, in_progress: null, observed: null }))).toBe(false)
})

test('a code of success is not shown beside a failure', () => {
  expect(shownCode('fault', 200)).toBeNull()
  expect(shownCode('fault', 502)).toBe(502)
  expect(shownCode('throttle', 429)).toBe(429)
  expect(shownCode('ok', 200)).toBe(200)
  expect(shownCode('error', null)).toBeNull()
})

describe('unhealthy', () => {
  const thresholds = { share: 0.05, count: 3 }
  const judged = (bad: number, of: number, before = false) =>
    isUnhealthy(node('a', { ok: of - bad, fault: bad }), thresholds, before)

  test('needs both the share and the number', () => {
    expect(judged(1, 10)).toBe(false)
    expect(judged(3, 1000)).toBe(false)
    expect(judged(3, 60)).toBe(true)
  })

  test('what hovers around the threshold does not flicker', () => {
    const verdicts: boolean[] = []
    for (const bad of [49, 51, 49, 40, 31, 29, 40, 49]) verdicts.push(judged(bad, 1000, verdicts.at(-1)))
    expect(verdicts).toEqual([false, true, true, true, true, false, false, false])
  })

  test('an edge fails by faults, not by errors', () => {
    expect(isFailing(node('a', { ok: 0, error: 10 }), thresholds)).toBe(false)
    expect(isFailing(node('a', { ok: 95, fault: 5 }), thresholds)).toBe(true)
  })
})

test('what nothing is known of is a share of its own, and neither healthy nor unhealthy', () => {
  const blind = node('a', { requests: 10, ok: 0, unknown: 9, fault: 1 })
  expect(shares(blind)).toEqual({ fault: 0.1, throttle: 0, error: 0, ok: 0, unknown: 0.9 })
  expect(isUnhealthy(node('a', { ok: 0, unknown: 10 }), DEFAULT_THRESHOLDS)).toBe(false)
  expect(isUnhealthy(node('a', { ok: 0, unknown: 8, fault: 2 }), DEFAULT_THRESHOLDS)).toBe(true)
})
