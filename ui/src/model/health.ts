// What colours a node: the four states of its finished requests, as shares of one.

import type { Counts, Status } from '../api/types'

/** The order in which a ring is drawn, clockwise from twelve o'clock: worst first. */
export const STATES = ['fault', 'throttle', 'error', 'ok'] as const

export type State = (typeof STATES)[number]
export type Shares = Record<State, number>

export interface StateLabel {
  word: string
  hint: string
}

export const STATE_LABELS: Record<State, StateLabel> = {
  fault: { word: 'Fault', hint: '5xx' },
  throttle: { word: 'Throttle', hint: '429' },
  error: { word: 'Error', hint: '4xx' },
  ok: { word: 'OK', hint: '2xx, 3xx' },
}

export function statusWord(status: Status): string {
  return status === 'in_progress' ? 'In progress' : STATE_LABELS[status].word
}

/** The shares of the four states, or null when no request has finished. They add up to one. */
export function shares(counts: Pick<Counts, State>): Shares | null {
  const total = STATES.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
  if (total <= 0) return null
  const share = (state: State) => (counts[state] ?? 0) / total
  return { fault: share('fault'), throttle: share('throttle'), error: share('error'), ok: share('ok') }
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

export function isUnhealthy(counts: Counts): boolean {
  const part = shares(counts)
  return part !== null && part.ok < 1
}

/** From this share of faults on, an edge is drawn as failing. */
export const FAULTY_EDGE = 0.05

export function isFaulty(counts: Counts): boolean {
  return (shares(counts)?.fault ?? 0) >= FAULTY_EDGE
}
