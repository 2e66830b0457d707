import { expect, test } from 'vitest'
import type { History } from '../api/types'
import {
  around,
  clusters,
  dayAround,
  dragged,
  drawing,
  moved,
  peaks,
  pointAt,
  reading,
  shareAt,
  shownIn,
  timeAt,
  usualFrom,
  windowWords,
} from './scrubber'
import { PRESETS } from './range'

const NOW = 1_700_000_030
const MINUTE_NOW = 1_699_999_980 // 1,700,000,030 in whole minutes
const DAY = 86_400
const LANES = {
  requests: { top: 0, height: 10 },
  faults: { top: 20, height: 10 },
  p95: { top: 40, height: 10 },
}

const point = (start: number, requests = 0, fault = 0, p95_ms: number | null = null) => ({
  start,
  requests,
  error: 0,
  throttle: 0,
  fault,
  p50_ms: p95_ms,
  p95_ms,
})

const history = (points: History['points'], more: Partial<History> = {}): History => ({
  from: 0,
  to: 600,
  data_until: 600,
  incomplete: null,
  step: 300,
  points,
  usual: [],
  usual_since: null,
  deployments: [],
  deployments_left_out: 0,
  problems: [],
  problems_left_out: 0,
  ...more,
})

test('the strip shows the last day, or the day around an older window', () => {
  const latest = MINUTE_NOW + 120
  expect(dayAround({ from: NOW - 900, to: NOW }, NOW)).toEqual({ from: latest - DAY, to: latest })
  const old = { from: NOW - 10 * DAY, to: NOW - 10 * DAY + 900 }
  const day = dayAround(old, NOW)
  expect(day.to - day.from).toBe(DAY)
  expect(day.from).toBeLessThan(old.from)
  expect(day.to).toBeGreaterThan(old.to)
  expect(dayAround(moved(old, 900, NOW), NOW)).toEqual(day)
  const week = { from: NOW - 7 * DAY, to: NOW }
  expect(dayAround(week, NOW)).toEqual(week)
})

test('a live window is its length in whole minutes', () => {
  const preset = PRESETS[1] as (typeof PRESETS)[number]
  const requested = { from: NOW - 930, to: NOW }
  expect(shownIn({ kind: 'live', preset }, requested)).toEqual({ from: MINUTE_NOW - 900, to: MINUTE_NOW })
  expect(shownIn({ kind: 'fixed', from: 5, to: 8 }, { from: 5, to: 8 })).toEqual({ from: 5, to: 8 })
})

test('steps end at the present, and at the beginning of time', () => {
  const window = { from: MINUTE_NOW - 1000, to: MINUTE_NOW - 100 }
  expect(moved(window, -60, NOW)).toEqual({ from: MINUTE_NOW - 1060, to: MINUTE_NOW - 160 })
  expect(moved(window, 900, NOW)).toEqual({ from: MINUTE_NOW - 900, to: MINUTE_NOW })
  expect(moved({ from: MINUTE_NOW - 60, to: MINUTE_NOW + 30 }, 60, NOW).to).toBe(MINUTE_NOW + 30)
  expect(moved({ from: 30, to: 90 }, -60, NOW)).toEqual({ from: 0, to: 60 })
})

test('a click means the window around it, a drag what it covers, in whole minutes', () => {
  const day = { from: MINUTE_NOW - DAY, to: MINUTE_NOW }
  const at = MINUTE_NOW - 7200
  expect(around(at, 900, day, NOW)).toEqual({ from: at - 420, to: at + 480 })
  expect(around(NOW, 900, day, NOW)).toEqual({ from: MINUTE_NOW - 900, to: MINUTE_NOW })
  expect(around(at, DAY, day, NOW)).toEqual({ from: at - 1800, to: at + 1800 })
  expect(dragged(at + 130, at + 10, NOW)).toEqual({ from: at, to: at + 180 })
  expect(dragged(at, at, NOW)).toEqual({ from: at, to: at + 60 })
  expect(dragged(NOW, NOW + 500, NOW)).toEqual({ from: MINUTE_NOW, to: MINUTE_NOW + 60 })
})

test('places on the strip', () => {
  const day = { from: 100, to: 300 }
  expect(timeAt(0.5, day)).toBe(200)
  expect(timeAt(2, day)).toBe(300)
  expect(shareAt(150, day)).toBe(0.25)
  expect(shareAt(0, day)).toBe(0)
})

test('peaks', () => {
  const [low, high] = [point(0, 100, 50, 20), point(300, 200, 2, 10)]
  expect(peaks([low, high])).toEqual({ requests: high, faults: low, p95: low })
  expect(peaks([point(0)])).toEqual({ requests: null, faults: null, p95: null })
})

