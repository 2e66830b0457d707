import { expect, test } from 'vitest'
import type { OperationLine } from '../api/types'
import { operationWords, sorted } from './operations'

const line = (operation: string, change: Partial<OperationLine> = {}): OperationLine => ({
  operation,
  named: operation !== '',
  share: 0,
  requests: 10,
  ok: 10,
  error: 0,
  throttle: 0,
  fault: 0,
  in_progress: 0,
  observed: 10,
  avg_ms: 1,
  p50_ms: 1,
  p95_ms: 1,
  p99_ms: 1,
  ...change,
})

test('operations are sorted by what is chosen, the greatest first', () => {
  const few = line('few', { requests: 2, ok: 1, fault: 1 })
  const slow = line('slow', { p50_ms: 3, p95_ms: 9 })
  const running = line('running', { requests: 0, ok: 0, p50_ms: null, p95_ms: null })
  const names = (order: Parameters<typeof sorted>[1]) =>
    sorted([running, few, slow], order).map((one) => one.operation)
  expect(names('requests')).toEqual(['slow', 'few', 'running'])
  expect(names('fault')).toEqual(['few', 'slow', 'running'])
  expect(names('p95_ms')).toEqual(['slow', 'few', 'running'])
})

test('what names no operation says so', () => {
  expect(operationWords(line(''))).toBe('no operation')
  expect(operationWords({ operation: '(other operations)', named: false })).toBe('(other operations)')
  expect(operationWords(line('GET /'))).toBe('GET /')
})
