import { expect, test, vi } from 'vitest'
import type { Figure } from '../api/types'
import { clock } from '../model/format'
import type { Palette } from '../styles/theme'
import { framed, painted, soFar } from './figure'

const PALETTE = new Proxy({}, { get: (_, name) => String(name) }) as Palette

const START = '2026-11-29T14:03:00.000000Z'
const UNTIL = '2026-11-29T14:03:20.500000Z'

function overTime(meta: object | null): Figure {
  const x = ['2026-11-29T14:02:00.000000Z', START]
  const bars = ['ok', 'fault'].map((name) => ({ type: 'bar', name, x, y: [3, 1], width: 60_000, offset: 0 }))
  return { data: bars, layout: { meta, xaxis: { type: 'date' } } }
}

test('the bar that the present cuts is hatched in every status', () => {
  const drawn = painted(overTime({ unfinished: START, until: UNTIL }), PALETTE)
  const shapes = drawn
    .slice(0, 2)
    .map(({ marker }) => (marker as { pattern: { shape: string[] } }).pattern.shape)
  expect(shapes).toEqual([
    ['', '/'],
    ['', '/'],
  ])
})

test('what the pointer shows over it says until when, in the viewer’s time', () => {
  const figure = overTime({ unfinished: START, until: UNTIL })
  const words = `so far, until ${clock(Date.parse('2026-11-29T14:03:20Z') / 1000)}`
  expect(soFar(figure)).toBe(words)
  const last = painted(figure, PALETTE).at(-1)
  expect(last).toMatchObject({ hovertemplate: `${words}<extra></extra>`, y: [0], width: 60_000 })
})

test('whole bars are as they were', () => {
  const drawn = painted(overTime(null), PALETTE)
  expect(soFar(overTime(null))).toBeNull()
  expect(drawn.map(({ name }) => name)).toEqual(['OK', 'Fault'])
  expect(drawn.every(({ marker }) => !Object.hasOwn(marker as object, 'pattern'))).toBe(true)
})

test('the pointer reads durations in words', () => {
  vi.stubGlobal('document', { createElement: () => ({ getContext: () => null }) })
  const marks = { type: 'scatter', mode: 'markers', name: 'fault', x: [START], y: [70_000] }
  const cells = { type: 'heatmap', x: [START], y: [1, 70_000, 90_000], z: [[0], [null]] }
  const [dots, heat] = painted({ data: [marks, cells], layout: {} }, PALETTE)
  expect(dots).toMatchObject({ text: ['1 min 10 s'], hovertemplate: '%{text}<br>%{x|%H:%M:%S}' })
  expect(heat?.['text']).toEqual([['1 ms to 1 min 10 s'], ['1 min 10 s to 1 min 30 s']])
})

test('an axis keeps the ticks and the title of the server', () => {
  const xaxis = {
    type: 'log',
    tickvals: [1],
    ticktext: ['1 ms'],
    unifiedhovertitle: { text: 'Response time' },
  }
  const layout = framed({ data: [{ type: 'bar' }], layout: { xaxis } }, PALETTE, { width: 300, height: 100 })
  expect(layout).toMatchObject({ hovermode: 'x unified', xaxis })
})

test('words of marks give way to the latest ones', () => {
  const at = (minute: number) => `2026-11-29T14:${String(minute).padStart(2, '0')}:00.000000Z`
  const annotations = [14, 13, 6, 0].map((minute) => ({ x: at(minute), text: 'catalog v497' }))
  const shapes = annotations.map(({ x }) => ({ x0: x, x1: x }))
  const layout = { xaxis: { type: 'date', range: [at(0), at(15)] }, annotations, shapes }
  const drawn = framed({ data: [], layout }, PALETTE, { width: 300, height: 100 })
  const words = (drawn['annotations'] as { text: string }[]).map(({ text }) => text)
  expect(words).toEqual(['catalog v497', '▾', 'catalog v497', 'catalog v497'])
  expect(drawn['shapes']).toHaveLength(4)
})
