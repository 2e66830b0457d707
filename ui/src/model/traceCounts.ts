// How many traces a chart or a list shows, in words.

import type { TraceFigure, TracePageReply, TraceSummary } from '../api/types'
import type { Work } from '../api/client'
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

type ListCounts = Pick<TracePageReply, 'total' | 'matching_units' | 'sorted'>

/** What a list has: 12 traces; 100 of 4,210 traces; 33 requests in 30 traces; the newest 100 traces. A list that does not
 *  know is counted by its `chart`. */
export function listWords(
  traces: readonly TraceSummary[],
  isAll: boolean,
  first: ListCounts,
  chart: Counts | null,
  work: Work = 'requests',
): string {
  const shown = traces.length
  const counted = first.total ?? (chart?.counted_all ? chart.total : null)
  const total = isAll ? shown : counted
  const all = first.matching_units === null ? '' : `${units(first.matching_units, work)} in `
  const order = first.sorted ? 'slowest' : 'newest'
  if (total === null) return `${all}more than ${tracesOf(shown)}; the ${order} are listed`
  return shown < total
    ? `${all}${tracesOf(total)}; the ${order} ${count(shown)} are listed`
    : `${all}${tracesOf(total)}`
}

/** Requests that the map counts and no trace in the whole list has: their traces were sampled out. */
export function unlisted(traces: readonly TraceSummary[], isAll: boolean, first: ListCounts): number {
  if (!isAll || first.matching_units === null) return 0
  const listed = traces.reduce((sum, { units_there }) => sum + (units_there ?? 0), 0)
  return Math.max(0, first.matching_units - listed)
}

function tracesOf(number: number): string {
  return number === 1 ? '1 trace' : `${count(number)} traces`
}

function units(number: number, work: Work): string {
  const noun = work === 'background' ? 'unit of background work' : 'request'
  const nouns = work === 'background' ? 'units of background work' : 'requests'
  return number === 1 ? `1 ${noun}` : `${count(number)} ${nouns}`
}
