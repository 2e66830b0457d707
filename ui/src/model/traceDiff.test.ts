import { expect, test } from 'vitest'
import { row } from './samples'
import { countChanges, diffTraces, onlyDifferences } from './traceDiff'

const call = (id: string, name: string, parent: string, over = {}) =>
  row(id, { name, parent, depth: 1, kind: 'subsegment', service: 'shop', duration_ms: 10, ...over })

test('rows of equal work stand side by side, whatever their ids', () => {
  const here = [row('a', { name: 'shop' }), call('b', 'db', 'a'), call('c', 'cache', 'a')]
  const there = [row('x', { name: 'shop' }), call('y', 'cache', 'x'), call('z', 'db', 'x')]
  const found = diffTraces(here, there)
  expect(found.map((one) => [one.here?.id, one.there?.id, one.depth])).toEqual([
    ['a', 'x', 0],
    ['b', 'z', 1],
    ['c', 'y', 1],
  ])
  expect(new Set(found.map(({ change }) => change))).toEqual(new Set(['same']))
})

test('what only one of them has is added or missing, with all below it', () => {
  const here = [row('a', { name: 'shop' }), call('b', 'db', 'a'), call('c', 'retry', 'a')]
  const there = [
    row('x', { name: 'shop' }),
    call('y', 'db', 'x'),
    call('z', 'bank', 'x'),
    row('w', { name: 'bank', parent: 'z', depth: 2 }),
  ]
  const found = diffTraces(here, there)
  expect(found.map((one) => [(one.here ?? one.there)?.name, one.change, one.depth])).toEqual([
    ['shop', 'same', 0],
    ['db', 'same', 1],
    ['bank', 'missing', 1],
    ['bank', 'missing', 2],
    ['retry', 'added', 1],
  ])
})

test('of repeated work the first belongs to the first', () => {
  const attempts = ['1', '2', '3'].map((id) => call(id, 'db', 'a'))
  const found = diffTraces(
    [row('a', { name: 'shop' }), ...attempts],
    [row('x', { name: 'shop' }), call('y', 'db', 'x')],
  )
  expect(found.map(({ change }) => change)).toEqual(['same', 'same', 'added', 'added'])
})

test('failing is said before slower', () => {
  const here = [row('a', { name: 'shop', status: 'fault', duration_ms: 900 })]
  const there = [row('x', { name: 'shop' })]
  expect(diffTraces(here, there)[0]).toMatchObject({ change: 'failed', longer: 800 })
  expect(diffTraces(there, here)[0]).toMatchObject({ change: 'recovered', longer: -800 })
})

test.each([
  [130, 'slower'],
  [70, 'faster'],
  [120, 'same'],
  [null, 'same'],
] as const)('100 ms that become %s are %s', (ms, change) => {
  const found = diffTraces([row('a', { name: 'shop', duration_ms: ms })], [row('x', { name: 'shop' })])
  expect(found[0]?.change).toBe(change)
})

test('a part that matters little to the whole is not called slower', () => {
  const here = [row('a', { name: 'shop', duration_ms: 1000 }), call('b', 'db', 'a', { duration_ms: 15 })]
  const there = [row('x', { name: 'shop', duration_ms: 1000 }), call('y', 'db', 'x', { duration_ms: 5 })]
  expect(diffTraces(here, there).map(({ change }) => change)).toEqual(['same', 'same'])
})

test('differences keep the rows above them', () => {
  const here = [row('a', { name: 'shop' }), call('b', 'db', 'a'), call('c', 'bank', 'a', { status: 'fault' })]
  const there = [row('x', { name: 'shop' }), call('y', 'db', 'x'), call('z', 'bank', 'x')]
  const rows = diffTraces(here, there)
  expect(onlyDifferences(rows).map(({ key }) => key)).toEqual(['a', 'c'])
  expect(countChanges(rows)).toEqual([['failed', 1]])
})

test('every row of both traces is there once, for any pair of trees', () => {
  let seed = 7
  const random = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most
  const tree = (prefix: string) =>
    Array.from({ length: 1 + random(30) }, (_, at) =>
      row(`${prefix}${at}`, {
        name: `n${random(4)}`,
        parent: at === 0 ? null : `${prefix}${random(at)}`,
        kind: random(2) ? 'segment' : 'subsegment',
        service: '',
      }),
    )
  for (let round = 0; round < 300; round++) {
    const [here, there] = [tree('a'), tree('b')]
    const found = diffTraces(here, there)
    const ids = (side: 'here' | 'there') => found.flatMap((one) => one[side]?.id ?? []).sort()
    expect(ids('here')).toEqual(here.map(({ id }) => id).sort())
    expect(ids('there')).toEqual(there.map(({ id }) => id).sort())
  }
})

test('long work behind the entry hides no difference', () => {
  const late = (id: string, parent: string) =>
    row(id, { name: 'worker', parent, depth: 1, start_ms: 90, duration_ms: 60_000 })
  const here = [row('a', { name: 'shop' }), call('b', 'db', 'a', { duration_ms: 30 }), late('c', 'a')]
  const there = [row('x', { name: 'shop' }), call('y', 'db', 'x'), late('z', 'x')]
  expect(diffTraces(here, there).map(({ change }) => change)).toEqual(['same', 'slower', 'same'])
})
