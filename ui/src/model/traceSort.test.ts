import { expect, test } from 'vitest'
import { arrowOf, NEWEST, nextSort, parseSort, sortText } from './traceSort'

test('a column is sorted downwards, upwards, and not any more', () => {
  const once = nextSort(NEWEST, 'duration')
  const twice = nextSort(once, 'duration')
  expect([once.order, twice.order]).toEqual(['descending', 'ascending'])
  expect(nextSort(twice, 'duration')).toEqual(NEWEST)
  expect(nextSort(twice, 'code')).toEqual({ column: 'code', order: 'descending' })
  expect([once, twice, NEWEST].map((sort) => arrowOf(sort, 'duration'))).toEqual(['▾', '▴', ''])
})

test('the address has what is not usual', () => {
  for (const text of ['duration', 'code,asc']) {
    const sort = parseSort(text)
    expect(sort && sortText(sort)).toBe(text)
  }
  expect(sortText(NEWEST)).toBeNull()
  expect(parseSort('nonsense')).toBeNull()
})
