import { expect, test } from 'vitest'
import { panned, zoomed } from './camera'
import { shiftOf, widened } from './panBuffer'

const view = { width: 1000, height: 600 }
const camera = { k: 0.5, tx: 40, ty: -20 }
const taken = widened(camera, view)
const shift = (now: typeof camera) => shiftOf(taken.camera, taken.size, now, view)

test('a picture is shifted as far as the camera moves, up to half a screen', () => {
  expect(shift(camera)).toEqual({ x: -500, y: -300, scale: 1 })
  expect(shift(panned(camera, 30, -12))).toEqual({ x: -470, y: -312, scale: 1 })
  expect(shift(panned(camera, 500, 0))).not.toBeNull()
  expect(shift(panned(camera, 501, 0))).toBeNull()
  expect(shift(panned(camera, 0, -301))).toBeNull()
})

test('a world point stays where the camera puts it', () => {
  const now = zoomed(panned(camera, 60, 10), 1.2, 300, 200)
  const { x, scale } = shift(now) as { x: number; scale: number }
  const worldX = 123
  expect((worldX * taken.camera.k + taken.camera.tx) * scale + x).toBeCloseTo(worldX * now.k + now.tx)
})

test('a picture is stretched by an octave, and no further', () => {
  expect(shift(zoomed(camera, 1.99, 500, 300))).not.toBeNull()
  expect(shift(zoomed(camera, 2.01, 500, 300))).toBeNull()
  expect(shift(zoomed(camera, 0.51, 500, 300))).not.toBeNull()
  expect(shift(zoomed(camera, 0.49, 500, 300))).toBeNull()
})
