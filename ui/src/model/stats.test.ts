import { describe, expect, it } from 'vitest'
import type { StatsGroup, StatsReply } from '../api/types'
import {
  countedWords,
  dimensionWords,
  groupWords,
  hasAll,
  ignored,
  metricText,
  metricWords,
  nextRank,
  overlapWords,
  ranked,
  shownWords,
  statsUrl,
  statsView,
  stepOf,
  stepsOf,
  stepsWords,
  USUAL_METRICS,
  viewChanges,
} from './stats'

const group = (name: string, metrics: StatsGroup['metrics']): StatsGroup => ({
  values: [name],
  traces: metrics['count'] ?? 0,
  metrics,
  filter: `user = "${name}"`,
  status: '',
  points: [],
})

const reply = (change: Partial<StatsReply> = {}): StatsReply => ({
  from: 0,
  to: 600,
  of: 'traces',
  by: ['user'],
  metrics: ['count'],
  step: 60,
  examined: 3,
  complete: true,
  bound: null,
  counted_from: 0,
  groups_total: 1,
  total: { traces: 3, metrics: { count: 3 } },
  groups: [group('ann', { count: 3 })],
  ...change,
})

const view = (text: string) => statsView(new URLSearchParams(text))!

describe('the address', () => {
  it('asks for nothing without dimensions', () => {
    expect(statsView(new URLSearchParams('filter=fault'))).toBeNull()
  })
  it('has usual metrics and the greatest count first', () => {
    expect(view('by=operation')).toEqual({
      by: ['operation'],
      of: 'traces',
      metrics: USUAL_METRICS,
      sort: { metric: 'count', order: 'descending' },
    })
  })
  it('keeps commas within the brackets of an annotation, and no dimension twice', () => {
    expect(view('by=annotation[a, b],user,user').by).toEqual(['annotation[a, b]', 'user'])
  })
  it('is written as it is read', () => {
    for (const text of [
      'by=user,state&of=requests&metrics=count,p99.9&rank=p99.9,asc',
      'by=user',
      'by=user&rank=count,asc',
    ]) {
      const changes = viewChanges(view(text))
      const written = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null)
      expect(view(new URLSearchParams(written).toString())).toEqual(view(text))
    }
    expect(viewChanges(view('by=user'))).toEqual({ by: 'user', of: null, metrics: null, rank: null })
  })
  it('counts requests where a service is chosen', () => {
    expect(view('by=user&node=n1').of).toBe('requests')
  })
  it('does not sort by a column that is not there', () => {
    expect(view('by=user&metrics=p50,p95&rank=count').sort.metric).toBe('p50')
  })
})

describe('the request', () => {
  const params = (filter: object, text = 'by=user') =>
    new URLSearchParams(statsUrl({ from: 0, to: 3600 }, filter, view(text), 50).split('?')[1])

  it('has what narrows the list', () => {
    const requested = params({ filter: 'fault', status: ['fault', 'error'] })
    expect(requested.get('filter')).toBe('fault')
    expect(requested.get('status')).toBe('fault,error')
    expect(requested.get('step')).toBe('120s')
    expect(requested.get('of')).toBe('traces')
  })
  it('is of a service where one is chosen, whole', () => {
    expect(params({ node: 'n1~djE' }).get('node')).toBe('n1')
    expect(params({ node: 'n1' }).has('of')).toBe(false)
  })
  it('says what it leaves out', () => {
    expect(ignored({ edge: 'a:b', error: 'fault:x' })).toEqual(['the edge', 'the kind of error'])
    expect(ignored({ node: 'n1', status: ['fault'] })).toEqual([])
  })
  it('has thirty steps at most, and never more than a day of many', () => {
    expect(stepOf({ from: 0, to: 300 })).toBe(10)
    expect(stepOf({ from: 0, to: 86_400 * 7 })).toBe(21_600)
    expect(stepOf({ from: 0, to: 86_400 * 90 })).toBe(86_400 * 3)
  })
})

describe('groups', () => {
  const groups = [group('a', { p95: 1 }), group('b', { p95: null }), group('c', { p95: 5 })]

  it('are sorted both ways, those without a value last', () => {
    const names = (order: 'ascending' | 'descending') =>
      ranked(groups, { metric: 'p95', order }).map(groupWords)
    expect(names('descending')).toEqual(['c', 'a', 'b'])
    expect(names('ascending')).toEqual(['a', 'c', 'b'])
  })
  it('turn only where all of them are here', () => {
    const sort = { metric: 'p95', order: 'descending' } as const
    expect(nextRank(sort, 'p95', true).order).toBe('ascending')
    expect(nextRank(sort, 'p95', false).order).toBe('descending')
    expect(nextRank(sort, 'count', true)).toEqual({ metric: 'count', order: 'descending' })
  })
  it('have a value for each step, also for those without a trace', () => {
    const one = { ...group('a', {}), points: [{ start: 60, traces: 2, metrics: { count: 2, p95: 7 } }] }
    const counts = stepsOf(reply({ to: 180 }), one, 'count')
    expect(counts.map(({ value }) => value)).toEqual([0, 2, 0])
    expect(stepsOf(reply({ to: 180 }), one, 'p95').map(({ value }) => value)).toEqual([null, 7, null])
    expect(stepsOf(reply({ to: 180, counted_from: 70 }), one, 'count')[0]).toEqual({
      start: 0,
      counted: false,
      value: null,
    })
    expect(stepsWords(counts, 'count')).toMatch(/^at most 2, at /)
    expect(stepsWords([], 'count')).toBe('nothing over time')
  })
})

describe('words', () => {
  it('say whether all was counted, and why not', () => {
    expect(countedWords(reply())).toBe('All 3 traces were counted.')
    expect(countedWords(reply({ examined: 1 }))).toBe('The only trace was counted.')
    expect(countedWords(reply({ complete: false, bound: 'seconds' }))).toMatch(
      /^Not all: the newest 3 traces .* time was over/,
    )
    expect(countedWords(reply({ complete: false, bound: 'groups' }))).toContain('10,000 groups')
  })
  it('say how many groups are shown', () => {
    const sort = { metric: 'p95', order: 'descending' } as const
    expect(shownWords(reply(), 1, sort)).toBe('1 group')
    expect(shownWords(reply({ groups_total: 1204 }), 50, sort)).toBe('50 of 1,204 groups, greatest p95 first')
    expect(hasAll(reply({ groups_total: 2 }))).toBe(false)
  })
  it('say why groups add up to more', () => {
    expect(overlapWords(reply())).toBe('')
    expect(overlapWords(reply({ total: { traces: 2, metrics: { count: 2 } } }))).toContain('several values')
  })
  it('are units of their metrics', () => {
    expect(metricText('fault_share', 0.031)).toBe('3.1 %')
    expect(metricText('p95', 1840)).toBe('1.84 s')
    expect(metricText('count', 1234)).toBe('1,234')
    expect(metricText('p95', null)).toBe('–')
    expect(metricWords('count', 'requests')).toBe('Requests')
  })
  it('write annotations as filters do', () => {
    expect(dimensionWords('annotation[tier]')).toBe('annotation.tier')
    expect(dimensionWords('annotation[odd key]')).toBe('annotation[odd key]')
  })
})
