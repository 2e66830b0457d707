// What dragging over a chart means: a stretch of time, a stretch of response times.

import { both } from './tokens'

/** A box in a chart: x and y as the chart has them. */
export interface Box {
  x: [unknown, unknown]
  y: [unknown, unknown]
}

/** `responsetime >= a AND responsetime < b`, of milliseconds. */
export function responseTimeBetween(from: number, to: number): string {
  const [low, high] = [Math.min(from, to), Math.max(from, to)]
  return both(`responsetime >= ${seconds(low, Math.floor)}`, `responsetime < ${seconds(high, Math.ceil)}`)
}

/** `responsetime >= a`, of milliseconds. */
export function responseTimeFrom(ms: number): string {
  return `responsetime >= ${seconds(ms, Math.floor)}`
}

/** Milliseconds as seconds with four digits, rounded outwards so that nothing at the edge is lost. */
function seconds(ms: number, round: (value: number) => number): string {
  if (ms <= 0) return '0'
  const unit = 10 ** (Math.floor(Math.log10(ms)) - 3)
  return String(Number(((round(Number((ms / unit).toFixed(6))) * unit) / 1000).toPrecision(6)))
}

/** Epoch seconds of an instant on a chart's axis, which is in the browser's zone. */
export function chartInstant(value: unknown): number | null {
  const text = String(value).replace(' ', 'T')
  const at = typeof value === 'number' ? value : Date.parse(text.length === 10 ? `${text}T00:00` : text)
  return Number.isFinite(at) ? at / 1000 : null
}

/** The range between two instants of an axis in whole seconds; null when it is none. */
export function timesBetween([from, to]: [unknown, unknown]): { from: number; to: number } | null {
  const [one, other] = [chartInstant(from), chartInstant(to)]
  if (one === null || other === null) return null
  const [start, end] = [Math.floor(Math.min(one, other)), Math.ceil(Math.max(one, other))]
  return end > start ? { from: start, to: end } : null
}
