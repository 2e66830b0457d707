import { expect, test } from 'vitest'
import { NOTHING, typedAfter } from './KeysAhead'

const typed = (...keys: string[]) => keys.reduce(typedAfter, NOTHING)

test('letters are text, and Backspace takes the last', () => {
  expect(typed('p', 'x', 'Backspace', 'a', 'ß', '🚀', 'Backspace')).toEqual({ text: 'paß', isEntered: false })
  expect(typed('Backspace')).toEqual(NOTHING)
})

test('keys without a character mean nothing', () => {
  expect(typed('Shift', 'A', 'Tab', 'ArrowDown', 'Home')).toEqual({ text: 'A', isEntered: false })
})

test('Enter is of the text before it', () => {
  expect(typed('a', 'Enter')).toEqual({ text: 'a', isEntered: true })
  expect(typed('a', 'Enter', 'b')).toEqual({ text: 'ab', isEntered: false })
})
