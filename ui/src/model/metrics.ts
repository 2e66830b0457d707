// Metrics of a node in words.

import type { MetricChart } from '../api/types'
import { bytes, count, duration, short } from './format'

const STATS: Record<MetricChart['stat'], string> = { Sum: '', Average: 'mean', Maximum: 'maximum' }

/** The figure of the whole window, in its unit. */
export function metricValue({ total, unit }: MetricChart): string {
  if (total === null) return '–'
  if (unit === 'ms') return duration(total)
  if (unit === 'MB') return bytes(total * 1024 * 1024)
  if (unit === 'Count') return Number.isInteger(total) ? count(total) : short(total)
  return `${short(total)} ${unit}`.trim()
}

/** Whose figure it is: traces are sampled, the platform is not. */
export function sourceWords({ source, stat }: MetricChart): string {
  return [STATS[stat], source].filter(Boolean).join(', ')
}
