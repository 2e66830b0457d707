import { expect, test } from 'vitest'
import { row } from './samples'
import { matchingRows } from './traceSearch'

const trace = {
  rows: [row('a', { name: 'checkout' }), row('b', { exception: 'TaskTimedOut' }), row('c')],
  documents: {
    a: { annotations: { tenant: 'acme' } },
    b: {},
    c: {
      http: { request: { url: 'https://shop.example/Pay?order=7' } },
      metadata: { default: { note: 'acme', frames: [{ why: 'Stack depth' }] } },
    },
  },
}

test.each([
  ['', null],
  ['  ', null],
  ['CHECK', ['a']],
  ['timedout', ['b']],
  ['acme', ['a', 'c']],
  ['stack depth', ['c']],
  ['tenant', ['a']],
  ['/pay', ['c']],
  ['nothing of this', []],
])('%o', (query, expected) => {
  expect(matchingRows(trace, query)).toEqual(expected)
})
