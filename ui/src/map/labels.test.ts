import { describe, expect, test } from 'vitest'
import type { MapNode } from '../api/types'
import { node } from '../model/samples'
import { overlap, R, type Box } from './geometry'
import { importance, layoutLabels, mostLabels, SMALLEST_TEXT, type Label, type Measure } from './labels'
import { Scene, type SceneNode } from './scene'

const COLUMN = 200
const ROW = 128
const measure: Measure = (text, size, bold) => text.length * size * (bold ? 0.58 : 0.54)

function placed(count: number, over: (index: number) => Partial<MapNode> = () => ({})): SceneNode[] {
  const scene = new Scene()
  const columns = Math.ceil(Math.sqrt(count))
  const nodes = Array.from({ length: count }, (_, i) =>
    node(`service-number-${i}`, { x: (i % columns) * COLUMN, y: Math.floor(i / columns) * ROW, ...over(i) }),
  )
  scene.update({ nodes, edges: [] }, {}, 0)
  return [...scene.nodes.values()]
}

function onScreen({ node: { x, y } }: Label, k: number, box: Box): Box {
  return {
    left: box.left + x * k,
    right: box.right + x * k,
    top: box.top + y * k,
    bottom: box.bottom + y * k,
  }
}

function layout(nodes: SceneNode[], k: number, unhealthy: ReadonlySet<string> = new Set()) {
  return layoutLabels({ nodes, k, measure, tierOf: ({ data }) => (unhealthy.has(data.id) ? 3 : 1) })
}

const SCALES = [0.03, 0.07, 0.15, 0.25, 0.4, 0.55, 0.7, 1, 1.25, 2]

describe.each(SCALES)('at scale %f', (k) => {
  test('no text is smaller than 11 px', () => {
    const sizes = [...layout(placed(400), k).values()].flatMap(({ lines }) => lines.map(({ size }) => size))
    expect(sizes.filter((size) => size < SMALLEST_TEXT)).toEqual([])
  })

  test('no two labels overlap', () => {
    const boxes = [...layout(placed(400), k).values()].flatMap((label) =>
      label.lineBoxes.map((box) => onScreen(label, k, box)),
    )
    const over = (box: Box, i: number) => boxes.slice(i + 1).filter((other) => overlap(box, other))
    expect(boxes.flatMap(over)).toEqual([])
  })
})

test('of a part of a node the value is read, however long the name is', () => {
  const whole = 'a-service-with-a-rather-long-name'
  const parts = ['611', '1.20.4-beta.3+exp.sha.5114f85', ''].map(
    (value) => `${whole} · ${value || 'no version'}`,
  )
  const nodes = placed(3, (i) => ({ name: parts[i] ?? '', whole }))
  const names = [...layout(nodes, 1).values()].map(({ lines }) => lines.slice(0, 2).map(({ text }) => text))
  expect(names).toEqual([
    ['a-service-with-a-rather…', '611'],
    ['a-service-with-a-rather…', '1.20.4-beta.3+exp.sha.511…'],
    ['a-service-with-a-rather…', 'no version'],
  ])
})

test('where there is room, a label has name, type and numbers', () => {
  const labels = layout(placed(9), 1)
  expect(labels.size).toBe(9)
  for (const { lines } of labels.values()) expect(lines).toHaveLength(3)
})

test('where nodes have one name, every label of theirs says in which region', () => {
  const regions = ['us-east-1', 'eu-west-1']
  const nodes = placed(9, (i) => ({ name: 'orders', location: regions[i % 2] }))
  const labels = layout(nodes, 1)
  expect(labels.size).toBe(9)
  for (const { node: labelled, lines } of labels.values()) {
    expect(lines.map(({ text }) => text).slice(0, 2)).toEqual(['orders', labelled.data.location])
    // The numbers as well; the type only where four lines fit above the next row.
    expect(lines.length).toBeGreaterThanOrEqual(3)
    expect(lines.at(-1)?.text).toMatch(/ms/)
  }
})

