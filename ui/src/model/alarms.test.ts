import { describe, expect, it } from 'vitest'
import type { Alarm, AlarmChange } from '../api/alarms'
import {
  bodyOf,
  deliveryWords,
  formOf,
  linksOf,
  NEW_ALARM,
  ordered,
  firedWords,
  previewLines,
  valueWords,
} from './alarms'

const node = (id: string) => ({ id, name: id, type: '' })

const event = (change: Partial<AlarmChange> = {}): AlarmChange => ({
  id: 'evt_1',
  at: 1000,
  state: 'ALARM',
  previous: 'OK',
  reason: 'why',
  rule: 'rule',
  value: 0.5,
  start: 700.5,
  end: 900,
  nodes: [],
  edges: [],
  deliveries: [],
  ...change,
})

const alarm = (change: Partial<Alarm> = {}): Alarm => ({
  name: 'faults',
  kind: 'metric',
  selector: 'service("a")',
  metric: 'fault_share',
  version: '42',
  comparison: '>=',
  threshold: 0.07,
  datapoints: 2,
  periods: 3,
  missing: 'ignore',
  minimum: 9,
  baseline: 1440,
  notify: ['ALARM'],
  webhooks: [{ url: 'https://a/' }, { url: 'https://b/' }],
  note: 'n',
  created: 1,
  modified: 2,
  rule: 'rule',
  state: 'OK',
  last: null,
  ...change,
})

describe('the form of an alarm', () => {
  it('says again what the alarm is, and no secrets', () => {
    expect(bodyOf(formOf(alarm()))).toEqual({
      kind: 'metric',
      selector: 'service("a")',
      metric: 'fault_share',
      version: '42',
      comparison: '>=',
      threshold: 0.07,
      datapoints: 2,
      periods: 3,
      missing: 'ignore',
      minimum: 9,
      notify: ['ALARM'],
      webhooks: [{ url: 'https://a/' }, { url: 'https://b/' }],
      note: 'n',
    })
  })

  it('has percent for shares alone', () => {
    expect(formOf(alarm()).threshold).toBe('7')
    expect(formOf(alarm({ metric: 'p95_ms', threshold: 250 })).threshold).toBe('250')
    expect(bodyOf({ ...NEW_ALARM, metric: 'average_ms', threshold: '1,5' })['threshold']).toBe(1.5)
  })

  it('names a metric of the platform', () => {
    const form = formOf(alarm({ metric: 'platform:Throttles', threshold: 1 }))
    expect([form.metric, form.platform]).toEqual(['platform:', 'Throttles'])
    expect(bodyOf(form)['metric']).toBe('platform:Throttles')
  })

  it('sends what is no number as it is', () => {
    const body = bodyOf({ ...NEW_ALARM, threshold: 'high', periods: '' })
    expect([body['threshold'], body['periods']]).toEqual(['high', null])
  })

  it('takes a secret behind a URL', () => {
    const webhooks = ' https://a/  whsec_x \n\nhttps://b/'
    expect(bodyOf({ ...NEW_ALARM, webhooks })['webhooks']).toEqual([
      { url: 'https://a/', secret: 'whsec_x' },
      { url: 'https://b/' },
    ])
  })

  it.each([
    ['new_edge', ['baseline']],
    ['new_caller', ['baseline']],
    ['vanished_edge', ['baseline', 'minimum']],
  ] as const)('has only the members of %s', (kind, more) => {
    const common = ['kind', 'selector', 'periods', 'notify', 'webhooks', 'note']
    expect(Object.keys(bodyOf({ ...NEW_ALARM, kind }))).toEqual([...common, ...more])
  })
})

describe('what an alarm leads to', () => {
  it('is the time around what was evaluated', () => {
    const { map, traces } = linksOf(alarm({ version: '' }), event())
    expect(map).toEqual({ from: '100', to: '960', sel: null })
    expect(traces).toEqual({ from: '100', to: '960', node: null, edge: null, status: 'fault', filter: null })
  })

  it('is what one version did', () => {
    expect(linksOf(alarm(), event()).traces['filter']).toBe('version = "42"')
  })

  it('is a node or an edge', () => {
    const one = linksOf(alarm({ metric: 'requests' }), event({ nodes: [node('a')] }))
    expect(one.map['sel']).toBe('a')
    expect(one.traces).toMatchObject({ node: 'a', edge: null, status: null })
    const edges = [{ id: 'a:b', source: node('a'), target: node('b') }]
    const two = linksOf(alarm({ kind: 'new_edge', metric: '' }), event({ edges }))
    expect(two.map['sel']).toBe('a:b')
    expect(two.traces).toMatchObject({ node: null, edge: 'a:b' })
  })
})

describe('the list of alarms', () => {
  it('begins with those that fire', () => {
    const all = [
      alarm({ name: 'd' }),
      alarm({ name: 'c', state: 'INSUFFICIENT_DATA' }),
      alarm({ name: 'b', state: 'ALARM' }),
      alarm({ name: 'a' }),
    ]
    expect(ordered(all).map(({ name }) => name)).toEqual(['b', 'c', 'a', 'd'])
  })

  it('says how far deliveries are', () => {
    const attempt = { url: 'https://a/', attempts: 1, at: 1, error: '' }
    const done = { ...attempt, status: 'delivered' as const }
    const failed = { ...attempt, status: 'failed' as const, error: 'answered 503' }
    expect(deliveryWords(event())).toBeNull()
    expect(deliveryWords(event({ deliveries: [done] }))).toBe('delivered')
    expect(deliveryWords(event({ deliveries: [done, failed] }))).toBe(
      '1 of 2 delivered, failed: answered 503',
    )
  })
})

describe('a preview', () => {
  it('says values in the unit of the metric', () => {
    const words = (['fault_share', 'p95_ms', 'requests', 'platform:Throttles'] as const).map((metric) =>
      valueWords(metric, metric === 'fault_share' ? 0.125 : 1200),
    )
    expect(words).toEqual(['13 %', '1.20 s', '1.2k/min', '1.2k'])
  })

  it('draws a gap where minutes are missing', () => {
    expect(previewLines([0, 1, null, 2, null], 2)).toEqual(['0,1 0.25,0.5', '0.75,0'])
    expect(firedWords(0)).toContain('not')
    expect(firedWords(1)).toContain('once')
    expect(firedWords(3)).toContain('3 times')
  })
})
