import { expect, test } from 'vitest'
import type { Figure } from '../api/types'
import { bodyOf } from './alarms'
import {
  faultProposal,
  faultsProposal,
  latencyProposal,
  minutesOf,
  proposal,
  proposalWords,
  proposed,
  rateProposal,
} from './proposals'

const X = ['2026-11-29T14:00:00.000000Z', '2026-11-29T14:00:30.000000Z', '2026-11-29T14:01:00.000000Z']

/** Bars of half a minute; the last is not finished. */
const overTime: Figure = {
  data: [
    { name: 'ok', x: X, y: [40, 54, 90], width: 30_000 },
    { name: 'fault', x: X, y: [0, 6, 10], width: 30_000 },
  ],
  layout: { meta: { unfinished: X[2], until: '2026-11-29T14:01:20.000000Z' } },
}
const wide = (width: number): Figure => ({ data: [{ ...overTime.data[0], width }], layout: {} })
const histogram: Figure = { data: [{ x: [0, 81.23456, 162.47], y: [5, 4, 1] }], layout: {} }

const filled = (words: ReturnType<typeof proposal>) =>
  proposed(new URLSearchParams(words as Record<string, string>))

test('the bell of a panel proposes twice the faults of now, and five percent at the least', () => {
  expect(filled(proposal('service("pay")', faultProposal(0.061)))).toMatchObject({
    selector: 'service("pay")',
    metric: 'fault_share',
    threshold: '13',
    datapoints: '3',
    periods: '5',
  })
  expect(faultProposal(null).threshold).toBe(5)
  expect(faultProposal(0.9).threshold).toBe(100)
})

test('an address that says nonsense fills in what every new alarm has', () => {
  const form = proposed(new URLSearchParams('metric=toString&minutes=x'))
  expect(form).toMatchObject({ metric: 'fault_share', threshold: '5', datapoints: '3', periods: '5' })
})

test('the window is a bar of the chart, as far as an alarm may look', () => {
  expect([30_000, 1_800_000, 7_200_000].map((width) => minutesOf(wide(width)))).toEqual([5, 30, 60])
  const form = filled(proposal('', { metric: 'p95_ms', threshold: 800, minutes: 30 }))
  expect(bodyOf(form)).toMatchObject({ metric: 'p95_ms', threshold: 800, datapoints: 18, periods: 30 })
})

test('latency: the bar that was clicked, else the p95 that is shown', () => {
  expect(latencyProposal(histogram, 1, 812.345, 5)).toMatchObject({ metric: 'p95_ms', threshold: 81 })
  expect(latencyProposal(histogram, null, 812.345, 5)).toMatchObject({ threshold: 812 })
  expect(latencyProposal(histogram, 0, 812.345, 5)).toMatchObject({ threshold: 812 })
  expect(latencyProposal(histogram, null, null, 5)).toBeNull()
})

test('requests: a minute’s worth of the bar, else of the busiest whole bar', () => {
  expect(rateProposal(overTime, 0, 5)).toMatchObject({ metric: 'requests', threshold: 80 })
  expect(rateProposal(overTime, null, 5)).toMatchObject({ threshold: 120 })
  const young = { ...overTime, data: overTime.data.map((one) => ({ ...one, y: [0, 0, 4] })) }
  expect(rateProposal(young, null, 5)).toMatchObject({ threshold: 16 })
  expect(rateProposal({ data: [], layout: {} }, null, 5)).toBeNull()
})

test('faults: the share in the bar, else that of the range', () => {
  expect(faultsProposal(overTime, 1, 0.03, 5)).toMatchObject({ metric: 'fault_share', threshold: 10 })
  expect(faultsProposal(overTime, 0, 0.03, 5)).toMatchObject({ threshold: 6 })
  expect(faultsProposal(overTime, null, 0.03, 5)).toMatchObject({ threshold: 6 })
})

test('a bell says what it proposes', () => {
  const words = [
    latencyProposal(histogram, null, 70_000, 5),
    faultProposal(0.06),
    rateProposal(overTime, null, 5),
  ].map((one) => one && proposalWords(one))
  expect(words).toEqual(['p95 ≥ 1 min 10 s', 'faults ≥ 12 %', '≥ 120/min'])
})
