import { expect, test } from 'vitest'
import { age, change, cut, duration, ringLabel, percent, rate, short, span } from './format'

test.each([
  [0, '0'],
  [0.04, '<0.1'],
  [4.25, '4.3'],
  [9.96, '10'],
  [42.4, '42'],
  [999.4, '999'],
  [999.6, '1k'],
  [1234, '1.2k'],
  [12_345, '12k'],
  [999_600, '1M'],
  [3_400_000, '3.4M'],
  [null, '–'],
])('%s reads as %s', (value, text) => expect(short(value)).toBe(text))

test.each([
  [0, '0 ms'],
  [0.25, '250 µs'],
  [0.9996, '1 ms'],
  [4.23, '4.2 ms'],
  [87.4, '87 ms'],
  [999.6, '1.00 s'],
  [1840, '1.84 s'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [93_600_000, '1 d 2 h'],
  [null, '–'],
])('%s ms reads as %s', (ms, text) => expect(duration(ms)).toBe(text))

test('a share that is not whole never reads as 0 % or 100 %', () => {
  expect(percent(0)).toBe('0 %')
  expect(percent(0.0001)).toBe('<0.1 %')
  expect(percent(0.003)).toBe('0.3 %')
  expect(percent(0.123)).toBe('12 %')
  expect(percent(0.9999)).toBe('>99.9 %')
  expect(percent(1)).toBe('100 %')
})

test('a change has a sign, and none without a value before', () => {
  expect(change(112, 100)).toBe('+12 %')
  expect(change(97, 100)).toBe('−3 %')
  expect(change(100, 100)).toBe('±0 %')
  expect(change(3, 0)).toBe('new')
  expect(change(5000, 10)).toBe('×500')
  expect(change(5, null)).toBeNull()
})

test('a range names its day once', () => {
  expect(span(1_795_478_400, 1_795_479_300, true)).toBe('2026-11-24 00:00:00 – 00:15:00 UTC')
})

test('ages, rates and cut names', () => {
  expect(age(4.4)).toBe('4 s ago')
  expect(age(150)).toBe('2 min ago')
  expect(age(7300)).toBe('2 h ago')
  expect(rate(0.25)).toBe('0.3/min')
  expect(rate(960, true)).toBe('≈960/min')
  expect(cut('a-service-with-a-long-name', 10)).toBe('a-service…')
})

test('the number in a hole has four characters at most, and a unit above a second', () => {
  const shown = [0.25, 42, 999, 1000, 3570, 36_420, 98_900, 240_000, 9_000_000].map(ringLabel)
  expect(shown).toEqual(['0.3', '42', '999', '1.0s', '3.6s', '36s', '99s', '4m', '3h'])
})
