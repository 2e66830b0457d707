import { describe, expect, test } from 'vitest'
import { overlap, type Box } from './geometry'
import { BoxIndex, SpatialIndex } from './spatialIndex'

/** A small generator, so that a failure repeats. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

function boxes(count: number, seed: number): Box[] {
  const next = random(seed)
  return Array.from({ length: count }, () => {
    const [left, top] = [next() * 4000 - 2000, next() * 4000 - 2000]
    return { left, top, right: left + next() * 600, bottom: top + next() * 90 }
  })
}

describe('SpatialIndex', () => {
  test('near() misses nothing that overlaps', () => {
    const all = boxes(400, 1)
    const index = new SpatialIndex<Box>(250)
    for (const box of all) index.set(box, [box])
    for (const query of boxes(60, 2)) {
      const found = index.near(query)
      for (const box of all.filter((one) => overlap(one, query))) expect(found).toContain(box)
    }
  })

  test('near() leaves out what is far off', () => {
    const index = new SpatialIndex<string>(100)
    for (let x = 0; x < 100; x++)
      index.set(`n${x}`, [{ left: x * 200, right: x * 200 + 50, top: 0, bottom: 50 }])
    expect(index.near({ left: 0, right: 90, top: 0, bottom: 90 }).size).toBeLessThan(3)
  })

  test('an item that moves is found in its new place alone', () => {
    const index = new SpatialIndex<string>(100)
    const box = (x: number): Box => ({ left: x, right: x + 10, top: 0, bottom: 10 })
    index.set('moved', [box(0)])
    for (let x = 1; x < 50; x++) index.set(`other ${x}`, [box(10_000 + x * 200)])
    index.set('moved', [box(5000)])
    expect(index.near(box(0))).not.toContain('moved')
    expect(index.near(box(5000))).toContain('moved')
  })
})

test('BoxIndex knows free places', () => {
  const index = new BoxIndex(64)
  const own: Box = { left: 0, right: 10, top: 0, bottom: 10 }
  index.add(own)
  expect(index.isFree({ left: 5, right: 15, top: 5, bottom: 15 })).toBe(false)
  expect(index.isFree({ left: 5, right: 15, top: 5, bottom: 15 }, [own])).toBe(true)
  expect(index.isFree({ left: 11, right: 15, top: 0, bottom: 15 })).toBe(true)
  index.remove(own)
  expect(index.isFree(own)).toBe(true)
})
