import { expect, test } from 'vitest'
import { isEstimated, isFaulty, isUnhealthy, shares, traffic } from './health'
import { node } from './samples'

test('the four shares add up to one', () => {
  const part = shares(node('a', { requests: 7, ok: 3, error: 2, throttle: 1, fault: 1 }))
  expect(part).toEqual({ ok: 3 / 7, error: 2 / 7, throttle: 1 / 7, fault: 1 / 7 })
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

test('a single fault makes a node unhealthy; an edge is faulty from five per cent', () => {
  expect(isUnhealthy(node('a', { ok: 99, fault: 1 }))).toBe(true)
  expect(isFaulty(node('a', { ok: 96, fault: 4 }))).toBe(false)
  expect(isFaulty(node('a', { ok: 95, fault: 5 }))).toBe(true)
})
