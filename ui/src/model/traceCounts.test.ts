import { expect, test } from 'vitest'
import { shownWords } from './traceCounts'

test.each([
  [{ shown: 1, total: 1, counted_all: true }, '1 trace'],
  [{ shown: 812, total: 812, counted_all: true }, '812 traces'],
  [{ shown: 5000, total: 12_431, counted_all: true }, 'the newest 5,000 of 12,431 traces'],
  [{ shown: 5000, total: 25_000, counted_all: false }, 'the newest 5,000 of more than 25,000 traces'],
  [{ shown: 5000, total: 5000, counted_all: false }, 'the newest 5,000 traces'],
])('%o are %s', (counts, words) => {
  expect(shownWords(counts)).toBe(words)
})