test('a name that no other node has needs no region', () => {
  const names = ['orders', 'orders', 'payments']
  const labels = layout(
    placed(3, (i) => ({ name: names[i], location: `region-${i}` })),
    1,
  )
  expect([...labels.values()].map(({ lines }) => lines[1]?.text)).toEqual([
    'region-0',
    'region-1',
    'AWS::Lambda::Function',
  ])
})

test('from afar what fails has its numbers, where there is room, and nothing else', () => {
  const nodes = placed(9, (i) => ({ avg_ms: 12, traces_per_min: 3, x: (i % 3) * 400, y: i * 120 }))
  const ill = nodes.slice(0, 2).map(({ data }) => data.id)
  const labels = layout(nodes, 0.4, new Set(ill))
  const withNumbers = [...labels].filter(([, { lines }]) => lines.some(({ text }) => text.includes('ms')))
  expect(labels.size).toBe(9)
  expect(withNumbers.map(([id]) => id).toSorted()).toEqual(ill.toSorted())
})

test('from afar what differs says by how much, where it begins before where it follows', () => {
  const delta = (begins: boolean) => ({ words: begins ? 'Δ begins' : 'Δ follows', begins, paint: () => {} })
  const differing = (apart: number) =>
    layoutLabels({
      nodes: placed(2, (i) => ({ x: i * apart, y: 0, requests: 2 - i, delta: delta(i === 1) })),
      k: 0.38,
      measure,
      tierOf: (one) => importance(one, new Set(), null),
    })
  const last = (labels: ReturnType<typeof differing>) =>
    [...labels.values()].map(({ lines }) => lines.at(-1)?.text)
  expect(last(differing(600))).toEqual(['Δ begins', 'Δ follows'])
  expect([...differing(600).keys()]).toEqual(['service-number-1', 'service-number-0'])
})

test('every node has its numbers before any has its type', () => {
  // The first one's type is so wide that it would be in the way of the second one's numbers.
  const nodes = placed(2, (i) => ({ name: `n${i}`, x: i * 95, y: 0, requests: 2 - i }))
  const labels = layout(nodes, 1)
  for (const { lines } of labels.values()) expect(lines.at(-1)?.text).toMatch(/ms/)
})

test('a long name leaves room beside it for the numbers of a row below', () => {
  const nodes = placed(2, (i) => ({
    name: ['a-name-of-24-characters-', 'a'][i],
    type: '',
    x: i * 90,
    y: i * 18,
  }))
  const labels = [...layout(nodes, 1).values()]
  for (const { lines, box } of labels) {
    expect(lines.at(-1)?.text).toMatch(/ms/)
    expect(box.top).toBeGreaterThan(0)
  }
  const [first, second] = labels.map((label) => onScreen(label, 1, label.box))
  expect(first && second && overlap(first, second)).toBe(true)
})

test('every node has its name before any has details', () => {
  const names = ['a', 'a-neighbour']
  const nodes = placed(2, (i) => ({ name: names[i], x: i * 95, y: 0, requests: 2 - i }))
  const labels = layout(nodes, 1)
  expect([...labels.values()].map(({ lines }) => lines[0]?.text)).toEqual(names)
})

test('a name that has no place below its node is above', () => {
  const nodes = placed(2, (i) => ({ name: 'a-name-of-length', x: i * 95, y: 0, requests: 2 - i }))
  const [lower, upper] = [...layout(nodes, 1).values()]
  expect(lower?.box.top).toBeGreaterThan(0)
  expect(upper?.box.bottom).toBeLessThan(0)
  expect(upper?.lines.map(({ text }) => text)).toEqual(['a-name-of-length'])
})

test('where there is none, the busiest keep their names', () => {
  const labels = layout(
    placed(400, (i) => ({ requests: i })),
    0.2,
  )
  expect(labels.size).toBeGreaterThan(10)
  expect(labels.size).toBeLessThan(400)
  expect(labels.has('service-number-399')).toBe(true)
})

