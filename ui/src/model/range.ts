// Which stretch of time is looked at: a preset that moves with the clock, or two fixed instants.

import type { TimeWindow } from '../api/client'

export interface Preset {
  key: string
  seconds: number
  words: string
}

export const PRESETS: readonly Preset[] = [
  { key: '5m', seconds: 300, words: 'Last 5 minutes' },
  { key: '15m', seconds: 900, words: 'Last 15 minutes' },
  { key: '30m', seconds: 1800, words: 'Last 30 minutes' },
  { key: '1h', seconds: 3600, words: 'Last hour' },
  { key: '3h', seconds: 10_800, words: 'Last 3 hours' },
  { key: '6h', seconds: 21_600, words: 'Last 6 hours' },
  { key: '24h', seconds: 86_400, words: 'Last 24 hours' },
  { key: '7d', seconds: 604_800, words: 'Last 7 days' },
]

export const DEFAULT_PRESET = PRESETS[1] as Preset

export type Range = { kind: 'live'; preset: Preset } | { kind: 'fixed'; from: number; to: number }

export function parseRange(params: URLSearchParams): Range {
  const from = instant(params.get('from'))
  const to = instant(params.get('to'))
  if (from !== null && to !== null && from < to) return { kind: 'fixed', from, to }
  const preset = PRESETS.find(({ key }) => key === params.get('range'))
  return { kind: 'live', preset: preset ?? DEFAULT_PRESET }
}

/** Where there is no room for words. */
export function shortRange(range: Range): string {
  return range.kind === 'live' ? range.preset.key : 'Fixed time'
}

function instant(text: string | null): number | null {
  if (!text) return null
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : null
}

/** What the range adds to a link; null takes the word out. */
export function rangeParams(range: Range): Record<'range' | 'from' | 'to', string | null> {
  if (range.kind === 'live') return { range: range.preset.key, from: null, to: null }
  return { range: null, from: String(range.from), to: String(range.to) }
}

/** The window to ask for now. Whole seconds, so that a second look at the same instant is the same question;
 * a live one begins with a whole minute, since the server counts by the minute: what is cut has to be counted anew. */
export function windowOf(range: Range, now: number): TimeWindow {
  if (range.kind === 'fixed') return { from: range.from, to: range.to }
  const to = Math.ceil(now)
  return { from: Math.floor((to - range.preset.seconds) / 60) * 60, to }
}

/** One window's length earlier (−1) or later (+1). */
export function stepped(window: TimeWindow, direction: -1 | 1): Range {
  const length = window.to - window.from
  return {
    kind: 'fixed',
    from: Math.max(0, window.from + direction * length),
    to: Math.max(length, window.to + direction * length),
  }
}

/** `2026-11-24T10:15:30` as the user's clock or as UTC; null when it is no date. */
export function parseInstant(text: string, utc: boolean): number | null {
  const value = Date.parse(utc ? `${text}Z` : text)
  return Number.isNaN(value) ? null : value / 1000
}

/** The value of a datetime-local input. */
export function inputValue(epoch: number, utc: boolean): string {
  const offset = utc ? 0 : new Date(epoch * 1000).getTimezoneOffset() * 60
  return new Date((epoch - offset) * 1000).toISOString().slice(0, 19)
}
