import { expect, test } from 'vitest'
import { foundWords, type Found } from './search'

const found: Found = { query: 'pay', hits: 170, hidden: 0, matches: null, total: 11_750, searching: false }

test('while the server searches what is not drawn, the count says that it is not all', () => {
  expect(foundWords({ ...found, searching: true })).toBe('170 drawn, searching all…')
  expect(foundWords({ ...found, hits: 0, searching: true })).toBe('Searching all…')
  expect(foundWords({ ...found, hidden: 8, matches: 1085 })).toBe('1,085 of 11,750')
})

test('a search without a match says so, and nothing is said without one', () => {
  expect(foundWords({ ...found, hits: 0 })).toBe('No service matches')
  expect(foundWords({ ...found, query: '' })).toBe('')
  expect(foundWords({ ...found, hits: null })).toBe('')
})
