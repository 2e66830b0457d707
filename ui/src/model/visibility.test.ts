import { describe, expect, test } from 'vitest'
import { DEFAULT_THRESHOLDS } from './health'
import { edge, node } from './samples'
import { healthOf, hiddenNodes, NO_HEALTH } from './visibility'

const graph = {
  nodes: [
    node('web client', { kind: 'client' }),
    node('web', { ok: 50, fault: 50 }),
    node('cron client', { kind: 'client' }),
    node('cron', { ok: 1000, error: 1 }),
    node('idle', { requests: 0, ok: 0 }),
  ],
  edges: [edge('web client', 'web', { ok: 50, fault: 50 }), edge('cron client', 'cron')],
}
const options = {
  fold: true,
  edgeNumbers: false,
  hideIdle: false,
  onlyUnhealthy: false,
  thresholds: DEFAULT_THRESHOLDS,
}
const health = healthOf(graph, DEFAULT_THRESHOLDS, NO_HEALTH)

describe('hiddenNodes', () => {
  test('hides nothing without an option', () => {
    expect(hiddenNodes(graph, options, health)).toEqual(new Set())
  })

  test('with only unhealthy services, one failure in a thousand hides, and so does its client', () => {
    const hidden = hiddenNodes(graph, { ...options, onlyUnhealthy: true }, health)
    expect(hidden).toEqual(new Set(['cron', 'idle', 'cron client']))
  })

  test('idle nodes hide by themselves', () => {
    expect(hiddenNodes(graph, { ...options, hideIdle: true }, health)).toEqual(new Set(['idle']))
  })
})

test('a verdict depends on the one before it', () => {
  const at = (fault: number) => ({ nodes: [node('a', { ok: 1000 - fault, fault })], edges: [] })
  const over = healthOf(at(60), DEFAULT_THRESHOLDS, NO_HEALTH)
  expect(healthOf(at(40), DEFAULT_THRESHOLDS, over).unhealthy).toEqual(new Set(['a']))
  expect(healthOf(at(40), DEFAULT_THRESHOLDS, NO_HEALTH).unhealthy).toEqual(new Set())
})
