import { expect, test } from 'vitest'
import type { ServerStatus } from '../api/types'
import { serverState, type Probes } from './serverState'

const status: ServerStatus = {
  version: '1',
  ready: true,
  detail: '',
  problems: [],
  has_traces: true,
  unhealthy: { share: 0.05, count: 2 },
  ingest: {
    received: 10,
    stored: 10,
    rejected: 0,
    dropped: 0,
    kernel_drops: 0,
    rejected_by_reason: {},
    queued: 0,
    journal_bytes: 0,
    oldest_s: 0,
  },
}
const well = { status, reachable: true, failed: 0 }
const said = (probes: Omit<Probes, 'dataAge'>, dataAge: number) => {
  const { tone, words } = serverState({ ...probes, dataAge })
  return `${tone}: ${words}`
}

test('a server that answers is ok', () => {
  expect(said(well, 2)).toBe('ok: Receiving')
})

test('it is slow, not red, while only a probe failed or the data is fresh', () => {
  const unready = { ...status, ready: false, problems: ['queries cannot be answered'] }
  expect(said({ status: unready, reachable: true, failed: 1 }, 500)).toBe('slow: Slow')
  expect(said({ status: unready, reachable: true, failed: 9 }, 60)).toBe('slow: Slow')
  expect(said({ status, reachable: false, failed: 9 }, 12)).toBe('slow: Slow')
})

test('two failed probes and old data are red', () => {
  expect(said({ status: { ...status, ready: false }, reachable: true, failed: 2 }, 61)).toBe('bad: Not ready')
  expect(said({ status: null, reachable: false, failed: 2 }, Infinity)).toBe('bad: No connection')
})

test('before anything is known it connects, also when the first probe fails', () => {
  expect(said({ status: null, reachable: true, failed: 0 }, Infinity)).toBe('unknown: Connecting')
  expect(said({ status: null, reachable: false, failed: 1 }, Infinity)).toBe('unknown: Connecting')
})

test('a server that never received anything waits', () => {
  const nothing = { ...status.ingest, received: 0, stored: 0 }
  expect(said({ ...well, status: { ...status, has_traces: false, ingest: nothing } }, 2)).toBe(
    'unknown: Waiting',
  )
  expect(said({ ...well, status: { ...status, ingest: nothing } }, 2)).toBe('ok: Ready')
})

test('problems and losses are named, and not in red', () => {
  expect(said({ ...well, status: { ...status, problems: ['the journal is full'] } }, 2)).toBe('slow: Problem')
  const lossy = { ...status.ingest, dropped: 3, kernel_drops: 4 }
  expect(said({ ...well, status: { ...status, ingest: lossy } }, 2)).toBe('slow: 7 dropped')
})
