// What the server's figures lack: colours, the viewer's own time, and words for what a pointer is over.

import type { Figure } from '../api/types'
import { clock, duration } from '../model/format'
import type { Palette } from '../styles/theme'

const SYMBOLS: Record<string, string> = {
  ok: 'circle',
  error: 'triangle-up',
  throttle: 'square',
  fault: 'x',
  in_progress: 'circle-open',
}
const WORDS: Record<string, string> = {
  ok: 'OK',
  error: 'Error',
  throttle: 'Throttle',
  fault: 'Fault',
  in_progress: 'In progress',
}

/** Colours and symbols by the name of each series; a series without a status takes the neutral bar colour. */
export function painted(figure: Figure, palette: Palette): Series[] {
  const cut = unfinished(figure)
  const drawn = figure.data.map((series) => {
    if (series['type'] === 'heatmap') return heated(series, palette)
    if (isOutline(series)) return { ...series, line: { ...OUTLINE, color: palette.ink } }
    return isScattered(series) ? dotted(series, palette) : barred(series, palette, cut)
  })
  return cut ? [...drawn, remark(cut, figure.data[0])] : drawn
}

type Series = Record<string, unknown>

/** A bar that the present cuts: where it starts, as the server wrote it, and until when it is counted. */
interface Cut {
  start: string
  until: number
}

function unfinished({ layout }: Figure): Cut | null {
  const { unfinished: start, until } = (layout['meta'] ?? {}) as Record<string, string | undefined>
  return start && until ? { start, until: Date.parse(until) / 1000 } : null
}

/** `so far, until 14:03:20`, of the newest bar of a chart over time; null when it is whole. */
export function soFar(figure: Figure): string | null {
  const cut = unfinished(figure)
  return cut && untilWords(cut)
}

const untilWords = ({ until }: Cut) => `so far, until ${clock(Math.floor(until))}`

function coloured(series: Series, palette: Palette): { name: string; status: string | null; color: string } {
  const name = String(series['name'] ?? '')
  const status = name in SYMBOLS ? name : null
  if (status === 'in_progress' || name === 'unknown') return { name, status, color: palette.mute }
  return { name, status, color: status ? palette[status as 'ok'] : palette.bar }
}

function dotted(series: Series, palette: Palette): Series {
  const { name, status, color } = coloured(series, palette)
  const line = status === 'error' ? { color: palette.outline, width: 1 } : { width: 0 }
  const times = Array.isArray(series['y']) ? series['y'] : []
  return {
    text: times.map((ms) => duration(Number(ms))),
    hovertemplate: '%{text}<br>%{x|%H:%M:%S}',
    ...series,
    x: localTimes(series['x']),
    marker: { ...given(series), color, symbol: SYMBOLS[name] ?? 'circle', ...markSize(series, name), line },
    ...(status && { name: WORDS[name] }),
  }
}

function barred(series: Series, palette: Palette, cut: Cut | null): Series {
  const { name, status, color } = coloured(series, palette)
  const line = status === 'error' ? { color: palette.outline, width: 0.5 } : { width: 0 }
  return {
    ...(status && { hovertemplate: `${WORDS[name]} %{y}<extra></extra>` }),
    ...series,
    x: localTimes(series['x']),
    marker: { ...given(series), color, line, ...(cut && { pattern: hatched(series['x'], cut) }) },
    ...(status && { name: WORDS[name] }),
  }
}

function hatched(starts: unknown, { start }: Cut): object {
  const shape = Array.isArray(starts) ? starts.map((one) => (one === start ? '/' : '')) : ''
  return { shape, size: 5, solidity: 0.45 }
}

/** A line in what the pointer shows over a bar that is not finished. */
function remark(cut: Cut, like: Series | undefined): Series {
  return {
    width: like?.['width'],
    offset: 0,
    type: 'bar',
    x: [localTime(cut.start)],
    y: [0],
    marker: { color: 'rgba(0,0,0,0)' },
    hovertemplate: `${untilWords(cut)}<extra></extra>`,
  }
}

const given = (series: Series) => (series['marker'] ?? {}) as Series

/** Counts as one hue, from a tint that is still visible to the accent; z is a logarithm of the count. */
function heated(series: Series, palette: Palette): Series {
  const colorscale = [
    [0, `color-mix(in srgb, ${palette.acc} 24%, ${palette.bg})`],
    [1, palette.acc],
  ].map(([at, colour]) => [at, resolved(String(colour))])
  return {
    ...series,
    text: rowWords(series),
    x: localTimes(series['x']),
    colorscale,
    zmin: 0,
    xgap: 1,
    ygap: 1,
  }
}

/** Of every cell the response times that its row counts. */
function rowWords({ y, z }: Series): string[][] {
  if (!Array.isArray(y) || !Array.isArray(z)) return []
  return z.map((cells: unknown[], row) => {
    const words = `${duration(Number(y[row]))} to ${duration(Number(y[row + 1]))}`
    return cells.map(() => words)
  })
}

/** Plotly does not know color-mix(). */
function resolved(colour: string): string {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const g = canvas.getContext('2d')
  if (!g) return colour
  g.fillStyle = colour
  g.fillRect(0, 0, 1, 1)
  const [red, green, blue] = g.getImageData(0, 0, 1, 1).data
  return `rgb(${red}, ${green}, ${blue})`
}

