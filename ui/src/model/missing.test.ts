import { expect, it, vi } from 'vitest'
import { missingWords, noteMissing, onMissing } from './missing'

it('names the cells until an answer is whole', () => {
  const listener = vi.fn<() => void>()
  const stop = onMissing(listener)
  noteMissing('/api/map?from=1', 'cell 2 of 3 (b:9000)')
  expect(missingWords()).toBe('Cell 2 of 3 (b:9000) does not answer: figures lack its traces.')
  noteMissing('/api/v1/problems', null) // from the home cell alone
  expect(missingWords()).not.toBe('')
  noteMissing('/api/traces?from=1', 'cell 2 of 3 (b:9000); cell 3 of 3 (c:9000)')
  expect(missingWords()).toContain('(b:9000), cell 3 of 3 (c:9000) do not answer: figures lack their traces')
  noteMissing('/api/map?from=2', null)
  expect(missingWords()).toBe('')
  expect(listener).toHaveBeenCalledTimes(3)
  stop()
})

it('ends with a whole answer of the same request', () => {
  noteMissing('/api/nodes/a?from=1', 'cell 1 of 2 (a:9000)')
  noteMissing('/api/nodes/b?from=1', null)
  expect(missingWords()).not.toBe('')
  noteMissing('/api/nodes/a?from=9', null)
  expect(missingWords()).toBe('')
})
