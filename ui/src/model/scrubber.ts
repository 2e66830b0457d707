// The strip of time under the map: which day it shows, which window a gesture means, and its drawing in numbers.

import type { TimeWindow } from '../api/client'
import type { History } from '../api/types'
import { clock, count, date, duration, percent, short } from './format'
import type { Range } from './range'

export const MINUTE = 60
const HOUR = 3600
export const DAY = 86_400
/** Seconds of a step of a day, after which a strip that moves on is requested again. */
export const STEP = 300
const QUARTER_DAY = DAY / 4

export type Point = History['points'][number]
export type Usual = History['usual'][number]

/** The last 24 hours if the window is in them, else the day around it, which stays while the window moves a little. Of a
 * window of more than a day that itself. */
export function dayAround({ from, to }: TimeWindow, now: number): TimeWindow {
  const latest = Math.ceil(now / STEP) * STEP
  if (to - from > DAY) return { from, to }
  if (from >= latest - DAY - STEP) return { from: latest - DAY, to: latest }
  const middle = Math.round((from + to) / 2 / QUARTER_DAY) * QUARTER_DAY
  const end = Math.min(latest, middle + DAY / 2)
  return { from: Math.max(0, end - DAY), to: Math.max(DAY, end) }
}

/** What is shown, in whole minutes: of a live range its full length. */
export function shownIn(range: Range, { from, to }: TimeWindow): TimeWindow {
  if (range.kind === 'fixed') return { from, to }
  const end = Math.floor(to / MINUTE) * MINUTE
  return { from: end - range.preset.seconds, to: end }
}

/** The window moved by some seconds, not beyond the present. */
export function moved({ from, to }: TimeWindow, by: number, now: number): TimeWindow {
  const most = Math.floor(now / MINUTE) * MINUTE - to
  const shift = Math.max(-from, by > 0 ? Math.min(by, Math.max(0, most)) : by)
  return { from: from + shift, to: to + shift }
}

/** A window of some length around an instant; one that is as long as the whole strip would show nothing else. */
export function around(at: number, length: number, day: TimeWindow, now: number): TimeWindow {
  const long = length < day.to - day.from ? length : HOUR
  const from = Math.max(0, Math.round((at - long / 2) / MINUTE) * MINUTE)
  const to = Math.min(from + long, Math.floor(now / MINUTE) * MINUTE)
  return { from: Math.max(0, to - long), to }
}

/** What was dragged over, in whole minutes, one at least. */
export function dragged(one: number, other: number, now: number): TimeWindow {
  const from = Math.floor(Math.min(one, other) / MINUTE) * MINUTE
  const to = Math.ceil(Math.max(one, other) / MINUTE) * MINUTE
  const end = Math.min(Math.max(to, from + MINUTE), Math.ceil(now / MINUTE) * MINUTE)
  return { from: Math.min(from, end - MINUTE), to: end }
}

export const timeAt = (share: number, { from, to }: TimeWindow) =>
  from + Math.min(1, Math.max(0, share)) * (to - from)

export const shareAt = (at: number, { from, to }: TimeWindow) =>
  Math.min(1, Math.max(0, (at - from) / (to - from)))

const faultShare = ({ requests, fault }: Point) => (requests ? fault / requests : 0)

/** The greatest value of each lane, and when. */
export interface Peaks {
  requests: Point | null
  faults: Point | null
  p95: Point | null
}

export function peaks(points: readonly Point[]): Peaks {
  const most = (value: (point: Point) => number) =>
    points.reduce<Point | null>(
      (best, point) => (value(point) > (best ? value(best) : 0) ? point : best),
      null,
    )
  return {
    requests: most((one) => one.requests),
    faults: most(faultShare),
    p95: most((one) => one.p95_ms ?? 0),
  }
}

/** A share of faults that fills its lane at least: one in a thousand does not look like an outage. */
const LEAST_SHARE = 0.02

export interface Drawing {
  requests: string
  /** Bars that are not finished. */
  unfinished: string
  faults: string
  p50: string
  p95: string
  /** The usual, as areas; of faults a line. */
  usualRequests: string
  usualFaults: string
  usualP95: string
}

export interface Lane {
  top: number
  height: number
}

export interface Lanes {
  requests: Lane
  faults: Lane
  p95: Lane
}

