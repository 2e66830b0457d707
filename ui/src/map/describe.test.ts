import { expect, test } from 'vitest'
import { node } from '../model/samples'
import { estimateWords, nodeLabel, typeWords } from './describe'

test('what is estimated says so, and from how many', () => {
  const sampled = node('a', { requests: 9600, ok: 9600, observed: 1200, traces_per_min: 960 })
  expect(nodeLabel(sampled)).toContain('≈960/min')
  expect(estimateWords(sampled)).toBe('≈ estimated from 1,200 sampled spans')
  expect(nodeLabel(node('a'))).not.toContain('≈')
  expect(estimateWords(node('a'))).toBeNull()
})

test('a node of one of several regions says which', () => {
  expect(nodeLabel(node('a', { location: '123456789012 · us-west-2' }))).toContain('123456789012 · us-west-2')
})

test('a node whose numbers count background work says so', () => {
  const job = node('job', { work: 'background', avg_ms: 1_200_000, traces_per_min: 0.2 })
  expect(typeWords(job)).toBe('AWS::Lambda::Function · background work')
  expect(nodeLabel(job)).toContain('background work')
  expect(typeWords(node('api'))).toBe('AWS::Lambda::Function')
})
