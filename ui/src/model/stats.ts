// Counts by dimensions: what the address asks for, the order of the groups, and words for what was not counted.

import type { TimeWindow, TraceFilter } from '../api/client'
import type { StatsGroup, StatsReply } from '../api/types'
import { clock, count, dateTime, duration, percent, rate } from './format'
import { partOf } from './grouping'
import { currentScope } from './scope'
import type { Changes } from './url'

/** Dimensions of one grouping, until the server says how many. */
export const MOST_DIMENSIONS = 3
export const USUAL_METRICS: readonly string[] = ['count', 'fault_share', 'error_share', 'p50', 'p95', 'p99']
/** What the bar of outcomes is drawn from. */
const OUTCOMES = ['ok', 'error', 'throttle', 'fault', 'in_progress']
/** Metrics of one request, of which the outcomes are some. */
export const MOST_METRICS = 20 - OUTCOMES.length
export const FIRST = 50
export const MOST_GROUPS = 1000
const MOST_STEPS = 30
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

export interface GroupSort {
  metric: string
  order: 'descending' | 'ascending'
}

export interface StatsView {
  by: string[]
  of: StatsReply['of']
  metrics: string[]
  sort: GroupSort
}

/** What the address asks for; null if for nothing. */
export function statsView(params: URLSearchParams): StatsView | null {
  const by = listed(params.get('by'))
  if (!by.length) return null
  const metrics = listed(params.get('metrics'))
  const [metric, order] = (params.get('rank') ?? '').split(',')
  const shown = metrics.length ? metrics.slice(0, MOST_METRICS) : [...USUAL_METRICS]
  return {
    by,
    of: params.get('node') || params.get('of') === 'requests' ? 'requests' : 'traces',
    metrics: shown,
    sort: {
      metric: metric && shown.includes(metric) ? metric : shown[0]!,
      order: order === 'asc' ? 'ascending' : 'descending',
    },
  }
}

/** The same in the address; null takes it out. */
export function viewChanges(view: StatsView | null): Changes {
  if (!view) return { by: null, of: null, metrics: null, rank: null }
  const { by, of, metrics, sort } = view
  const rank = sort.order === 'ascending' ? `${sort.metric},asc` : sort.metric
  return {
    by: by.join(','),
    of: of === 'requests' ? of : null,
    metrics: metrics.join() === USUAL_METRICS.join() ? null : metrics.join(','),
    rank: rank === metrics[0] ? null : rank,
  }
}

/** Commas within the brackets of `annotation[a, b]` separate nothing. */
function listed(text: string | null): string[] {
  const parts = (text ?? '').split(/,(?![^[]*\])/).map((part) => part.trim())
  return [...new Set(parts.filter(Boolean))]
}

/** The dimensions and metrics that there are. */
export function dimensionsUrl(window: TimeWindow, of: StatsReply['of']): string {
  return `/api/v1/stats/dimensions?${query(window, { of })}`
}

export function statsUrl(window: TimeWindow, filter: TraceFilter, view: StatsView, limit: number): string {
  const { node } = filter
  return `/api/v1/stats?${query(window, {
    by: view.by.join(','),
    metrics: [...new Set([...view.metrics, ...OUTCOMES])].join(','),
    sort: view.sort.metric,
    step: `${stepOf(window)}s`,
    limit: String(limit),
    ...(filter.filter && { filter: filter.filter }),
    ...(filter.status?.length && { status: filter.status.join(',') }),
    ...(node ? { node: partOf(node)?.whole ?? node } : { of: view.of }),
    ...currentScope(),
  })}`
}

function query(window: TimeWindow, more: Record<string, string>): string {
  return new URLSearchParams({ from: String(window.from), to: String(window.to), ...more }).toString()
}

/** Seconds of a step of the small charts. */
export function stepOf({ from, to }: TimeWindow): number {
  const least = (to - from) / MOST_STEPS
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400
}

/** What narrows the list and not the counts. */
export function ignored({ node, edge, error, work }: TraceFilter): string[] {
  return [
    edge ? 'the edge' : '',
    error ? 'the kind of error' : '',
    node && partOf(node) ? 'the part of the service' : '',
    work ? (work === 'requests' ? 'requests alone' : 'background work alone') : '',
  ].filter(Boolean)
}

/** Whether all groups are here, so that any order is at hand. */
export function hasAll({ groups, groups_total }: StatsReply): boolean {
  return groups.length >= groups_total
}

/** By a metric, those without a value last. */
export function ranked(groups: readonly StatsGroup[], { metric, order }: GroupSort): StatsGroup[] {
  const sign = order === 'ascending' ? 1 : -1
  const value = (group: StatsGroup) => group.metrics[metric] ?? null
  return groups.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)]
    if (left === null || right === null) return Number(left === null) - Number(right === null)
    return sign * (left - right)
  })
}

