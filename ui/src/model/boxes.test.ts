import { expect, test } from 'vitest'
import {
  around,
  boxLabel,
  CARD,
  edgeWords,
  figuresWords,
  frameRect,
  linePath,
  lineRoute,
  markPlaces,
  rectOf,
  type BoxNode,
} from './boxes'
import type { Point } from '../api/types'
import { edge, node } from './samples'

const box = (id: string, over: Partial<BoxNode> = {}, inner: Partial<BoxNode['box']> = {}): BoxNode => ({
  ...node(id, { type: '', kind: 'service' }),
  box: {
    members: 12,
    reporting: 10,
    figures: 'arrivals',
    work: { requests: 30, ok: 30, error: 0, throttle: 0, fault: 0 },
    unhealthy: [],
    unhealthy_total: 0,
    ...inner,
  },
  ...over,
})

const ill = (name: string) => ({ id: name, name, requests: 10, failed: 5, fault: 5 })

test('boxes of neighbouring places do not touch', () => {
  const [a, right, below] = [rectOf({ x: 0, y: 0 }), rectOf({ x: 200, y: 0 }), rectOf({ x: 0, y: 128 })]
  expect(right.left - (a.left + a.width)).toBeGreaterThan(30)
  expect(below.top - (a.top + a.height)).toBeGreaterThan(10)
  expect(around([node('a'), node('b', { x: 200, y: 128 })])).toEqual({
    left: a.left,
    top: a.top,
    right: right.left + CARD.width,
    bottom: below.top + CARD.height,
  })
})

test('a line leaves towards its target, and backwards where that lies to the left', () => {
  const [left, right] = [node('l'), node('r', { x: 200 })]
  const start = (path: string) => Number(/^M(-?[\d.]+)/.exec(path)?.[1])
  const { left: from, width } = rectOf(left)
  expect(start(linePath(lineRoute({ bends: [] }, left, right)))).toBe(from + width)
  expect(start(linePath(lineRoute({ bends: [] }, right, left)))).toBe(rectOf(right).left)
})

test('a mark stands on its line, on no box and on no other mark', () => {
  const at = (id: string, x: number, y: number) => ({ ...box(id), x, y })
  const [one, between, other] = [at('one', 100, 64), at('between', 300, 64), at('other', 500, 64)]
  const route = lineRoute({ bends: [] }, one, other)
  const [first, second] = markPlaces([route, route], [one, between, other]) as [Point, Point]
  for (const [x, y] of [first, second]) {
    expect(y).toBeCloseTo(64 * 1.04, 0)
    for (const { left: from, width } of [one, between, other].map(rectOf)) {
      expect(x < from || x > from + width).toBe(true)
    }
  }
  expect(Math.abs(first[0] - second[0])).toBeGreaterThan(20)
})

test('without room a mark stands in the middle of its line', () => {
  const at = (id: string, x: number) => ({ ...box(id), x, y: 64 })
  const [one, other] = [at('one', 100), at('other', 300)]
  const route = lineRoute({ bends: [] }, one, other)
  const [place] = markPlaces([route], [one, other])
  expect(place?.[0]).toBeCloseTo((rectOf(one).left + CARD.width + rectOf(other).left) / 2, 0)
})

test('a screen reader hears what a box shows', () => {
  const named = ['a', 'b', 'c', 'd'].map(ill)
  const words = boxLabel(box('payments', { ok: 9, fault: 1 }, { unhealthy: named, unhealthy_total: 4 }))
  expect(words).toBe(
    'payments, 12 services, 2/min · 20 ms, 10 % Fault, 90 % OK, 4 unhealthy: a, b, c and others',
  )
  expect(figuresWords(box('idle', { requests: 0, ok: 0 }))).toBe('no traffic')
  expect(boxLabel(box('one', {}, { members: 1 }))).toContain('1 service,')
  const delta = { words: 'Δ 1 differs: a faults 0 → 9 %', begins: true, paint: () => undefined }
  expect(edgeWords(edge('a', 'b', { delta }), 'a', 'b')).toMatch(/ · Δ 1 differs: a faults 0 → 9 %$/)
  expect(boxLabel(box('shop', { delta }))).toMatch(/, Δ 1 differs: a faults 0 → 9 %$/)
})

test('an edge says what of it failed', () => {
  expect(edgeWords(edge('a', 'b', { ok: 9, fault: 1, requests: 10 }), 'A', 'B')).toMatch(
    /^A → B: .*10 % failed$/,
  )
})

test('an open box is at its place, large enough to be read, and inside of the map', () => {
  const size = { width: 1400, height: 800 }
  const place = rectOf({ x: 600, y: 300 })
  const middle = frameRect(place, { k: 1, tx: 0, ty: 0 }, size)
  expect(middle.width).toBeGreaterThan(CARD.width)
  expect(Math.abs(middle.left + middle.width / 2 - (place.left + place.width / 2))).toBeLessThanOrEqual(1)
  const corner = frameRect(rectOf({ x: 0, y: 0 }), { k: 0.5, tx: 0, ty: 0 }, size)
  expect(corner.left).toBeGreaterThan(0)
  expect(corner.top).toBeGreaterThan(0)
  const near = frameRect(place, { k: 5, tx: -2000, ty: -1000 }, size)
  expect(near.width).toBe(5 * CARD.width)
  const phone = frameRect(place, { k: 1, tx: 0, ty: 0 }, { width: 390, height: 500 })
  expect(phone.left + phone.width).toBeLessThan(390)
})
