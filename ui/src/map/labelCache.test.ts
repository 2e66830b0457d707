import { expect, test, vi } from 'vitest'
import { LabelCache, type PlacedLabels } from './labelCache'

const layouts = () => {
  const layout = vi.fn<(k: number) => PlacedLabels>(() => new Map())
  return { layout, cache: new LabelCache(layout) }
}

test('while the scale changes, one layout serves a quarter of an octave, and again on the way back', () => {
  const { layout, cache } = layouts()
  const scales = Array.from({ length: 40 }, (_, i) => 0.1 * 1.03 ** i)
  for (const k of [...scales, ...scales.toReversed()]) cache.at(k, 'a', true)
  const octaves = Math.log2(1.03 ** 39)
  expect(layout.mock.calls.length).toBeLessThanOrEqual(Math.ceil(octaves * 4) + 1)
  for (const [k] of layout.mock.calls) expect(Math.log2(k) * 4).toBeCloseTo(Math.round(Math.log2(k) * 4))
})

test('at rest the layout is that of the scale, and serves while the map is only moved', () => {
  const { layout, cache } = layouts()
  cache.at(0.123, 'a', false)
  cache.at(0.123, 'a', true)
  cache.at(0.123, 'a', false)
  expect(layout.mock.calls).toEqual([[0.123]])
})

test('other content is laid out anew', () => {
  const { layout, cache } = layouts()
  for (const key of ['a', 'b']) for (const changing of [true, false]) cache.at(0.3, key, changing)
  expect(layout).toHaveBeenCalledTimes(4)
})
