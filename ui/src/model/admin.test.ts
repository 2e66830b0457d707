import { describe, expect, it } from 'vitest'
import type { KeyLine } from '../api/admin'
import { hasEnded, keyState, limitWords, numberOf, settingWords, sizeOf, sizeText } from './admin'

const KEY: KeyLine = {
  id: 'A',
  name: 'checkout',
  role: 'ingest',
  tenant: '',
  access_key_id: 'RMAKA',
  created: 1_000,
  expires: null,
  revoked: null,
  limits: null,
}
const NOW = 1_800_000_000

describe('keys', () => {
  it('end by time, at the second that is named, and by revocation', () => {
    expect(hasEnded(KEY, NOW)).toBe(false)
    expect(hasEnded({ ...KEY, expires: NOW + 1 }, NOW)).toBe(false)
    expect(hasEnded({ ...KEY, expires: NOW }, NOW)).toBe(true)
    expect(hasEnded({ ...KEY, revoked: 1 }, NOW)).toBe(true)
  })
  it('say their state', () => {
    expect(keyState(KEY, NOW)).toBe('valid')
    expect(keyState({ ...KEY, expires: NOW + 86_400 }, NOW)).toMatch(/^until 2027-01-\d\d$/)
    expect(keyState({ ...KEY, expires: NOW - 86_400 }, NOW)).toMatch(/^expired 2027-01-\d\d$/)
    expect(keyState({ ...KEY, expires: NOW - 1, revoked: NOW }, NOW)).toMatch(/^revoked/)
  })
})

it('limits that are set are named', () => {
  expect(limitWords(null)).toBe('')
  expect(limitWords({ names_per_minute: 3 })).toBe('3 names/min')
  expect(limitWords({ documents_per_second: 2000, bytes_per_day: 5 * 2 ** 30 })).toBe(
    '2,000 documents/s, 5.0 GiB/day',
  )
})

it.each([
  ['5G', 5 * 2 ** 30],
  ['1.5 MiB', 1.5 * 2 ** 20],
  ['512', 512],
  ['0', 0],
  ['', ''],
  ['many', 'many'],
  ['-1', '-1'],
])('size of %j', (text, size) => expect(sizeOf(text)).toBe(size))

it.each([0, 1000, 2 ** 10, 5 * 2 ** 30, 3 * 2 ** 40])('size %d comes back', (size) =>
  expect(sizeOf(sizeText(size) || '0')).toBe(size),
)

it.each([
  ['', 0],
  [' 7.5 ', 7.5],
  ['x', 'x'],
])('number of %j', (text, number) => expect(numberOf(text)).toBe(number))

it('a setting without a value says what applies', () => {
  const setting = { name: 'workers', value: '', unset: 'one per core', source: 'default', help: '' } as const
  expect(settingWords(setting)).toEqual({ words: 'one per core', isSet: false })
  expect(settingWords({ ...setting, unset: '' }).words).toBe('none')
  expect(settingWords({ ...setting, value: '…' }).words).toBe('set, not shown')
  expect(settingWords({ ...setting, value: '4' })).toEqual({ words: '4', isSet: true })
})
