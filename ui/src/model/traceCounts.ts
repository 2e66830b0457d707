// How many traces a chart shows, in words.

import type { TraceFigure } from '../api/types'
import { count } from './format'

type Counts = Pick<TraceFigure, 'shown' | 'total' | 'counted_all'>

/** 1 trace; 812 traces; the newest 5,000 of 12,431 traces; the newest 5,000 of more than 25,000 traces. */
export function shownWords({ shown, total, counted_all }: Counts): string {
  if (shown < total) {
    return `the newest ${count(shown)} of ${counted_all ? '' : 'more than '}${count(total)} traces`
  }
  if (!counted_all) return `the newest ${count(shown)} traces`
  return shown === 1 ? '1 trace' : `${count(shown)} traces`
}
