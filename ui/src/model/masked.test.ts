import { expect, test } from 'vitest'
import { maskedWords } from './masked'

test('values are counted by rule, the most frequent first', () => {
  expect(maskedWords({ card: 1, token: 1200, basic: 1 })).toBe(
    '1,202 values are masked: 1,200 by token, 1 by basic, 1 by card',
  )
  expect(maskedWords({ card: 1 })).toBe('1 value is masked: 1 by card')
})

test('a trace without any says nothing', () => {
  expect(maskedWords({})).toBeNull()
})
