import { expect, test } from 'vitest'
import { clockSkews } from './clockSkew'
import { row } from './samples'

const caller = row('a', { name: 'shop', start_ms: 10 })

test('a segment that begins before its call has another clock', () => {
  const rows = [
    caller,
    row('b', { parent: 'a', service: 'bank', start_ms: 4 }),
    row('c', { parent: 'a', service: 'bank', start_ms: -20 }),
    row('d', { parent: 'a', service: 'mail', start_ms: 8 }),
  ]
  expect(clockSkews(rows)).toEqual([
    { service: 'bank', id: 'c', behind: 30 },
    { service: 'mail', id: 'd', behind: 2 },
  ])
})

test('what begins later, or is rounded, or has the same clock, says nothing', () => {
  const rows = [
    caller,
    row('b', { parent: 'a', start_ms: 400 }),
    row('c', { parent: 'a', start_ms: 9.2 }),
    row('d', { parent: 'a', kind: 'subsegment', start_ms: 0 }),
    row('e', { parent: 'gone', start_ms: 0 }),
  ]
  expect(clockSkews(rows)).toEqual([])
})
