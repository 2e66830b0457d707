import { describe, expect, it } from 'vitest'
import type { StateList } from '../api/types'
import { leaving } from './states'

const state = (name: string) => ({
  name,
  requests: 1,
  ok: 1,
  error: 0,
  throttle: 0,
  fault: 0,
  in_progress: 0,
  average_ms: 1,
})

const flow: StateList = {
  from: 0,
  to: 1,
  data_until: 1,
  incomplete: null,
  node: 'n',
  traces: 1,
  complete: true,
  executions: 9,
  states: ['Reserve', 'Charge', 'Ship'].map(state),
  transitions: [
    { source: null, target: 'Reserve', count: 9 },
    { source: 'Charge', target: null, count: 5 },
    { source: 'Reserve', target: 'Reserve', count: 3 },
    { source: 'Charge', target: 'Ship', count: 3 },
    { source: 'Reserve', target: 'Charge', count: 8 },
    { source: 'Reserve', target: 'Ship', count: 1 },
    { source: 'Ship', target: null, count: 4 },
  ],
}

describe('what follows a state', () => {
  it('begins with the next one of the flow', () => {
    expect(leaving(flow, 'Reserve')).toBe('↓ 8 · again 3 · Ship 1')
    expect(leaving(flow, 'Charge')).toBe('↓ 3 · ends 5')
    expect(leaving(flow, 'Ship')).toBe('ends 4')
  })
})
