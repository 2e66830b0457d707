// A problem in words: what is wrong, since when, whom it reaches.

import type { Problem, ProblemList } from '../api/types'
import { clock, count, duration, percent } from './format'

type Known = Pick<ProblemList, 'minutes_counted' | 'minutes_needed' | 'judged_until' | 'to'>

/** Seconds by which minutes are judged later than they end, at most, unless something is wrong. */
const USUAL_LAG = 180

const BEFORE = 600
const AFTER = 300
const NAMES = 3
const FAILURES: Partial<Record<Problem['measure'], string>> = {
  fault: 'faults',
  error: 'client errors',
  throttle: 'throttled',
}

export const isSlow = ({ measure }: Problem) => measure.startsWith('p')
export const isFailing = ({ measure }: Problem) => measure in FAILURES

/** The sign before a problem; never the only cue. */
export function glyph(problem: Problem): string {
  if (isFailing(problem)) return '✕'
  return isSlow(problem) ? '◷' : problem.measure === 'drop' ? '⇣' : '⇡'
}

/** Where it is: a node, or the calls along an edge. */
export function place({ origin, source }: Problem): string {
  return source && !source.type.startsWith('client') ? `${source.name} → ${origin.name}` : origin.name
}

/** faults 0.3 → 9.5 %, p90 12 → 340 ms, no calls of 31 a minute */
export function numbers(problem: Problem): string {
  const { measure, usual, now } = problem
  if (isFailing(problem)) return `${FAILURES[measure]} ${ends(percent(usual), percent(now))}`
  if (isSlow(problem)) return `${measure} ${ends(duration(usual / 1000), duration(now / 1000))}`
  if (measure === 'surge') return `calls ×${(now / Math.max(usual, 1e-9)).toFixed(1)} per request`
  const expected = count(Math.round(usual))
  return now < 0.05 * usual
    ? `no calls of ${expected} a minute`
    : `calls ${expected} → ${count(Math.round(now))} a minute`
}

/** A unit that both have stands once. */
function ends(before: string, after: string): string {
  const [value, unit] = before.split(' ')
  return unit && after.endsWith(` ${unit}`) ? `${value} → ${after}` : `${before} → ${after}`
}

const minute = (epoch: number) => clock(epoch).slice(0, 5)

export function when({ since, ended }: Problem): string {
  return ended === null ? `since ${minute(since)}` : `${minute(since)} to ${minute(ended)}`
}

export function reach({ entries, callers }: Problem): string {
  const names = [...entries, ...callers].map(({ name }) => name)
  if (!names.length) return ''
  const more = names.length - NAMES
  return `affects ${names.slice(0, NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** The nearest change, and how far from the beginning. */
export function changeWords({ changes, since }: Problem): string {
  const [nearest] = changes
  if (!nearest) return ''
  // As the server counts: what begins in one minute goes together.
  const minutes = Math.floor(since / 60) - Math.floor(nearest.at / 60)
  const where = minutes > 0 ? `${minutes} min after` : minutes < 0 ? `${-minutes} min before` : 'with'
  return `${where} ${nearest.what}`
}

/** What is said where nothing is wrong, or where it is too early to say so. */
export function noneWords({ minutes_counted: counted, minutes_needed: needed, judged_until }: Known): string {
  if (counted < needed) return `Learning what is usual: ${counted} of ${needed} minutes`
  return judged_until === null ? 'No problem is known: nothing was judged yet' : 'Nothing unusual'
}

/** That the newest minutes are not judged; empty where they are. */
export function behindWords({ judged_until: until, to }: Known): string {
  if (until === null || to - until <= USUAL_LAG) return ''
  return `Not judged yet: the ${count(Math.round((to - until) / 60))} minutes since ${minute(until)}`
}

export function lastWords(last: Problem | undefined): string {
  if (!last || last.ended === null) return ''
  const minutes = Math.max(1, Math.round((last.ended - last.since) / 60))
  return `last problem ${minute(last.since)}, ${minutes} min`
}

/** Nodes that a problem is about. */
export function nodesOf({ origin, source, entries, callers }: Problem): Set<string> {
  return new Set([origin, ...(source ? [source] : []), ...entries, ...callers].map(({ id }) => id))
}

/** From ten minutes before it began to a little after its end, or to now. */
export function windowOf({ since, ended }: Problem, now: number): { from: number; to: number } {
  return { from: since - BEFORE, to: Math.ceil(ended === null ? now : Math.min(now, ended + AFTER)) }
}

/** The points of a line of the series in a box of 1 × 1, its parts without requests left out. */
export function sparkline({ series }: Problem): [number, number][][] {
  if (!series) return []
  const most = Math.max(...series.values.map((value) => value ?? 0))
  const lines: [number, number][][] = [[]]
  series.values.forEach((value, at) => {
    if (value === null) return void lines.push([])
    lines.at(-1)?.push([at / Math.max(1, series.values.length - 1), most > 0 ? 1 - value / most : 1])
  })
  return lines.filter((line) => line.length > 0)
}
