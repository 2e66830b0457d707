// A figure made by the server, drawn in the page's colours. Plotly is loaded when the first chart is wanted.

import { useEffect, useRef, useState } from 'react'
import type { Figure } from '../api/types'
import { usePalette, type Palette } from '../styles/theme'

const load = () => import('plotly.js-cartesian-dist-min').then((module) => module.default)

const SYMBOLS: Record<string, string> = {
  ok: 'circle', error: 'triangle-up', throttle: 'square', fault: 'x', in_progress: 'circle-open',
}
const WORDS: Record<string, string> = {
  ok: 'OK', error: 'Error', throttle: 'Throttle', fault: 'Fault', in_progress: 'In progress',
}

interface Props {
  figure: Figure
  label: string
  height?: number
  onOpen?: (id: string) => void
}

export function Chart({ figure, label, height = 180, onOpen }: Props) {
  const root = useRef<HTMLDivElement>(null)
  const [failed, setFailed] = useState(false)
  const palette = usePalette()
  const open = useRef(onOpen)
  open.current = onOpen

  useEffect(() => {
    const place = root.current as HTMLDivElement
    let gone = false
    load()
      .then(async (plotly) => {
        if (gone) return
        const config = { displayModeBar: false, responsive: true }
        const drawn = await plotly.react(place, painted(figure, palette), framed(figure, palette, height), config)
        if (gone) return
        drawn.removeAllListeners?.('plotly_click')
        drawn.on?.('plotly_click', ({ points }) => {
          const id = points[0]?.customdata
          if (typeof id === 'string') open.current?.(id)
        })
        setFailed(false)
      })
      .catch(() => gone || setFailed(true))
    return () => {
      gone = true
    }
  }, [figure, palette, height])

  useEffect(() => {
    const place = root.current as HTMLDivElement
    return () => void load().then((plotly) => plotly.purge(place)).catch(() => undefined)
  }, [])

  return (
    <div className="chart" style={{ height }} role="img" aria-label={label}>
      {failed && <p className="chart-note">The chart could not be drawn.</p>}
      <div ref={root} />
    </div>
  )
}

/** Colours and symbols by the name of each series; a series without a status takes the neutral bar colour. */
function painted({ data }: Figure, palette: Palette): Record<string, unknown>[] {
  return data.map((series) => {
    const name = String(series['name'] ?? '')
    const status = name in SYMBOLS ? name : null
    const colour = status && status !== 'in_progress' ? palette[status as 'ok'] : status ? palette.mute : palette.bar
    const given = (series['marker'] ?? {}) as Record<string, unknown>
    const isScatter = series['type'] === 'scatter' || String(series['mode'] ?? '').includes('markers')
    const line = status === 'error' ? { color: palette.outline, width: 1 } : { width: 0 }
    const marker = isScatter
      ? { ...given, color: colour, symbol: SYMBOLS[name] ?? 'circle', size: 7, line }
      : { ...given, color: colour, line }
    return { ...series, marker, ...(status && { name: WORDS[name] }) }
  })
}

function framed({ layout }: Figure, palette: Palette, height: number): Record<string, unknown> {
  const axis = (name: string) => ({
    ...((layout[name] ?? {}) as object),
    gridcolor: palette.line,
    linecolor: palette.line,
    zerolinecolor: palette.line,
    tickcolor: palette.line,
    tickfont: { color: palette.mute, size: 11 },
    tickangle: 0,
    automargin: true,
    fixedrange: true,
  })
  return {
    ...layout,
    height,
    autosize: true,
    margin: { l: 44, r: 8, t: 8, b: 32 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: palette.sans, size: 11, color: palette.mute },
    showlegend: false,
    dragmode: false,
    hoverlabel: { bgcolor: palette.panel, bordercolor: palette.line, font: { color: palette.ink } },
    xaxis: axis('xaxis'),
    yaxis: axis('yaxis'),
  }
}
