import { expect, test } from 'vitest'
import { isFreeText, textSearch } from './freeText'

test.each([
  ['TaskTimedOut', true],
  ['/orders/81', true],
  ['"payment refused"', true],
  ['respnsetime > 2', false],
  ['service("a")', false],
  ['fault AND', false],
  ['  ', false],
])('%s: free text is %s', (text, free) => {
  expect(isFreeText(text)).toBe(free)
})

test('a text is searched for in addresses, names, users and exceptions', () => {
  expect(textSearch('"a\\b"')).toContain(
    'http.url CONTAINS "a\\\\b" OR name CONTAINS "a\\\\b" OR user CONTAINS',
  )
  expect(textSearch('x')).toContain('rootcause.fault.exception { message CONTAINS "x" }')
  expect(textSearch('x')).toContain('rootcause.error.exception { name CONTAINS "x" }')
})
