// Two histograms as one chart: each as shares of its own requests, the earlier one as an outline over the bars. Pure.

import type { Figure } from '../api/types'

type Series = Record<string, unknown>
type Axis = { type?: string; range?: number[] }

/** A bar: from, to, and how many requests. */
type Bin = readonly [number, number, number]

/**
 * The histogram of now with that of then. Both have bins of their own: heights are shares of the requests in a bin as
 * wide as those of now. The same figure when either counted nothing.
 */
export function overlaid(now: Figure, then: Figure): Figure {
  const [bars, earlier] = [now.data[0], then.data[0]]
  const axis = axisOf(now, then)
  const isLog = axis.type === 'log'
  const [nowBins, thenBins] = [bars, earlier].map((series) => binsOf(series, isLog)) as [Bin[], Bin[]]
  if (!bars || !total(nowBins) || !total(thenBins)) return now
  const widthOf = ([from, to]: Bin) => (isLog ? Math.log(to / from) : to - from)
  const unit = widthOf(nowBins[0] as Bin)
  const shares = (bins: Bin[]) => bins.map((bin) => ((bin[2] / total(bins)) * unit) / widthOf(bin))
  const heights = shares(nowBins)
  const skipped = numbers(bars['y']).length - nowBins.length
  const data = [
    { ...bars, y: [...Array.from({ length: skipped }, () => 0), ...heights], hovertemplate: HOVER },
    outline(thenBins, shares(thenBins)),
  ]
  const yaxis = { title: { text: 'share of requests' }, tickformat: '.0%', rangemode: 'tozero' }
  return { ...now, data, layout: { ...now.layout, xaxis: axis, yaxis } }
}

const HOVER = '%{customdata}: %{y:.1%}<extra></extra>'

/** Logarithmic if one of them is, and around both; with the ticks of the wider one. */
function axisOf(now: Figure, then: Figure): Axis {
  const axes = [now, then].map(({ layout }) => (layout['xaxis'] ?? {}) as Axis)
  const logs = axes.filter(({ type }) => type === 'log')
  const width = ({ range: [from = 0, to = 0] = [] }: Axis) => to - from
  const axis = logs.toSorted((a, b) => width(b) - width(a))[0]
  if (!axis) return (highest(now) >= highest(then) ? axes[0] : axes[1]) ?? {}
  const bins = [now, then].flatMap(({ data }) => binsOf(data[0], true)).filter(([, , count]) => count > 0)
  const ends = bins.flatMap(([from, to]) => [Math.log10(from), Math.log10(to)])
  return { ...axis, range: [Math.min(...ends), Math.max(...ends)] }
}

const highest = ({ data }: Figure) => binsOf(data[0], false).at(-1)?.[1] ?? 0

/** Of a logarithmic axis those that have a place on it. */
function binsOf(series: Series | undefined, isLog: boolean): Bin[] {
  const [starts, widths, counts] = ['x', 'width', 'y'].map((name) => numbers(series?.[name]))
  const bins = (starts ?? []).map((from, at): Bin => [from, from + (widths?.[at] ?? 0), counts?.[at] ?? 0])
  return isLog ? bins.filter(([from]) => from > 0) : bins
}

const total = (bins: readonly Bin[]) => bins.reduce((sum, [, , count]) => sum + count, 0)

/** Steps from the first bin with requests to the last. */
function outline(bins: Bin[], heights: number[]): Series {
  const first = bins.findIndex(([, , count]) => count > 0)
  const last = bins.findLastIndex(([, , count]) => count > 0)
  const drawn = bins.slice(first, last + 1)
  const steps = heights.slice(first, last + 1)
  const [left, right] = [drawn[0]?.[0] ?? 0, drawn.at(-1)?.[1] ?? 0]
  return {
    type: 'scatter',
    mode: 'lines',
    name: 'then',
    x: [left, ...drawn.map(([from]) => from), right, right],
    y: [0, ...steps, steps.at(-1) ?? 0, 0],
    hoverinfo: 'skip',
  }
}

function numbers(values: unknown): number[] {
  return Array.isArray(values) ? values.map(Number) : []
}
