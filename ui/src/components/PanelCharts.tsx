// The charts of a node or an edge. Dragging narrows what is shown; a click takes the bar's value for an alarm.

import { useMemo, useState, type ReactNode } from 'react'
import type { EdgeDetail, Figure, NodeDetail } from '../api/types'
import { timesBetween } from '../filter/selection'
import { shares } from '../model/health'
import { overlaid } from '../model/overlaid'
import { faultsProposal, latencyProposal, minutesOf, rateProposal, type Proposal } from '../model/proposals'
import { Chart } from './Chart'

export interface ChartsProps {
  detail: NodeDetail | EdgeDetail
  /** Response times that those of now are drawn with. */
  then?: { figure: Figure; words: string; now?: { figure: Figure; words: string } } | null
  /** A link to a new alarm. Absent where none can be made. */
  alarmLink: ((rule: Proposal) => ReactNode) | undefined
  /** Dragging over the histogram: milliseconds. Absent where it changes nothing. */
  onResponseTimes: ((from: number, to: number) => void) | undefined
  /** Dragging over time: epoch seconds. */
  onTimes: ((from: number, to: number) => void) | undefined
}

interface Clicked {
  latency?: Proposal | null
  rate?: Proposal | null
  faults?: Proposal
}

export function PanelCharts({ detail, then, alarmLink, onResponseTimes, onTimes }: ChartsProps) {
  const { over_time: overTime } = detail
  const histogram = then?.now?.figure ?? detail.histogram
  const thing = 'node' in detail ? detail.node : detail.edge
  const minutes = minutesOf(overTime)
  const earlier = then?.figure
  const both = useMemo(() => (earlier ? overlaid(histogram, earlier) : histogram), [histogram, earlier])
  const isBoth = both !== histogram
  const latencyAt = (bar: number | null) => latencyProposal(histogram, bar, thing.p95_ms, minutes)
  const rateAt = (bar: number | null) => rateProposal(overTime, bar, minutes)
  const faultsAt = (bar: number | null) =>
    faultsProposal(overTime, bar, shares(thing)?.fault ?? null, minutes)
  // What was clicked, not which bar: a refresh moves those.
  const [clicked, setClicked] = useState<Clicked>({})
  const latency = clicked.latency ?? latencyAt(null)
  const rate = clicked.rate ?? rateAt(null)
  const faults = clicked.faults ?? faultsAt(null)
  return (
    <>
      <ChartHead title="Response time">{alarmLink && latency && alarmLink(latency)}</ChartHead>
      {isBoth && (
        <p className="chart-key mute">
          <span className="chart-now" /> {then?.now?.words ?? 'now'} <span className="chart-then" />{' '}
          {then?.words}
        </p>
      )}
      <Chart
        figure={both}
        label={`Histogram of response times${isBoth ? ', now and then' : ''}${onResponseTimes ? '; drag to filter' : ''}`}
        height={170}
        selects="x"
        onBar={alarmLink && ((bar) => setClicked({ ...clicked, latency: latencyAt(bar) }))}
        onSelect={onResponseTimes && (({ x: [from, to] }) => onResponseTimes(Number(from), Number(to)))}
      />
      <ChartHead title="Statuses over time">
        {alarmLink && rate && alarmLink(rate)}
        {alarmLink?.(faults)}
      </ChartHead>
      <Chart
        figure={overTime}
        label={onTimes ? 'Statuses over time, stacked; drag to choose a time' : 'Statuses over time, stacked'}
        height={150}
        selects="x"
        onBar={alarmLink && ((bar) => setClicked({ ...clicked, rate: rateAt(bar), faults: faultsAt(bar) }))}
        onSelect={
          onTimes &&
          (({ x }) => {
            const times = timesBetween(x)
            if (times) onTimes(times.from, times.to)
          })
        }
      />
    </>
  )
}

function ChartHead({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="chart-head">
      <h3>{title}</h3>
      <span className="bells">{children}</span>
    </div>
  )
}
