import { expect, test } from 'vitest'
import { incompleteNote } from './freshness'

test('a window with minutes that wait is incomplete, however long ago it ended', () => {
  const words = (minutes: number) => incompleteNote({ incomplete: { minutes, since: 860 } }, 900)
  expect(words(1)).toBe('Incomplete: 1 minute is still being counted.')
  expect(words(20)).toBe('Incomplete: 20 minutes are still being counted.')
})

test('a few seconds are usual', () => {
  expect(incompleteNote({ incomplete: { minutes: 2, since: 893 } }, 900)).toBe(null)
})

test('nothing waits', () => {
  expect(incompleteNote({ incomplete: null }, 900)).toBe(null)
})
