import { expect, test } from 'vitest'
import type { JsonObject } from '../api/types'
import { annotationsOf, exceptionsOf, flattened, resourcesOf, sqlOf } from './document'

const documents: Record<string, JsonObject> = {
  outer: {
    cause: {
      exceptions: [
        {
          id: 'e1',
          type: 'CheckoutError',
          message: 'no',
          cause: 'e2',
          stack: [{ path: 'a.py', line: 3, label: 'pay' }],
        },
        { id: 'e3', type: 'Other' },
      ],
    },
  },
  inner: { cause: { exceptions: [{ id: 'e2', type: 'Timeout', remote: true, truncated: 4 }] } },
  pointing: { cause: 'e2' },
}

test('causes follow what they caused, also into another row', () => {
  const found = exceptionsOf('outer', documents)
  expect(found.map(({ type, from, isCause }) => [type, from, isCause])).toEqual([
    ['CheckoutError', null, false],
    ['Timeout', 'inner', true],
    ['Other', null, false],
  ])
  expect(found[0]?.frames).toEqual([{ path: 'a.py', line: 3, label: 'pay' }])
  expect(found[1]).toMatchObject({ remote: true, truncated: 4 })
})

test('a cause that is an id leads to the exception it names', () => {
  expect(exceptionsOf('pointing', documents).map(({ type, from }) => [type, from])).toEqual([
    ['Timeout', 'inner'],
  ])
})

test('exceptions that cause one another end', () => {
  const ring = {
    a: {
      cause: {
        exceptions: [
          { id: 'x', cause: 'y' },
          { id: 'y', cause: 'x' },
        ],
      },
    },
  }
  expect(exceptionsOf('a', ring)).toHaveLength(2)
})

test('an unknown cause, or none, is no exception', () => {
  expect(exceptionsOf('a', { a: { cause: 'nowhere' } })).toEqual([])
  expect(exceptionsOf('a', { a: {} })).toEqual([])
})

test('nested fields become dotted names', () => {
  expect(flattened({ response: { status: 200 }, tags: ['a', 1] })).toEqual([
    ['response.status', '200'],
    ['tags', 'a, 1'],
  ])
  expect(resourcesOf({ aws: { region: 'eu' }, user: 'ada', http: {} })).toEqual([
    ['aws.region', 'eu'],
    ['user', 'ada'],
  ])
})

test('SQL and annotations', () => {
  expect(sqlOf({ sql: { sanitized_query: 'SELECT ?', user: 'u' } })).toEqual({
    query: 'SELECT ?',
    facts: [['user', 'u']],
  })
  expect(sqlOf({})).toBeNull()
  expect(annotationsOf({ annotations: { beta: true, n: 4 } })).toEqual([
    ['beta', 'true'],
    ['n', '4'],
  ])
})