test('bars fill their lane at the peak; what is not finished is apart', () => {
  const day = { from: 0, to: 600 }
  const found = drawing(history([point(0, 10), point(300, 20, 10)], { data_until: 400 }), day, 60, LANES)
  expect(found.requests).toBe('M0 10V5H29V10Z')
  expect(found.unfinished).toBe('M30 10V0H59V10Z')
  expect(found.faults).toBe('M30 30V20H59V30Z')
  expect(found.p95).toBe('')
})

test('a share of one in a thousand is low, and seen', () => {
  const found = drawing(history([point(0, 1000, 1)]), { from: 0, to: 600 }, 60, LANES)
  expect(found.faults).toBe('M0 30V28.5H29V30Z')
})

test('a line has gaps where there was nothing', () => {
  const points = [point(0, 1, 0, 10), point(300), point(600, 1, 0, 10), point(900, 1, 0, 20)]
  const { p95 } = drawing(history(points), { from: 0, to: 1200 }, 40, LANES)
  expect(p95.match(/M/g)).toHaveLength(2)
  expect(p95).toMatch(/^M0 .*H10M25 .*L35 /)
})

test('what is usual', () => {
  const usual = {
    start: 0,
    end: 3600,
    basis: 'yesterday' as const,
    minutes: 180,
    requests_low: 5,
    requests_high: 10,
    fault_share: 0.01,
    p95_low_ms: null,
    p95_high_ms: null,
  }
  const known = history([point(0, 20, 1, 5)], { usual: [usual] })
  const found = drawing(known, { from: 0, to: 3600 }, 36, LANES)
  expect(found.usualRequests).toBe('M0 5H36V7.5H0Z')
  expect(found.usualFaults).toBe('M0 28H36')
  expect(found.usualP95).toBe('')
  const words = reading(known, point(0, 20, 1, 5))
  expect(words.requests).toBe('20, usual 5–10')
  expect(words.faults).toBe('5 %, usual ≤ 1 %')
  expect(words.times).toBe('5 ms · 5 ms')
  expect(words.usual).toEqual({ short: 'by yesterday', full: 'Usual by yesterday at this time, 180 minutes' })
})

test('a step without history, and one that is not over', () => {
  const known = history([point(0, 20)], { data_until: 200 })
  const found = pointAt(known, 299)
  expect(found).not.toBeNull()
  const words = reading(known, point(0, 20))
  expect(words.requests).toBe('20 · 4/min')
  expect(words.times).toBe('–')
  expect(words.time).toMatch(/, so far$/)
  expect(words.usual.full).toContain('known after half an hour')
})

test('marks close to each other are one, which has the words of all', () => {
  const marks = [
    { from: 100, to: 100, words: 'b' },
    { from: 0, to: 0, words: 'a' },
    { from: 105, to: 130, words: 'c' },
  ]
  const found = clusters(marks, { from: 0, to: 200 }, 200)
  expect(found.map(({ words }) => words)).toEqual(['a', 'b\nc'])
  expect(found[1]).toMatchObject({ from: 100, to: 130 })
})

test('the window in words; of steps that it cuts about', () => {
  const known = history([point(0, 10, 1), point(300, 10)])
  expect(windowWords(known, { from: 0, to: 600 })).toMatch(/, 20 requests, 5 % faults$/)
  expect(windowWords(known, { from: 60, to: 600 })).toMatch(/, about 20 requests, 5 % faults$/)
  expect(windowWords(null, { from: 0, to: 600 })).not.toContain('requests')
  expect(windowWords(known, { from: 9000, to: 9600 })).not.toContain('requests')
})

test('a young server says by how many minutes something is usual, or when it will be', () => {
  const young = history([point(0, 20)], { to: DAY, usual_since: 2700 })
  expect(reading(young, point(0, 20)).usual.short).toMatch(/^usual from \d\d:\d\d$/)
  expect(usualFrom({ ...young, to: 3 * DAY })).toBeNull()
  const quarter = {
    start: 2700,
    end: 3600,
    basis: 'hour' as const,
    minutes: 45,
    requests_low: 5,
    requests_high: 10,
    fault_share: 0.01,
    p95_low_ms: null,
    p95_high_ms: null,
  }
  const known = { ...young, usual: [quarter], usual_since: null }
  expect(usualFrom(known)).toBeNull()
  expect(reading(known, point(2700, 7)).usual).toEqual({
    short: 'by 45 min',
    full: 'Usual by the 45 min before',
  })
  expect(reading(known, point(2100, 7)).requests).not.toContain('usual')
  expect(drawing(known, { from: 0, to: 3600 }, 36, LANES).usualRequests).toMatch(/^M27 .*H36V.*H27Z$/)
})
