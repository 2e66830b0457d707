// A row for each metric of a node with its source; those with points open to a chart, the others say how to
// send them.

import { useState } from 'react'
import type { MetricChart } from '../api/types'
import { metricValue, sourceWords } from '../model/metrics'
import { Chart } from './Chart'
import '../styles/metrics.css'

export function MetricCharts({ charts }: { charts: readonly MetricChart[] }) {
  const [open, setOpen] = useState<string | null>(null)
  const absent = charts.filter(({ source }) => source === null)
  return (
    <section className="metrics" aria-label="Metrics">
      <h3>Metrics</h3>
      <ul>
        {charts
          .filter(({ source }) => source !== null)
          .map((chart) => (
            <li key={chart.label}>
              <button
                type="button"
                className="metric-row"
                aria-expanded={open === chart.label}
                onClick={() => setOpen(open === chart.label ? null : chart.label)}
              >
                <span>{chart.label}</span>
                <span className="mute">{sourceWords(chart)}</span>
                <span className="metric-value">{metricValue(chart)}</span>
              </button>
              {chart.help && <p className="mute">{chart.help}</p>}
              {open === chart.label && chart.figure && (
                <Chart figure={chart.figure} label={`${chart.label} over time`} height={120} />
              )}
            </li>
          ))}
      </ul>
      {absent.length > 0 && (
        <details className="metrics-absent">
          <summary>Not known: {absent.map(({ label }) => label).join(', ')}</summary>
          {[...new Set(absent.map(({ help }) => help))].map((help) => (
            <p key={help} className="mute">
              {absent
                .filter((chart) => chart.help === help)
                .map(({ label }) => label)
                .join(', ')}
              : {help}
            </p>
          ))}
        </details>
      )}
    </section>
  )
}
