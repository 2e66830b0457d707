// The times of a trace in the list. Pure.

import type { TraceSummary } from '../api/types'
import { duration } from './format'

/** Nothing where it is the duration again, as of nearly all traces. */
export function responseWords({
  duration_ms,
  response_ms,
}: Pick<TraceSummary, 'duration_ms' | 'response_ms'>): string {
  const words = response_ms === null ? '' : duration(response_ms)
  return words === duration(duration_ms) ? '' : words
}

/** Of a logarithmic track, so that one long job does not make all others vanish. */
export function barShare(ms: number, slowest: number): number {
  return slowest > 0 ? Math.log1p(ms) / Math.log1p(slowest) : 0
}
