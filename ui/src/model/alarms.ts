// Alarms as a form edits them, and where they lead.

import type { Alarm, AlarmChange, AlarmState } from '../api/alarms'
import type { Status } from '../api/types'
import { quoted } from '../filter/quoted'
import { duration, percent, short } from './format'
import type { Changes } from './url'

export const KINDS: Record<Alarm['kind'], string> = {
  metric: 'a metric passes a limit',
  new_edge: 'a new edge appears',
  vanished_edge: 'an edge vanishes',
  new_caller: 'a node has a new caller',
}
export const PLATFORM = 'platform:'
export const METRICS: Record<string, string> = {
  fault_share: 'fault share, %',
  error_share: 'error share, %',
  throttle_share: 'throttle share, %',
  requests: 'requests a minute',
  average_ms: 'average latency, ms',
  p95_ms: 'p95 latency, ms',
  [PLATFORM]: 'a metric of the platform',
}
/** In the words of CloudWatch's console. */
export const MISSING: Record<Alarm['missing'], string> = {
  missing: 'missing',
  ignore: 'ignore: keep the state',
  breaching: 'bad: breaching',
  notBreaching: 'good: not breaching',
}
export const STATES: Record<AlarmState, string> = {
  ALARM: 'Alarm',
  OK: 'OK',
  INSUFFICIENT_DATA: 'No data',
}

export const MEMBERS = [
  'kind',
  'selector',
  'metric',
  'version',
  'comparison',
  'threshold',
  'datapoints',
  'periods',
  'missing',
  'minimum',
  'baseline',
  'notify',
  'webhooks',
  'note',
] as const

/** What is in the fields, as text: a number that is being typed is none yet. */
export interface AlarmForm {
  name: string
  kind: Alarm['kind']
  selector: string
  metric: string
  platform: string
  version: string
  comparison: Alarm['comparison']
  /** Of a share, percent. */
  threshold: string
  datapoints: string
  periods: string
  missing: Alarm['missing']
  minimum: string
  baseline: string
  notify: AlarmState[]
  /** One a line: a URL, and its secret unless it has one. */
  webhooks: string
  note: string
}

export const NEW_ALARM: AlarmForm = {
  name: '',
  kind: 'metric',
  selector: '',
  metric: 'fault_share',
  platform: '',
  version: '',
  comparison: '>=',
  threshold: '5',
  datapoints: '3',
  periods: '5',
  missing: 'missing',
  minimum: '1',
  baseline: '1440',
  notify: ['ALARM', 'OK'],
  webhooks: '',
  note: '',
}

/** Values of a preview as points of a picture of 1 by 1, y downwards: one line for each stretch without a gap. */
export function previewLines(values: readonly (number | null)[], top: number): string[] {
  const lines: string[][] = [[]]
  for (const [minute, value] of values.entries()) {
    if (value === null) lines.push([])
    else lines.at(-1)?.push(`${minute / (values.length - 1)},${1 - value / top}`)
  }
  return lines.filter((line) => line.length > 0).map((line) => line.join(' '))
}

/** A value of a metric, of shares a fraction: 12 %, 812 ms, 120/min. */
export function valueWords(metric: string, value: number): string {
  if (isShare(metric)) return percent(value)
  if (metric.endsWith('_ms')) return duration(value)
  return metric === 'requests' ? `${short(value)}/min` : short(value)
}

export function firedWords(times: number): string {
  if (times === 0) return 'It would not have fired in the last 24 hours.'
  return `It would have fired ${times === 1 ? 'once' : `${times} times`} in the last 24 hours.`
}

/** What another kind of alarm begins with. */
export const OF_KIND: Record<Alarm['kind'], Pick<AlarmForm, 'periods' | 'minimum'>> = {
  metric: { periods: '5', minimum: '1' },
  new_edge: { periods: '5', minimum: '1' },
  new_caller: { periods: '5', minimum: '1' },
  vanished_edge: { periods: '1', minimum: '5' },
}