/** What a click on a column means. */
export function nextRank(sort: GroupSort, metric: string, canAscend: boolean): GroupSort {
  const turns = sort.metric === metric && sort.order === 'descending' && canAscend
  return { metric, order: turns ? 'ascending' : 'descending' }
}

const WORDS: Record<string, string> = {
  count: 'Count',
  per_minute: 'Rate',
  ok: 'OK',
  error: 'Errors',
  throttle: 'Throttles',
  fault: 'Faults',
  in_progress: 'In progress',
  ok_share: 'OK %',
  error_share: 'Error %',
  throttle_share: 'Throttle %',
  fault_share: 'Fault %',
  avg: 'Average',
  min: 'Fastest',
  max: 'Slowest',
}

export function metricWords(metric: string, of: StatsReply['of']): string {
  if (metric === 'count') return of === 'traces' ? 'Traces' : 'Requests'
  return WORDS[metric] ?? metric
}

export function metricText(metric: string, value: number | null | undefined): string {
  if (value == null) return '–'
  if (metric.endsWith('_share')) return percent(value)
  if (metric === 'per_minute') return rate(value)
  return isCount(metric) ? count(value) : duration(value)
}

/** Of a step without a trace it is 0, not unknown. */
export function isCount(metric: string): boolean {
  return metric === 'count' || metric === 'per_minute' || OUTCOMES.includes(metric)
}

/** `annotation[tier]` as it is mostly written. */
/** Names of one dimension, written as one. */
export function bracketed(name: string): string {
  return name.replace(/^annotation\.(.*)$/, 'annotation[$1]')
}

export function dimensionWords(name: string): string {
  const key = /^annotation\[([\w.-]+)\]$/.exec(name)?.[1]
  return key ? `annotation.${key}` : name
}

export function valueWords(value: StatsGroup['values'][number]): string {
  return value === null ? 'none' : value === '' ? '""' : String(value)
}

/** The values of a group as one name. */
export function groupWords({ values }: StatsGroup): string {
  return values.map(valueWords).join(', ') || 'all'
}

/** How much of what there is was counted. */
export function countedWords(reply: StatsReply): string {
  const { examined, complete, bound, counted_from } = reply
  const traces = `${count(examined)} ${examined === 1 ? 'trace' : 'traces'}`
  if (complete) return examined === 1 ? 'The only trace was counted.' : `All ${traces} were counted.`
  const reason =
    bound === 'seconds'
      ? 'time was over'
      : bound === 'groups'
        ? 'there are more than 10,000 groups'
        : 'more are not counted at once'
  return (
    `Not all: the newest ${traces} were counted, those since ${dateTime(counted_from)}, as ${reason}. ` +
    'A shorter range or a narrower filter counts the rest.'
  )
}

/** Why groups may add up to more than there is. */
export function overlapWords(reply: StatsReply): string {
  const sum = reply.groups.reduce((all, group) => all + (group.metrics['count'] ?? 0), 0)
  const total = reply.total.metrics['count'] ?? 0
  if (sum <= total) return ''
  return `A ${reply.of === 'traces' ? 'trace' : 'request'} with several values is in the group of each.`
}

/** `50 of 1,204 groups, greatest p95 first`. */
export function shownWords(reply: StatsReply, shown: number, sort: GroupSort): string {
  const { groups_total } = reply
  if (shown >= groups_total) return `${count(groups_total)} ${groups_total === 1 ? 'group' : 'groups'}`
  const order = sort.order === 'ascending' ? 'least' : 'greatest'
  return `${count(shown)} of ${count(groups_total)} groups, ${order} ${metricWords(sort.metric, reply.of)} first`
}

export interface Step {
  start: number
  value: number | null
  /** Before this nothing was counted. */
  counted: boolean
}

/** A value for each step of the window, also for those without a trace. */
export function stepsOf(reply: StatsReply, group: StatsGroup, metric: string): Step[] {
  const { step, from, to, counted_from } = reply
  if (!step) return []
  const found = new Map(group.points.map((point) => [point.start, point.metrics[metric] ?? null]))
  const steps: Step[] = []
  for (let start = Math.floor(from / step) * step; start < to; start += step) {
    const counted = start + step > counted_from
    const empty = isCount(metric) && counted ? 0 : null
    steps.push({ start, counted, value: found.get(start) ?? empty })
  }
  return steps
}

/** What a small chart shows, for those who do not see it. */
export function stepsWords(steps: readonly Step[], metric: string): string {
  const best = steps.reduce<Step | null>(
    (most, each) => ((each.value ?? -1) > (most?.value ?? -1) ? each : most),
    null,
  )
  if (!best || best.value === null) return 'nothing over time'
  return `at most ${metricText(metric, best.value)}, at ${clock(best.start)}`
}
