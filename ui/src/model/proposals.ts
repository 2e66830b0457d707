// New alarms as panels and their charts fill them in, by way of an address.

import type { Figure } from '../api/types'
import { METRICS, NEW_ALARM, valueWords, type AlarmForm } from './alarms'
import type { Changes } from './url'

/** A rule as the form has it: of shares the threshold is a percentage. */
export interface Proposal {
  metric: 'fault_share' | 'p95_ms' | 'requests'
  threshold: number
  minutes: number
}

/** The words that fill a new alarm on a node or an edge. */
export function proposal(selector: string, { metric, threshold, minutes }: Proposal): Changes {
  return { new: '1', of: selector, metric, threshold: String(threshold), minutes: String(minutes) }
}

/** Those of all proposals, absent. */
export const NO_PROPOSAL: Changes = { of: null, metric: null, threshold: null, minutes: null }

/** A new alarm as an address fills it: for most of its minutes, as a new one has it. */
export function proposed(params: URLSearchParams): AlarmForm {
  const metric = params.get('metric') ?? ''
  const minutes = Number(params.get('minutes')) || Number(NEW_ALARM.periods)
  const share = Number(NEW_ALARM.datapoints) / Number(NEW_ALARM.periods)
  return {
    ...NEW_ALARM,
    selector: params.get('of') ?? '',
    metric: Object.hasOwn(METRICS, metric) ? metric : NEW_ALARM.metric,
    threshold: params.get('threshold') ?? NEW_ALARM.threshold,
    periods: String(minutes),
    datapoints: String(Math.ceil(minutes * share)),
  }
}

/** `p95 ≥ 812 ms`, `faults ≥ 12 %`, `≥ 120/min` */
export function proposalWords({ metric, threshold }: Proposal): string {
  const value = metric === 'fault_share' ? threshold / 100 : threshold
  return `${NAMES[metric]}≥ ${valueWords(metric, value)}`
}

const NAMES: Record<Proposal['metric'], string> = { p95_ms: 'p95 ', fault_share: 'faults ', requests: '' }

/** Twice the faults that it has now, and five percent at the least. */
export function faultProposal(share: number | null, minutes = LEAST): Proposal {
  const threshold = Math.max(Number(NEW_ALARM.threshold), Math.ceil((share ?? 0) * 200))
  return { metric: 'fault_share', threshold: Math.min(100, threshold), minutes }
}

const LEAST = Number(NEW_ALARM.periods)
/** As many as an alarm may look at. */
const MOST = 60
const MINUTE = 60_000

/** The minutes of a chart's bar, as far as an alarm can have them. */
export function minutesOf(overTime: Figure): number {
  return Math.min(MOST, Math.max(LEAST, Math.ceil(stepOf(overTime) / MINUTE)))
}

/** From a bar of the histogram: where it begins. Without one: the p95 that is shown. */
export function latencyProposal(
  { data }: Figure,
  bar: number | null,
  p95: number | null,
  minutes: number,
): Proposal | null {
  const clicked = bar === null ? null : (numbers(data[0]?.['x'])[bar] ?? null)
  const time = clicked || p95
  return time ? { metric: 'p95_ms', threshold: rounded(time), minutes } : null
}

/** From a bar over time, or without one from the busiest that is whole, if one is. */
export function rateProposal(overTime: Figure, bar: number | null, minutes: number): Proposal | null {
  const totals = totalsOf(overTime)
  const whole = totals.filter((_, index) => !isCut(overTime, index))
  const busiest = Math.max(0, ...whole) || Math.max(0, ...totals)
  const requests = bar === null ? busiest : (totals[bar] ?? 0)
  const perMinute = (requests * MINUTE) / stepOf(overTime)
  return perMinute > 0 ? { metric: 'requests', threshold: rounded(perMinute), minutes } : null
}

/** From a bar over time with faults: its share. Otherwise from that of the whole range. */
export function faultsProposal(
  overTime: Figure,
  bar: number | null,
  share: number | null,
  minutes: number,
): Proposal {
  const faults = bar === null ? 0 : (numbers(seriesOf(overTime, 'fault')?.['y'])[bar] ?? 0)
  if (bar === null || faults === 0) return faultProposal(share, minutes)
  const percents = (faults / (totalsOf(overTime)[bar] as number)) * 100
  return { metric: 'fault_share', threshold: rounded(percents), minutes }
}

const seriesOf = ({ data }: Figure, name: string) => data.find((series) => series['name'] === name)
const numbers = (values: unknown) => (Array.isArray(values) ? values.map(Number) : [])
const stepOf = ({ data }: Figure) => Number(data[0]?.['width']) || MINUTE
/** As exact as the panel shows it. */
const rounded = (value: number) => Number(value.toPrecision(value < 100 ? 2 : 3))

function totalsOf({ data }: Figure): number[] {
  const counts = data.map(({ y }) => numbers(y))
  return (counts[0] ?? []).map((_, index) => counts.reduce((sum, one) => sum + (one[index] ?? 0), 0))
}

function isCut({ data, layout }: Figure, index: number): boolean {
  const starts = data[0]?.['x']
  const cut = (layout['meta'] as { unfinished?: string } | null | undefined)?.unfinished
  return Array.isArray(starts) && cut !== undefined && starts[index] === cut
}
