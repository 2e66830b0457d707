// A figure made by the server, drawn in the page's colours. Plotly is loaded when the first chart is wanted.

import { useEffect, useRef, useState } from 'react'
import type { Figure } from '../api/types'
import type { Box } from '../filter/selection'
import { usePalette } from '../styles/theme'
import { framed, painted, selecting, soFar } from './figure'
import { slowWords } from './Loading'
import '../styles/panel.css'

const load = () => import('plotly.js-cartesian-dist-min').then((module) => module.default)

interface Props {
  figure: Figure
  label: string
  height?: number
  onOpen?: (id: string) => void
  /** Which bar was clicked, from the left. */
  onBar?: ((index: number) => void) | undefined
  /** What was dragged over: a box, or with `selects="x"` a stretch of the x axis. */
  onSelect?: ((box: Box) => void) | undefined
  selects?: 'box' | 'x'
}

export function Chart({ figure, label, height = 180, onOpen, onBar, onSelect, selects = 'box' }: Props) {
  const root = useRef<HTMLDivElement>(null)
  const [failed, setFailed] = useState(false)
  const [drawn, setDrawn] = useState(false)
  const palette = usePalette()
  const open = useRef(onOpen)
  open.current = onOpen
  const bar = useRef(onBar)
  bar.current = onBar
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
          {
            ...framed(figure, palette, { width: place.clientWidth, height }),
            ...(canSelect && selecting(selects, palette)),
          },
          config,
        )
        if (gone) return
        chart.removeAllListeners?.('plotly_click')
        chart.on?.('plotly_click', ({ points }) => {
          const id = points[0]?.customdata
          if (typeof id === 'string') open.current?.(id)
          const clicked = points.find(({ curveNumber }) => curveNumber < figure.data.length)
          if (clicked) bar.current?.(clicked.pointIndex)
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

  const partial = soFar(figure)
  return (
    <div
      className="chart"
      style={{ height }}
      role="img"
      aria-label={partial ? `${label}; the newest bar ${partial}` : label}
    >
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
