import { expect, test } from 'vitest'
import {
  cameraFor,
  fitted,
  fittedWithNames,
  panned,
  revealed,
  revealedWithNames,
  viewportOf,
  worldAt,
  zoomed,
} from './camera'

const size = { width: 1000, height: 600 }
const box = { left: 0, top: 0, right: 400, bottom: 300 }

test('a fit shows everything, and never enlarges a small map beyond 1.25', () => {
  const camera = fitted(box, size)
  expect(camera.k).toBe(1.25)
  const wide = fitted({ ...box, right: 4000 }, size)
  expect(wide.tx).toBeGreaterThanOrEqual(0)
  expect(4000 * wide.k + wide.tx).toBeLessThanOrEqual(1000)
})

test('zooming keeps the point under the pointer, within limits', () => {
  const before = { k: 1, tx: 30, ty: 40 }
  const after = zoomed(before, 1.7, 500, 200)
  expect(worldAt(after, 500, 200).x).toBeCloseTo(worldAt(before, 500, 200).x)
  expect(zoomed(before, 1e6, 0, 0).k).toBe(3)
  expect(zoomed(before, 1e-6, 0, 0).k).toBe(0.03)
})

test('a viewport and its camera are the same thing', () => {
  const camera = { k: 0.8, tx: -120, ty: 33 }
  const again = cameraFor(viewportOf(camera, size), size)
  expect(again.tx).toBeCloseTo(camera.tx)
  expect(again.ty).toBeCloseTo(camera.ty)
})

test('revealing moves as little as needed, and not at all when in sight', () => {
  const camera = { k: 1, tx: 100, ty: 100 }
  expect(revealed(camera, box, size)).toEqual(camera)
  const moved = revealed(panned(camera, 700, 0), box, size)
  expect(400 + moved.tx).toBe(1000 - 24)
  expect(moved.ty).toBe(100)
  expect(revealed(camera, { ...box, right: 3000 }, size).k).toBeLessThan(1)
})

test('a fit leaves room for the names at both sides', () => {
  const phone = { width: 390, height: 700 }
  const wide = { left: 0, right: 1000, top: 0, bottom: 900 }
  // Names of 120 pixels under the nodes at both edges, at any scale.
  const namesAt = ({ k, tx }: { k: number; tx: number }) =>
    [wide.left, wide.right].map((x) => ({ left: x * k + tx - 60, right: x * k + tx + 60, top: 0, bottom: 9 }))
  const usual = fitted(wide, phone)
  const camera = fittedWithNames(wide, phone, namesAt)
  const shown = namesAt(camera).every(({ left, right }) => left >= 4 && right <= phone.width - 4)
  expect([namesAt(usual).every(({ left }) => left >= 4), shown]).toEqual([false, true])
  expect(fittedWithNames(wide, phone, () => [])).toEqual(usual)
})

test('a fit keeps the lowest names above the legend', () => {
  const tall = { left: 0, right: 400, top: 0, bottom: 1500 }
  const namesAt = ({ k, tx, ty }: { k: number; tx: number; ty: number }) => [
    { left: tx, right: 400 * k + tx, top: tall.bottom * k + ty, bottom: tall.bottom * k + ty + 30 },
  ]
  const lowest = (camera: { k: number; tx: number; ty: number }) => namesAt(camera)[0]?.bottom
  expect(lowest(fitted(tall, size))).toBeGreaterThan(size.height - 52)
  expect(lowest(fittedWithNames(tall, size, namesAt))).toBeLessThanOrEqual(size.height - 52)
})

test('names longer than the screen do not make the map vanish', () => {
  const wide = { left: 0, right: 1000, top: 0, bottom: 900 }
  const camera = fittedWithNames(wide, { width: 390, height: 700 }, () => [
    { left: -500, right: 900, top: 0, bottom: 9 },
  ])
  expect(camera.k * 1000).toBeGreaterThan(390 * 0.4)
})

test('names of revealed nodes are not cut by the frame', () => {
  // Two nodes at scale 0.3, with names of 160 pixels: much wider than the nodes themselves.
  const pair = { left: 3000, right: 3400, top: 0, bottom: 200 }
  const namesAt = ({ k, tx }: { k: number; tx: number }) =>
    [3075, 3325].map((x) => ({ left: x * k + tx - 80, right: x * k + tx + 80, top: 100, bottom: 120 }))
  const camera = { k: 0.3, tx: 0, ty: 100 }
  const right = (at: typeof camera) => namesAt(at)[1]?.right
  expect(right(revealed(camera, pair, size))).toBeGreaterThan(size.width)
  const shown = revealedWithNames(camera, pair, size, namesAt)
  expect(right(shown)).toBeLessThanOrEqual(size.width - 4)
  expect(shown.k).toBe(0.3)
})