// A map of two thousand fits a laptop's screen at about 0.1.
test.each(SCALES.filter((k) => k >= 0.07))(
  'fifty unhealthy services among two thousand all have their names at scale %f',
  (k) => {
    const nodes = placed(2000, (i) => ({ requests: i }))
    const unhealthy = new Set(nodes.filter((_, i) => i % 40 === 3).map(({ data }) => data.id))
    const labels = layout(nodes, k, unhealthy)
    expect(unhealthy.size).toBe(50)
    for (const id of unhealthy) expect(labels.has(id)).toBe(true)
  },
)

test('names beside a selection stay, after those of the selection', () => {
  const nodes = placed(9)
  const labels = layoutLabels({
    nodes,
    k: 0.4,
    measure,
    tierOf: ({ data }) => (data.id === 'service-number-4' ? 4 : 0),
  })
  expect([...labels.keys()][0]).toBe('service-number-4')
  expect(labels.size).toBeGreaterThan(4)
})

test('a small screen has five names, of the most important, until one zooms in', () => {
  const phone = { width: 390, height: 600 }
  const nodes = placed(40, (i) => ({ requests: i }))
  const unhealthy = new Set(['service-number-3', 'service-number-11'])
  const on = (k: number) =>
    layoutLabels({
      nodes,
      k,
      measure,
      most: mostLabels(phone, k),
      tierOf: ({ data }) => (unhealthy.has(data.id) ? 3 : 1),
    })
  expect(on(0.18).size).toBe(5)
  for (const id of unhealthy) expect(on(0.18).has(id)).toBe(true)
  expect(on(0.6).size).toBe(40)
  expect([
    mostLabels({ width: 720, height: 406 }, 0.3),
    mostLabels({ width: 1440, height: 570 }, 0.3),
  ]).toEqual([5, Infinity])
})

test('the name of an unhealthy service covers no calm one while there is a place beside it', () => {
  const nodes = placed(9, (i) => ({ name: 'a-name-of-length', x: (i % 3) * 90, y: Math.floor(i / 3) * 60 }))
  const [label] = layoutLabels({
    nodes,
    k: 0.5,
    measure,
    most: 1,
    tierOf: ({ data }) => (data.id === 'service-number-4' ? 3 : 1),
  }).values()
  if (!label) throw new Error('no label')
  const box = onScreen(label, 0.5, label.box)
  const covered = nodes.filter(({ x, y }) => {
    const [cx, cy, r] = [x * 0.5, y * 0.5, R * 0.5]
    return overlap(box, { left: cx - r, right: cx + r, top: cy - r, bottom: cy + r })
  })
  expect(covered).toEqual([])
})

test('numbers of background work are called that', () => {
  const [label] = layout(
    placed(1, () => ({ work: 'background' })),
    1,
  ).values()
  expect(label?.lines.at(-1)?.text).toMatch(/^background work · .*ms/)
})

test('numbers of background work have two lines where one is too long', () => {
  const nodes = placed(3, (i) => ({
    x: i * 130,
    y: 0,
    name: `n${i}`,
    type: '',
    work: i === 1 ? 'background' : 'requests',
  }))
  const label = layout(nodes, 1).get('service-number-1')
  expect(label?.lines.map(({ text }) => text)).toEqual(['n1', 'background work', expect.stringMatching(/ms/)])
})

test('where there is no room for a second line either, the word for background work is shorter', () => {
  const place = [
    { x: 0, y: 0 },
    { x: 120, y: 0 },
    { x: 240, y: 0 },
    { x: 120, y: 110 },
  ]
  const nodes = placed(4, (i) => ({
    ...place[i],
    name: `n${i}`,
    type: '',
    work: i === 1 ? 'background' : 'requests',
  }))
  const label = layout(nodes, 1).get('service-number-1')
  expect(label?.lines.map(({ text }) => text)).toEqual(['n1', expect.stringMatching(/^background · .*ms/)])
})
