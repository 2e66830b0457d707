// What colours a node: the four states of its finished requests, as shares of one; and when it counts as unhealthy.

import type { Counts, Status } from '../api/types'

/** The order in which a ring is drawn, clockwise from twelve o'clock: worst first. */
export const STATES = ['fault', 'throttle', 'error', 'ok'] as const

export type State = (typeof STATES)[number]

/** The bands of a ring: also of what ended, but nothing says how. */
export const BANDS = [...STATES, 'unknown'] as const

export type Band = (typeof BANDS)[number]
export type Shares = Record<Band, number>
/** Nodes alone have an unknown part. */
type StateCounts = Pick<Counts, State> & { unknown?: number | null }

export interface StateLabel {
  word: string
  hint: string
}

export const STATE_LABELS: Record<Band, StateLabel> = {
  fault: { word: 'Fault', hint: '5xx' },
  throttle: { word: 'Throttle', hint: '429' },
  error: { word: 'Error', hint: '4xx' },
  ok: { word: 'OK', hint: '2xx, 3xx' },
  unknown: { word: 'Unknown', hint: 'no source' },
}

/** A code beside a status; none where Lambda answered 200 for a function that failed. */
export function shownCode(status: Status, code: number | null): number | null {
  const isFailure = status === 'fault' || status === 'error' || status === 'throttle'
  return isFailure && code !== null && code < 300 ? null : code
}

export function statusWord(status: Status): string {
  return status === 'in_progress' ? 'In progress' : STATE_LABELS[status].word
}

function total(counts: StateCounts): number {
  return BANDS.reduce((sum, band) => sum + (counts[band] ?? 0), 0)
}

/** The shares of the states and of what is unknown, or null when no request has finished. They add up to one. */
export function shares(counts: StateCounts): Shares | null {
  const all = total(counts)
  if (all <= 0) return null
  return Object.fromEntries(BANDS.map((band) => [band, (counts[band] ?? 0) / all])) as Shares
}

export type Traffic = 'none' | 'in_progress' | 'finished'

export function traffic(counts: Counts): Traffic {
  if (shares(counts)) return 'finished'
  return (counts.in_progress ?? 0) > 0 ? 'in_progress' : 'none'
}

/** Whether the counts are extrapolated from fewer observed requests, the rest being sampled out. */
export function isEstimated({ requests, in_progress, observed }: Counts): boolean {
  return observed !== null && observed < (requests ?? 0) + (in_progress ?? 0)
}

/** From when on something is unhealthy: by the share of requests that did not end OK, and by their number. */
export interface Thresholds {
  share: number
  count: number
}

export const DEFAULT_THRESHOLDS: Thresholds = { share: 0.05, count: 2 }

/** A share must fall to this part of its threshold before something counts as healthy again. */
const HYSTERESIS = 0.6

export function isUnhealthy(counts: StateCounts, { share, count }: Thresholds, before = false): boolean {
  const all = total(counts)
  return isOver(all - (counts.ok ?? 0) - (counts.unknown ?? 0), all, share, count, before)
}

/** An edge is drawn as failing by its faults alone: errors are its caller's. */
export function isFailing(counts: StateCounts, { share, count }: Thresholds, before = false): boolean {
  return isOver(counts.fault ?? 0, total(counts), share, count, before)
}

function isOver(bad: number, all: number, share: number, count: number, before: boolean): boolean {
  if (all <= 0 || bad <= 0) return false
  const [least, limit] = before ? [Math.ceil(count * HYSTERESIS), share * HYSTERESIS] : [count, share]
  return bad >= least && bad / all >= limit
}