/** Paths of all lanes. */
export function drawing(history: History, day: TimeWindow, width: number, lanes: Lanes): Drawing {
  const { points, usual, step } = history
  const x = (at: number) => ((at - day.from) / (day.to - day.from)) * width
  const gap = (step / (day.to - day.from)) * width >= 3 ? 1 : 0
  const per = requestScale(history)
  const tall = faultScale(history)
  const log = timeScale(history)
  const bar = (at: number, lane: Lane, height: number) => {
    const [left, right] = [Math.max(0, x(at)), Math.min(width, x(at + step) - gap)]
    if (height <= 0 || right <= left) return ''
    const tip = lane.top + lane.height - Math.max(1.5, height * lane.height)
    return `M${fixed(left)} ${lane.top + lane.height}V${fixed(tip)}H${fixed(right)}V${lane.top + lane.height}Z`
  }
  const done = (one: Point) => one.start + step <= history.data_until
  const column = (one: Point) => bar(one.start, lanes.requests, one.requests / per)
  const y = (ms: number) => lanes.p95.top + lanes.p95.height * (1 - log(ms))
  const line = (of: (point: Point) => number | null) =>
    points
      .map((one, at) => {
        const ms = of(one)
        if (ms === null) return ''
        const before = at > 0 ? of(points[at - 1] as Point) : null
        const after = at + 1 < points.length ? of(points[at + 1] as Point) : null
        // A step alone is a dash.
        if (before === null && after === null)
          return `M${fixed(x(one.start))} ${fixed(y(ms))}H${fixed(x(one.start + step))}`
        return `${before === null ? 'M' : 'L'}${fixed(x(one.start + step / 2))} ${fixed(y(ms))}`
      })
      .join('')
  const ends = ({ start, end }: Usual) => [Math.max(0, x(start)), Math.min(width, x(end))] as const
  const area = (lane: Lane, low: number, high: number, one: Usual) => {
    const [left, right] = ends(one)
    if (right <= left) return ''
    const at = (share: number) => fixed(lane.top + lane.height * (1 - Math.min(1, share)))
    return `M${fixed(left)} ${at(high)}H${fixed(right)}V${at(low)}H${fixed(left)}Z`
  }
  return {
    requests: points.filter(done).map(column).join(''),
    unfinished: points
      .filter((one) => !done(one))
      .map(column)
      .join(''),
    faults: points.map((one) => bar(one.start, lanes.faults, faultShare(one) / tall)).join(''),
    p50: line(({ p50_ms }) => p50_ms),
    p95: line(({ p95_ms }) => p95_ms),
    usualRequests: usual
      .map((one) => area(lanes.requests, one.requests_low / per, one.requests_high / per, one))
      .join(''),
    usualFaults: usual
      .map((one) => {
        const [left, right] = ends(one)
        const { top, height } = lanes.faults
        const at = top + height * (1 - Math.min(1, one.fault_share / tall))
        return right > left ? `M${fixed(left)} ${fixed(at)}H${fixed(right)}` : ''
      })
      .join(''),
    usualP95: usual
      .map((one) =>
        one.p95_low_ms === null || one.p95_high_ms === null
          ? ''
          : area(lanes.p95, log(one.p95_low_ms), log(one.p95_high_ms), one),
      )
      .join(''),
  }
}

const fixed = (value: number) => Number(value.toFixed(1))

/** Requests of a step that fill the lane. The usual may stand out of it, the counted may not. */
function requestScale({ points, usual }: History): number {
  const most = Math.max(0, ...points.map(({ requests }) => requests))
  const high = Math.max(0, ...usual.map(({ requests_high }) => requests_high))
  return Math.max(1, most, Math.min(high, 2 * most))
}

function faultScale({ points }: History): number {
  return Math.max(LEAST_SHARE, ...points.map(faultShare))
}

/** A logarithm of times, 0 at the fastest p50 and 1 at the slowest p95. */
function timeScale({ points }: History): (ms: number) => number {
  const fast = points.flatMap(({ p50_ms }) => (p50_ms ? [p50_ms] : []))
  const slow = points.flatMap(({ p95_ms }) => (p95_ms ? [p95_ms] : []))
  const low = Math.min(...fast) / 1.1
  const ratio = Math.log(Math.max(Math.max(...slow) / low, 2))
  return (ms) => Math.min(1, Math.max(0, Math.log(Math.max(ms, 1e-6) / low) / ratio))
}

/** Hours with a label: as many as have room, by the viewer's clock; at midnight the date. */
export function hourTicks(day: TimeWindow, width: number): { at: number; words: string }[] {
  const hours = (day.to - day.from) / HOUR
  const room = Math.max(1, Math.floor(width / 64))
  const every =
    [1, 2, 3, 4, 6, 12, 24].find((one) => hours / one <= room) ?? 24 * Math.ceil(hours / 24 / room)
  const found = []
  for (let at = Math.ceil(day.from / HOUR) * HOUR; at < day.to; at += HOUR) {
    const local = new Date(at * 1000)
    const since = (Math.round((at - local.getTimezoneOffset() * 60) / HOUR) + 24_000_000) % every
    if (since === 0)
      found.push({ at, words: local.getHours() === 0 ? date(at).slice(5) : clock(at).slice(0, 5) })
  }
  return found
}

