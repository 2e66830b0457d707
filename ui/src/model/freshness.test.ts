import { expect, test } from 'vitest'
import { endOfData } from './freshness'

test('a map that is behind says until when', () => {
  expect(endOfData({ to: 900, generated_at: 900, data_until: 860 })).toBe(860)
})

test('a few seconds are usual', () => {
  expect(endOfData({ to: 900, generated_at: 900, data_until: 893 })).toBe(null)
})

test('the future is no delay', () => {
  expect(endOfData({ to: 960, generated_at: 900, data_until: 899 })).toBe(null)
  expect(endOfData({ to: 960, generated_at: 900, data_until: 870 })).toBe(870)
})
