import { describe, expect, test } from 'vitest'
import {
  arcs,
  BAND,
  bounds,
  distance,
  edgeWidth,
  INNER,
  loop,
  middle,
  nodeBox,
  overlap,
  R,
  route,
  sampled,
  SELECT_RING,
  SMALLEST_ARC,
  BASELINE,
} from './geometry'

const FULL = Math.PI * 2
const none = { fault: 0, throttle: 0, error: 0, ok: 0, unknown: 0 }

describe('ring', () => {
  test('a healthy node is one whole circle', () => {
    const [only, ...rest] = arcs({ ...none, ok: 1 })
    expect(rest).toEqual([])
    expect(only!.to - only!.from).toBeCloseTo(FULL)
  })

  test.each([
    { fault: 0.001, throttle: 0, error: 0, ok: 0.999, unknown: 0 },
    { fault: 0.001, throttle: 0.001, error: 0.001, ok: 0.997, unknown: 0 },
    { fault: 0.96, throttle: 0.01, error: 0.02, ok: 0.01, unknown: 0 },
    { fault: 0.026, throttle: 0.024, error: 0.025, ok: 0.925, unknown: 0 },
    { fault: 0.25, throttle: 0.25, error: 0.25, ok: 0.25, unknown: 0 },
  ])('bands fill the circle, none under 9°: %o', (shares) => {
    const bands = arcs(shares)
    expect(bands.reduce((sum, { from, to }) => sum + to - from, 0)).toBeCloseTo(FULL)
    for (const { from, to } of bands) expect(to - from).toBeGreaterThanOrEqual(SMALLEST_ARC - 1e-9)
    bands.slice(1).forEach((band, i) => expect(band.from).toBeCloseTo(bands[i]!.to))
  })

  test('bands begin at twelve o’clock with the worst', () => {
    const bands = arcs({ fault: 0.1, throttle: 0.1, error: 0.1, ok: 0.7, unknown: 0 })
    expect(bands.map(({ state }) => state)).toEqual(['fault', 'throttle', 'error', 'ok'])
    expect(bands[0]!.from).toBeCloseTo(-Math.PI / 2)
  })
})

describe('edge', () => {
  test('leaves right of the caller and arrives left of the called', () => {
    const { start, end } = route({ x: 0, y: 0 }, { x: 200, y: 50 }, [], false)
    const band = INNER + BAND.fault + 1
    expect(start[0]).toBeGreaterThanOrEqual(band)
    expect(start[1]).toBe(0)
    expect(end[0] + 9).toBeLessThanOrEqual(200 - band)
    expect(end[1]).toBe(50)
  })

  test('a back edge leaves left and arrives right', () => {
    const { start, end, heading } = route({ x: 200, y: 0 }, { x: 0, y: 0 }, [], true)
    expect(start[0]).toBeLessThan(200)
    expect(end[0]).toBeGreaterThan(0)
    expect(heading[0]).toBe(-1)
  })

  test('goes through its bends with level tangents', () => {
    const { pieces } = route({ x: 0, y: 0 }, { x: 400, y: 0 }, [[200, 90]], false)
    expect(pieces).toHaveLength(2)
    expect(pieces[0]![2]).toEqual([200, 90])
    expect(pieces[0]![1][1]).toBe(90)
  })

  test('width grows with the rate, from 0.8 to 4.8', () => {
    expect(edgeWidth(0)).toBeCloseTo(0.8)
    expect(edgeWidth(100)).toBeCloseTo(2.4)
    expect(edgeWidth(1e9)).toBeCloseTo(4.8)
  })

  test('distances are measured to the line, its middle lies half way', () => {
    const line = sampled(route({ x: 0, y: 0 }, { x: 200, y: 0 }, [], false))
    expect(distance(line, 100, 7)).toBeCloseTo(7, 1)
    expect(middle(line)[0]).toBeCloseTo((37 + 154) / 2, 0)
    expect(middle(line, 1)).toEqual(line.at(-1))
  })

  test('a call to itself stays over the node', () => {
    for (const [, y] of sampled(loop({ x: 0, y: 0 }))) expect(y).toBeLessThan(-R)
  })
})

describe('boxes', () => {
  test('text never touches the ring', () => {
    const capHeight = 12
    expect(BASELINE.name - capHeight).toBeGreaterThanOrEqual(SELECT_RING + 1.5)
  })

  test('nodes on the layout’s grid do not overlap', () => {
    const grid = Array.from({ length: 500 }, (_, i) => ({ x: (i % 25) * 200, y: Math.floor(i / 25) * 128 }))
    const boxes = grid.map((node) => nodeBox(node))
    const clashes = boxes.flatMap((one, i) => boxes.slice(i + 1).filter((other) => overlap(one, other)))
    expect(clashes).toEqual([])
  })

  test('bounds take in every node and its text', () => {
    expect(bounds([])).toBeNull()
    const all = bounds([
      { x: 0, y: 0 },
      { x: 400, y: 128 },
    ])!
    expect(all.right - all.left).toBe(550)
    expect(all.bottom).toBeGreaterThan(128 + BASELINE.numbers)
  })
})
