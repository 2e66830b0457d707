import { expect, test } from 'vitest'
import type { Figure } from '../api/types'
import { overlaid } from './overlaid'

/** Bars from edge to edge, on an axis of a type. */
function histogram(edges: number[], counts: number[], type = 'linear'): Figure {
  const x = edges.slice(0, -1)
  const width = x.map((from, at) => (edges[at + 1] as number) - from)
  const range =
    type === 'log' ? { range: [edges[0], edges.at(-1)].map((end) => Math.log10(end as number)) } : {}
  return {
    data: [{ type: 'bar', x, width, y: counts, customdata: x.map(String) }],
    layout: { xaxis: { type, ...range }, yaxis: { title: { text: 'requests' } } },
  } as unknown as Figure
}

test('both are shares of their own requests', () => {
  const { data, layout } = overlaid(histogram([0, 10, 20], [3, 1]), histogram([0, 10, 20], [50, 150]))
  expect(data[0]?.['y']).toEqual([0.75, 0.25])
  expect(data[1]).toMatchObject({ mode: 'lines', x: [0, 0, 10, 20, 20], y: [0, 0.25, 0.75, 0.75, 0] })
  expect(layout['yaxis']).toMatchObject({ tickformat: '.0%' })
})

test('narrower bins of then are as high as if they were as wide as those of now', () => {
  const { data } = overlaid(histogram([0, 10, 20], [1, 1]), histogram([0, 5, 10], [2, 2]))
  expect(data[1]?.['y']).toEqual([0, 1, 1, 1, 0])
})

test('an axis that is logarithmic for one of them has room for both', () => {
  const wide = histogram([1, 10, 100], [1, 1], 'log')
  const fast = histogram([0, 0.5, 1], [0, 8])
  const { data, layout } = overlaid(fast, wide)
  expect(layout['xaxis']).toMatchObject({ type: 'log', range: [Math.log10(0.5), 2] })
  expect(data[0]?.['y']).toEqual([0, 1])
  const [, then] = data as { y: number[] }[]
  expect(then?.y[1]).toBeCloseTo((0.5 * Math.log(2)) / Math.log(10))
})

test('without requests then the chart is that of now', () => {
  const now = histogram([0, 10], [3])
  expect(overlaid(now, histogram([], []))).toBe(now)
})
