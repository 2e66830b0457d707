import { expect, test } from 'vitest'
import { barShare, responseWords } from './traceTimes'

test('a response time is shown where it is not the duration', () => {
  expect(responseWords({ duration_ms: 120, response_ms: 120.2 })).toBe('')
  expect(responseWords({ duration_ms: 1200, response_ms: 120 })).toBe('120 ms')
  expect(responseWords({ duration_ms: 120, response_ms: null })).toBe('')
})

test('one long job leaves bars to see of the others', () => {
  expect(barShare(36_000, 36_000)).toBe(1)
  expect(barShare(120, 36_000)).toBeGreaterThan(0.4)
  expect(barShare(0, 36_000)).toBe(0)
  expect(barShare(0, 0)).toBe(0)
})
