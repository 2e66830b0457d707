import { expect, test } from 'vitest'
import type { ComparedFigures } from '../api/types'
import { partId, partOf } from './grouping'
import { node } from './samples'
import { against, areGiven, placeOf, sidesOf, withFigures } from './sides'

const params = (text: string) => new URLSearchParams(text)

test('an address compares two sides or two periods', () => {
  expect(sidesOf(params('against=by:version&side=2.0'))).toEqual({ by: 'version', side: '2.0', other: '' })
  expect(sidesOf(params('against=yesterday&side=2.0'))).toBeNull()
  expect(sidesOf(params(''))).toBeNull()
  expect(against('filter')).toBe('by:filter')
})

test('of two filters both are needed', () => {
  expect(areGiven({ by: 'version', side: '', other: '' })).toBe(true)
  expect(areGiven({ by: 'filter', side: 'fault', other: '' })).toBe(false)
  expect(areGiven({ by: 'filter', side: 'fault', other: 'ok' })).toBe(true)
})

test('a side has figures and traces of its own', () => {
  expect(placeOf('filter', 'fault', 'n1:n2', null)).toEqual({ id: 'n1:n2', filter: 'fault', group_by: '' })
  expect(placeOf('account', '222', 'n1', 'n7')?.id).toBe('n7')
  expect(placeOf('account', '222', 'n1', null)).toBeNull()
  const part = placeOf('version', '2.0 ü', 'n1', 'n1')
  expect(part?.group_by).toBe('version')
  expect(partOf(part?.id ?? '')).toEqual({ whole: 'n1', value: '2.0 ü' })
  expect(placeOf('version', '2.0', 'n1:n2', null)).toBeNull()
})

test('the id of a part has no character that addresses escape', () => {
  expect(partId('n1', '>>>???')).toMatch(/^n1~[\w-]+$/)
})

test('the outer ring has the figures of its side', () => {
  const whole = node('a', { requests: 40 })
  const of = (requests: number) => ({ requests, fault: 1, requests_per_min: 2 }) as ComparedFigures
  expect(withFigures(whole, of(20), of(20))).toMatchObject({ requests: 20, fault: 1, traces_per_min: 2 })
  expect(withFigures(whole, of(0), of(40)).requests).toBe(0)
  expect(withFigures(whole, of(0), of(0)).requests).toBe(40)
  expect(withFigures(whole, undefined, undefined)).toBe(whole)
})