const CROWDED = 300

/** Many marks of what went well are small and let one another through; what failed stays in full. */
function markSize({ x }: Series, name: string): { size: number; opacity: number } {
  const crowded = name === 'ok' && Array.isArray(x) && x.length > CROWDED
  return crowded ? { size: 5, opacity: 0.55 } : { size: 7, opacity: 1 }
}

/** Of what was before, over bars of now. */
const isOutline = (series: Series) => series['mode'] === 'lines'
const OUTLINE = { shape: 'hv', width: 1.25 }

function isScattered(series: Series): boolean {
  return (
    (series['type'] === 'scatter' && !isOutline(series)) || String(series['mode'] ?? '').includes('markers')
  )
}

/** Plotly shows instants as they are written; the page speaks the viewer's own time. */
function localTimes(values: unknown): unknown {
  if (!Array.isArray(values) || typeof values[0] !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(values[0]))
    return values
  return values.map(localTime)
}

function localTime(value: unknown): string {
  const text = String(value)
  const at = new Date(/Z|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 23)
}

const DATE_TICKS = [
  { dtickrange: [null, 60_000], value: '%H:%M:%S' },
  { dtickrange: [60_000, 86_400_000], value: '%H:%M' },
  { dtickrange: [86_400_000, null], value: '%b %-d' },
]

type Axis = { type?: string; title?: { text?: string } | string; range?: unknown[] }

function localRange({ type, range }: Axis): { range?: unknown } {
  return type === 'date' && range ? { range: localTimes(range) } : {}
}

export function framed(
  { data, layout }: Figure,
  palette: Palette,
  { width, height }: { width: number; height: number },
): Record<string, unknown> {
  const axis = (name: string) => ({
    ...((layout[name] ?? {}) as Axis),
    ...localRange((layout[name] ?? {}) as Axis),
    title: titled((layout[name] ?? {}) as Axis),
    gridcolor: palette.line,
    linecolor: palette.line,
    zerolinecolor: palette.line,
    tickcolor: palette.line,
    ...(((layout[name] ?? {}) as Axis).type === 'date' && { tickformatstops: DATE_TICKS }),
    tickfont: { color: palette.mute, size: 11 },
    tickangle: 0,
    automargin: true,
    fixedrange: true,
  })
  return {
    ...layout,
    height,
    autosize: true,
    margin: { l: 12, r: 12, t: layout['annotations'] ? 20 : 8, b: 12 },
    ...marked(layout, palette, width),
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: palette.sans, size: 11, color: palette.mute },
    showlegend: false,
    dragmode: false,
    hovermode: data.some(isScattered) ? 'closest' : 'x unified',
    hoverlabel: {
      bgcolor: palette.panel,
      bordercolor: palette.line,
      font: { color: palette.ink, family: palette.sans, size: 12 },
    },
    xaxis: axis('xaxis'),
    yaxis: axis('yaxis'),
  }
}

type Mark = Record<string, unknown>

/** Deployments: a line each, and words as far as there is room for them; a mark that the pointer reads elsewhere. */
function marked(layout: Figure['layout'], palette: Palette, width: number): Record<string, unknown> {
  const { shapes, annotations } = layout
  if (!Array.isArray(shapes) || !Array.isArray(annotations)) return {}
  const room = roomy(annotations as Mark[], (layout['xaxis'] ?? {}) as Axis, width)
  const line = { color: palette.mute, width: 1, dash: 'dot' }
  return {
    shapes: shapes.map((one: Mark) => ({ ...one, x0: localTime(one['x0']), x1: localTime(one['x1']), line })),
    annotations: annotations.map((one: Mark) => ({
      ...one,
      text: room.has(one) ? one['text'] : '▾',
      x: localTime(one['x']),
      font: { color: palette.mute, size: 10 },
    })),
  }
}

/** Pixels of a letter of a mark's words. */
const LETTER = 6

/** Those whose words stand apart, the first of the list before others: it is the latest. */
function roomy(annotations: Mark[], { range }: Axis, width: number): Set<Mark> {
  const [from, to] = (range ?? []).map((at) => Date.parse(String(at)))
  if (from === undefined || to === undefined) return new Set(annotations)
  const taken: [number, number][] = []
  const free = annotations.filter((one) => {
    const half = (String(one['text']).length * LETTER) / 2
    const at = ((Date.parse(String(one['x'])) - from) / (to - from)) * width
    const middle = Math.min(Math.max(at, half), width - half) // as plotly anchors it at the ends, about
    if (taken.some(([left, right]) => middle - half < right && middle + half > left)) return false
    taken.push([middle - half, middle + half])
    return true
  })
  return new Set(free)
}

/** Dragging draws a box or a band, and a click still is a click. */
export function selecting(selects: 'box' | 'x', palette: Palette): Record<string, unknown> {
  const line = { color: palette.acc, width: 1, dash: 'solid' }
  return {
    dragmode: 'select',
    selectdirection: selects === 'x' ? 'h' : 'any',
    newselection: { mode: 'immediate', line },
    activeselection: { fillcolor: palette.acc, opacity: 0.15 },
    selections: [],
  }
}

function titled({ title }: Axis): object {
  const text = typeof title === 'string' ? title : (title?.text ?? '')
  return text ? { text, font: { size: 11 }, standoff: 8 } : {}
}
