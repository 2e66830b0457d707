import { expect, test } from 'vitest'
import { responseTimeBetween, timesBetween } from './selection'

test.each([
  [120, 480, 'responsetime >= 0.12 AND responsetime < 0.48'],
  [480, 120, 'responsetime >= 0.12 AND responsetime < 0.48'],
  [0, 1.23456, 'responsetime >= 0 AND responsetime < 0.001235'],
  [1234.56, 98765.4, 'responsetime >= 1.234 AND responsetime < 98.77'],
])('%o to %o ms', (from, to, expected) => {
  expect(responseTimeBetween(from, to)).toBe(expected)
})

test('a stretch of time is in whole seconds and contains what was dragged over', () => {
  const at = (text: string) => Date.parse(text) / 1000
  expect(timesBetween(['2026-11-26 10:00:00.4', '2026-11-26 10:05:30.2'])).toEqual({
    from: at('2026-11-26T10:00:00'),
    to: at('2026-11-26T10:05:31'),
  })
  expect(timesBetween(['x', 'y'])).toBeNull()
})
