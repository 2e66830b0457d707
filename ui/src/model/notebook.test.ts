import { expect, test } from 'vitest'
import type { NotebookEntry } from '../api/notebooks'
import { edited, entryTitle, known, mapAddress, mapQuery, subjectOf, without } from './notebook'

const FIGURES = {
  title: 'Service map',
  facts: [],
  columns: ['Service'],
  rows: [['web']],
  states: ['ok'],
  edges: [],
  bars: [],
  depths: [],
  left_out: 0,
  is_empty: false,
}

const entry = (change: Partial<NotebookEntry> = {}): NotebookEntry => ({
  id: 'a',
  kind: 'view',
  at: 60,
  text: '',
  path: '/map?from=60&to=120',
  figures: FIGURES,
  expired: false,
  added: 120,
  modified: 120,
  by: '',
  ...change,
})

const at = (pathname: string, search: string) => ({ pathname, search })
const WINDOW = { from: 60, to: 120 }

test('what a page shows is added at the instants on the screen, with its fold', () => {
  const map = at('/map', '?range=1h&filter=fault&problem=p&view=1,2,1')
  expect(subjectOf({ map: WINDOW }, WINDOW, map, false)).toEqual({
    page: 'map',
    query: 'filter=fault&view=1,2,1&from=60&to=120&fold=0',
  })
  expect(subjectOf(undefined, WINDOW, at('/traces', '?range=1h&by=service'), true)).toEqual({
    page: 'traces',
    query: 'by=service&from=60&to=120',
  })
  expect(subjectOf({ trace: '1-a' }, undefined, at('/traces/1-a', ''), true)).toEqual({ trace: '1-a' })
  expect(subjectOf(undefined, undefined, map, true)).toBeNull()
  expect(subjectOf(undefined, WINDOW, at('/alarms', ''), true)).toBeNull()
})

test('a change names every entry that stays', () => {
  const both = [entry(), entry({ id: 'b', text: 'why' })]
  expect(known(both)).toEqual([
    { id: 'a', text: '', at: 60 },
    { id: 'b', text: 'why', at: 60 },
  ])
  expect(edited(both, { id: 'b', text: 'how', at: 30 })[1]).toEqual({ id: 'b', text: 'how', at: 30 })
  expect(without(both, 'a').map(({ id }) => id)).toEqual(['b'])
})

test('an entry is called by what it shows, or by its kind', () => {
  expect(entryTitle(entry())).toBe('Service map')
  expect(entryTitle(entry({ kind: 'words', figures: null }))).toBe('Note')
})

test.each([
  ['from=60&to=120', '/api/map?from=60&to=120&boxes=auto&fold=true'],
  ['from=60&to=120&fold=0&filter=fault&view=1,2,1&sel=n', '/api/map?from=60&to=120&filter=fault&boxes=auto'],
  ['from=60&to=120&group_by=version', '/api/map?from=60&to=120&group_by=version&fold=true'],
  ['from=60&to=120&focus=n&hops=2', '/api/map/focus?from=60&to=120&node=n&hops=2&fold=true'],
  ['from=60&to=120&boxes=stack&inside=b', '/api/map?from=60&to=120&inside=b&boxes=stack&fold=true'],
])('the picture of %s is drawn from %s', (words, address) => {
  const query = mapQuery(entry({ path: `/map?${words}` }))
  expect(query && mapAddress(query)).toBe(address)
})

test.each([
  ['expired', { expired: true }],
  ['empty', { figures: { ...FIGURES, rows: [], states: [] } }],
  ['a trace', { kind: 'trace' as const, path: '/traces/1-a' }],
  ['a list', { path: '/traces?from=60&to=120' }],
  ['words', { kind: 'words' as const, path: '', figures: null }],
])('no map is drawn of what is %s', (_, change) => {
  expect(mapQuery(entry(change))).toBeNull()
})
