import { expect, test } from 'vitest'
import type { MetricChart } from '../api/types'
import { metricValue, sourceWords } from './metrics'

const chart = (total: number | null, unit: string) =>
  ({ total, unit, stat: 'Sum', source: 'traces' }) as MetricChart

test('a figure has the form of its unit', () => {
  expect(metricValue(chart(1234, 'Count'))).toBe('1,234')
  expect(metricValue(chart(250, 'ms'))).toBe('250 ms')
  expect(metricValue(chart(90, 'MB'))).toMatch(/^90(\.0)? Mi?B$/)
  expect(metricValue(chart(3, 's'))).toBe('3 s')
  expect(metricValue(chart(null, 'Count'))).toBe('–')
})

test('the source is named, and the statistic where it is no sum', () => {
  expect(sourceWords(chart(1, 'Count'))).toBe('traces')
  expect(sourceWords({ ...chart(1, 'ms'), stat: 'Maximum', source: 'platform metrics' })).toBe(
    'maximum, platform metrics',
  )
})