export function formOf(alarm: Alarm): AlarmForm {
  const isPlatform = alarm.metric.startsWith(PLATFORM)
  const isMetric = alarm.kind === 'metric'
  return {
    ...NEW_ALARM,
    name: alarm.name,
    kind: alarm.kind,
    selector: alarm.selector,
    note: alarm.note,
    notify: alarm.notify,
    missing: alarm.missing,
    comparison: alarm.comparison,
    metric: isPlatform ? PLATFORM : alarm.metric || NEW_ALARM.metric,
    platform: isPlatform ? alarm.metric.slice(PLATFORM.length) : '',
    version: alarm.version,
    threshold: isMetric ? thresholdText(alarm) : NEW_ALARM.threshold,
    datapoints: String(alarm.datapoints),
    periods: String(alarm.periods),
    minimum: String(alarm.minimum),
    baseline: String(alarm.baseline),
    webhooks: alarm.webhooks.map(({ url }) => url).join('\n'),
  }
}

/** What the fields say. The server judges it: a text that is no number is sent as it is. */
export function bodyOf(form: AlarmForm): Record<string, unknown> {
  const common = {
    kind: form.kind,
    selector: form.selector.trim(),
    periods: numberOf(form.periods),
    notify: form.notify,
    webhooks: webhooksOf(form.webhooks),
    note: form.note.trim(),
  }
  switch (form.kind) {
    case 'metric':
      return {
        ...common,
        metric: form.metric === PLATFORM ? PLATFORM + form.platform.trim() : form.metric,
        version: form.metric === PLATFORM ? '' : form.version.trim(),
        comparison: form.comparison,
        threshold: thresholdOf(form),
        datapoints: numberOf(form.datapoints),
        missing: form.missing,
        minimum: numberOf(form.minimum),
      }
    case 'vanished_edge':
      return { ...common, baseline: numberOf(form.baseline), minimum: numberOf(form.minimum) }
    case 'new_edge':
    case 'new_caller':
      return { ...common, baseline: numberOf(form.baseline) }
  }
}

function webhooksOf(text: string): { url: string; secret?: string }[] {
  const lines = text.split('\n').filter((line) => line.trim())
  return lines.map((line) => {
    const [url = '', secret = ''] = line.trim().split(/\s+/)
    return secret ? { url, secret } : { url }
  })
}

const isShare = (metric: string) => metric.endsWith('_share')

function thresholdText({ metric, threshold }: Alarm): string {
  return String(isShare(metric) ? Number((threshold * 100).toPrecision(12)) : threshold)
}

function thresholdOf({ metric, threshold }: AlarmForm): unknown {
  const value = numberOf(threshold)
  return isShare(metric) && typeof value === 'number' ? Number((value / 100).toPrecision(12)) : value
}

function numberOf(text: string): number | string | null {
  const trimmed = text.trim().replace(',', '.')
  if (!trimmed) return null
  const value = Number(trimmed)
  return Number.isFinite(value) ? value : trimmed
}

/** Seconds shown before what was evaluated: a vanished edge had its last calls there. */
const BEFORE = 600
const AFTER = 60

const OF_METRIC: Record<string, Status> = {
  fault_share: 'fault',
  error_share: 'error',
  throttle_share: 'throttle',
}

/** The words of the address of the map, and of the list of traces, that explain an event. */
export function linksOf(alarm: Alarm, event: AlarmChange): { map: Changes; traces: Changes } {
  const when = { from: String(Math.floor(event.start - BEFORE)), to: String(Math.ceil(event.end + AFTER)) }
  const edge = event.edges[0]?.id ?? null
  const node = edge ? null : (event.nodes[0]?.id ?? null)
  const status = OF_METRIC[alarm.metric] ?? null
  const filter = alarm.version ? `version = ${quoted(alarm.version)}` : null
  return { map: { ...when, sel: edge ?? node }, traces: { ...when, node, edge, status, filter } }
}

const RANK: Record<AlarmState, number> = { ALARM: 0, INSUFFICIENT_DATA: 1, OK: 2 }

/** Those that fire first, then by name. */
export function ordered(alarms: readonly Alarm[]): Alarm[] {
  return alarms.toSorted((a, b) => RANK[a.state] - RANK[b.state] || a.name.localeCompare(b.name))
}

/** `2 of 3 delivered`; null where none was to be sent. */
export function deliveryWords({ deliveries }: AlarmChange): string | null {
  if (deliveries.length === 0) return null
  const done = deliveries.filter(({ status }) => status === 'delivered').length
  const waiting = deliveries.find(({ status }) => status !== 'delivered')
  if (!waiting) return 'delivered'
  const why = waiting.error ? `: ${waiting.error}` : ''
  return `${done} of ${deliveries.length} delivered, ${waiting.status}${why}`
}
