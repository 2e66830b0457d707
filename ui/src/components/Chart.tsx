// A figure made by the server, drawn in the page's colours. Plotly is loaded when the first chart is wanted.

import { useEffect, useRef, useState } from 'react'
import type { Figure } from '../api/types'
import type { Box } from '../filter/selection'
import { usePalette, type Palette } from '../styles/theme'
import { slowWords } from './Loading'
import '../styles/panel.css'

const load = () => import('plotly.js-cartesian-dist-min').then((module) => module.default)

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

interface Props {
  figure: Figure
  label: string
  height?: number
  onOpen?: (id: string) => void
  /** What was dragged over: a box, or with `selects="x"` a stretch of the x axis. */
  onSelect?: ((box: Box) => void) | undefined
  selects?: 'box' | 'x'
}

export function Chart({ figure, label, height = 180, onOpen, onSelect, selects = 'box' }: Props) {
  const root = useRef<HTMLDivElement>(null)
  const [failed, setFailed] = useState(false)
  const [drawn, setDrawn] = useState(false)
  const palette = usePalette()
  const open = useRef(onOpen)
  open.current = onOpen
  const select = useRef(onSelect)
  select.current = onSelect
  const canSelect = onSelect !== undefined

  useEffect(() => {
    const place = root.current as HTMLDivElement
    let gone = false
    load()
      .then(async (plotly) => {
        if (gone) return
        const config = { displayModeBar: false, responsive: true }
        const chart = await plotly.react(
          place,
          painted(figure, palette),
          { ...framed(figure, palette, height), ...(canSelect && selecting(selects, palette)) },
          config,
        )
        if (gone) return
        chart.removeAllListeners?.('plotly_click')
        chart.on?.('plotly_click', ({ points }) => {
          const id = points[0]?.customdata
          if (typeof id === 'string') open.current?.(id)
        })
        chart.removeAllListeners?.('plotly_selected')
        chart.on?.('plotly_selected', (event) => {
          if (event?.range) select.current?.(event.range)
        })
        setFailed(false)
        setDrawn(true)
      })
      .catch(() => gone || setFailed(true))
    return () => {
      gone = true
    }
  }, [figure, palette, height, canSelect, selects])

  useEffect(() => {
    const place = root.current as HTMLDivElement
    return () =>
      void load()
        .then((plotly) => plotly.purge(place))
        .catch(() => undefined)
  }, [])

  return (
    <div className="chart" style={{ height }} role="img" aria-label={label}>
      {failed && <p className="chart-note">The chart could not be drawn.</p>}
      {!failed && !drawn && <ChartSkeleton slow={null} />}
      <div ref={root} />
    </div>
  )
}

/** Bars and a word where a chart will be: an empty frame looks like no data. */
export function ChartSkeleton({ slow }: { slow: number | null }) {
  return (
    <div className="chart-skeleton" role="status">
      <svg viewBox="0 0 240 60" preserveAspectRatio="none" aria-hidden="true">
        <path d="M10 60V42M30 60V30M50 60V36M70 60V18M90 60V26M110 60V10M130 60V22M150 60V14M170 60V34M190 60V28M210 60V44M230 60V38" />
      </svg>
      <p>Loading chart… {slow !== null && slowWords(slow)}</p>
    </div>
  )
}

/** Colours and symbols by the name of each series; a series without a status takes the neutral bar colour. */
function painted({ data }: Figure, palette: Palette): Record<string, unknown>[] {
  return data.map((series) => {
    if (series['type'] === 'heatmap') return heated(series, palette)
    const name = String(series['name'] ?? '')
    const status = name in SYMBOLS ? name : null
    const colour =
      status && status !== 'in_progress' ? palette[status as 'ok'] : status ? palette.mute : palette.bar
    const given = (series['marker'] ?? {}) as Record<string, unknown>
    const isScatter = isScattered(series)
    const line = status === 'error' ? { color: palette.outline, width: isScatter ? 1 : 0.5 } : { width: 0 }
    const hover = { hovertemplate: '%{y:.4~g} ms<br>%{x|%H:%M:%S}', ...series }
    const marker = isScatter
      ? { ...given, color: colour, symbol: SYMBOLS[name] ?? 'circle', ...markSize(series, name), line }
      : { ...given, color: colour, line }
    return {
      ...(isScatter ? hover : series),
      x: localTimes(series['x']),
      marker,
      ...(status && { name: WORDS[name] }),
    }
  })
}

/** Counts as one hue, from a tint that is still visible to the accent; z is a logarithm of the count. */
function heated(series: Record<string, unknown>, palette: Palette): Record<string, unknown> {
  const colorscale = [
    [0, `color-mix(in srgb, ${palette.acc} 24%, ${palette.bg})`],
    [1, palette.acc],
  ].map(([at, colour]) => [at, resolved(String(colour))])
  return { ...series, x: localTimes(series['x']), colorscale, zmin: 0, xgap: 1, ygap: 1 }
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
function markSize({ x }: Record<string, unknown>, name: string): { size: number; opacity: number } {
  const crowded = name === 'ok' && Array.isArray(x) && x.length > CROWDED
  return crowded ? { size: 5, opacity: 0.55 } : { size: 7, opacity: 1 }
}

function isScattered(series: Record<string, unknown>): boolean {
  return series['type'] === 'scatter' || String(series['mode'] ?? '').includes('markers')
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

function framed({ data, layout }: Figure, palette: Palette, height: number): Record<string, unknown> {
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
    ...marked(layout, palette),
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

/** Deployments: a line and a word each. */
function marked({ shapes, annotations }: Figure['layout'], palette: Palette): Record<string, unknown> {
  if (!Array.isArray(shapes) || !Array.isArray(annotations)) return {}
  const line = { color: palette.mute, width: 1, dash: 'dot' }
  return {
    shapes: shapes.map((one: Mark) => ({ ...one, x0: localTime(one['x0']), x1: localTime(one['x1']), line })),
    annotations: annotations.map((one: Mark) => ({
      ...one,
      x: localTime(one['x']),
      font: { color: palette.mute, size: 10 },
    })),
  }
}

/** Dragging draws a box or a band, and a click still is a click. */
function selecting(selects: 'box' | 'x', palette: Palette): Record<string, unknown> {
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