/** Marks that lie within so many pixels of each other are one. */
const CLOSE = 12

export interface Mark {
  from: number
  to: number
  words: string
}

export interface Cluster<M extends Mark> extends Mark {
  marks: M[]
}

export function clusters<M extends Mark>(marks: readonly M[], day: TimeWindow, width: number): Cluster<M>[] {
  const close = ((day.to - day.from) / Math.max(1, width)) * CLOSE
  const found: Cluster<M>[] = []
  for (const mark of marks.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1)
    if (last && mark.from < last.to + close) {
      last.marks.push(mark)
      last.to = Math.max(last.to, mark.to)
      last.words = `${last.words}\n${mark.words}`
    } else found.push({ ...mark, marks: [mark] })
  }
  return found
}

const BASIS: Record<Usual['basis'], string> = {
  weeks: 'the same hour of this weekday in the last four weeks',
  yesterday: 'yesterday at this time',
  hour: 'the hour before',
}

/** By what it is usual: for a heading, and in full. */
export function basisOf({ basis, minutes }: Usual): { short: string; full: string } {
  const before = minutes < 60 ? `the ${minutes} min before` : BASIS.hour
  const words = basis === 'hour' ? before : BASIS[basis]
  const brief = { weeks: `${minutes / 60} weeks`, yesterday: 'yesterday', hour: `${minutes} min` }[basis]
  return { short: `by ${brief}`, full: `Usual by ${words}${minutes < 60 ? '' : `, ${minutes} minutes`}` }
}

/** From when on something will be usual where nothing is yet; nothing where something is, or where no band is shown. */
export function usualFrom({ from, to, usual, usual_since }: History): { short: string; full: string } | null {
  if (usual.length || to - from > 2 * DAY) return null
  if (usual_since === null)
    return { short: 'nothing usual yet', full: 'What is usual is known after half an hour of requests' }
  return {
    short: `usual from ${hm(usual_since)}`,
    full: `What is usual is known from ${hm(usual_since)} on, by the 30 minutes before`,
  }
}

export const usualAt = ({ usual }: History, at: number) =>
  usual.find(({ start, end }) => start <= at && at < end) ?? null

export const pointAt = ({ points, step }: History, at: number) =>
  points.find(({ start }) => start <= at && at < start + step) ?? null

/** The numbers of a step in words, one line each lane: what stands beside it, and in full. */
export interface Reading {
  time: string
  requests: string
  faults: string
  times: string
  usual: { short: string; full: string }
}

export function reading(history: History, point: Point): Reading {
  const { step } = history
  const usual = usualAt(history, point.start)
  const perMinute = (requests: number) => short((requests * 60) / step)
  const cut = point.start + step > history.data_until
  return {
    time: `${between(point.start, point.start + step)}${cut ? ', so far' : ''}`,
    requests: `${count(point.requests)}${usual ? `, usual ${short(Math.ceil(usual.requests_low))}–${short(Math.floor(usual.requests_high))}` : ` · ${perMinute(point.requests)}/min`}`,
    faults: `${percent(faultShare(point))}${usual ? `, usual ≤ ${percent(usual.fault_share)}` : ` · ${count(point.fault)}`}`,
    times: point.p50_ms === null ? '–' : `${duration(point.p50_ms)} · ${duration(point.p95_ms)}`,
    usual: usual ? basisOf(usual) : (usualFrom(history) ?? { short: '', full: 'What is usual is not known' }),
  }
}

const hm = (epoch: number) => clock(epoch).slice(0, 5)

/** 14:05–14:10 */
export const between = (from: number, to: number) => `${hm(from)}–${hm(to)}`

/** The shown window for screen readers. Steps that it cuts make its numbers approximate. */
export function windowWords(history: History | null, { from, to }: TimeWindow): string {
  const time = `${date(from)} ${hm(from)} to ${hm(to)}`
  if (!history) return time
  const { points, step } = history
  const inside = points.filter(({ start }) => start < to && start + step > from)
  if (!inside.length) return time
  const sum = (of: (point: Point) => number) => inside.reduce((total, one) => total + of(one), 0)
  const requests = sum((one) => one.requests)
  const share = requests ? `, ${percent(sum((one) => one.fault) / requests)} faults` : ''
  const about = from % step || to % step ? 'about ' : ''
  return `${time}, ${about}${count(requests)} requests${share}`
}
