import { expect, test } from 'vitest'
import { length, union, without } from './intervals'

test('intervals that touch or overlap are one', () => {
  expect(union([[5, 9], [0, 2], [2, 3], [6, 7], [4, 4]])).toEqual([[0, 3], [5, 9]]) // prettier-ignore
})

test('what others cover is left out', () => {
  expect(without([0, 10], [[-5, 1], [3, 4], [9, 20]])).toEqual([[1, 3], [4, 9]]) // prettier-ignore
  expect(without([0, 10], [])).toEqual([[0, 10]])
  expect(without([0, 10], [[-1, 11]])).toEqual([])
  expect(without([0, 10], [[20, 30]])).toEqual([[0, 10]])
})

test('lengths add up', () => {
  expect(length([[0, 2], [5, 9]])).toBe(6) // prettier-ignore
})
