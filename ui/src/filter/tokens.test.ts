import { expect, test } from 'vitest'
import { placeAt } from './completion'
import { quoted } from './quoted'
import { both, selector, tokens } from './tokens'

const kinds = (text: string) => tokens(text).map(({ kind, text: part }) => `${kind} ${part}`)

test('every part of an expression has a kind', () => {
  expect(kinds('service("a b") { fault AND responsetime >= 2.5 } or !annotation.tier = gold')).toEqual([
    'function service',
    'punctuation (',
    'text "a b"',
    'punctuation )',
    'punctuation {',
    'keyword fault',
    'logic AND',
    'keyword responsetime',
    'operator >=',
    'number 2.5',
    'punctuation }',
    'logic or',
    'logic !',
    'annotation annotation.tier',
    'operator =',
    'value gold',
  ])
})

test('what cannot be read is a kind of its own, and nothing is lost', () => {
  expect(kinds('falt § "open')).toEqual(['unknown falt', 'unknown §', 'text "open'])
  const text = 'edge("a", id(name: "b\\"c")) {error} and http.url CONTAINS "/x" §§ rootcause.json = #[1]'
  const joined = tokens(text)
  expect(joined.map((token) => text.slice(token.from, token.to))).toEqual(joined.map((token) => token.text))
  expect(joined.every((token, index) => index === 0 || token.from >= (joined[index - 1]?.to ?? 0))).toBe(true)
})

test('a word that is a keyword is a value behind an operator', () => {
  expect(kinds('name = error')).toEqual(['keyword name', 'operator =', 'value error'])
  expect(kinds('user endswith and')).toEqual(['keyword user', 'operator endswith', 'value and'])
})

test.each([
  ['', 'fault', 'fault'],
  ['fault', '', 'fault'],
  ['fault', 'fault', 'fault'],
  ['ok OR error', 'fault', '(ok OR error) AND fault'],
  ['service(a) { ok OR error }', 'fault', 'service(a) { ok OR error } AND fault'],
  ['fault', 'name = "x or y"', 'fault AND name = "x or y"'],
])('%o and %o are %o', (one, other, expected) => {
  expect(both(one, other)).toBe(expected)
})

test('a node is selected by all that it is known by', () => {
  expect(quoted('a "b" \\')).toBe('"a \\"b\\" \\\\"')
  expect(selector({ name: 'pay', type: '', account: '' })).toBe('id(name: "pay")')
  expect(selector({ name: 'q', type: 'AWS::SQS::Queue', account: '1' })).toBe(
    'id(name: "q", type: "AWS::SQS::Queue", account.id: "1")',
  )
})

test.each([
  ['', { what: 'term', scope: 'trace', from: 0, prefix: '' }],
  ['fau', { what: 'term', scope: 'trace', from: 0, prefix: 'fau' }],
  ['service(', { what: 'service', inText: false, from: 8, prefix: '' }],
  ['service("pay', { what: 'service', inText: true, from: 9, prefix: 'pay' }],
  ['edge("a", b', { what: 'service', inText: false, from: 10, prefix: 'b' }],
  ['service(id(name: "p', { what: 'service', inText: true, from: 18, prefix: 'p' }],
  ['service("a") { ', { what: 'term', scope: 'service', from: 15, prefix: '' }],
  ['edge("a", "b") { ok } AND res', { what: 'term', scope: 'trace', from: 26, prefix: 'res' }],
  ['responsetime ', { what: 'operator', kind: 'number', from: 13, prefix: '' }],
  ['annotation.ti', { what: 'value', field: 'annotation', inText: true, from: 11, prefix: 'ti' }],
  ['annotation.tier = ', { what: 'value', field: 'annotation.tier', inText: false, from: 18, prefix: '' }],
  ['annotation[a b] = "x', { what: 'value', field: 'annotation.a b', inText: true, from: 19, prefix: 'x' }],
  ['http.status = 50', { what: 'value', field: 'http.status', inText: false, from: 14, prefix: '50' }],
  ['fault ', { what: 'join', from: 6, prefix: '' }],
  ['name = "a" A', { what: 'join', from: 11, prefix: 'A' }],
])('at the end of %o', (text, expected) => {
  expect(placeAt(text, text.length)).toEqual(expected)
})
