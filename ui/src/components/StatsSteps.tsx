// How a metric of one group went over time: a bar for each step, all rows on one scale.

import { clock, date } from '../model/format'
import { metricText, stepsWords, type Step } from '../model/stats'

interface Props {
  steps: readonly Step[]
  /** Seconds. */
  step: number
  metric: string
  highest: number
  label: string
}

const BAR = 5
const HEIGHT = 20
/** Pixels of the least that is not nothing. */
const LEAST = 1.5

export function StatsSteps({ steps, step, metric, highest, label }: Props) {
  const width = steps.length * BAR
  return (
    <svg
      className="stats-bars"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${stepsWords(steps, metric)}`}
    >
      <line x1="0" x2={width} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="stats-base" />
      {steps.map(({ start, value, counted }, index) => {
        const height = value && highest ? Math.max(LEAST, (value / highest) * (HEIGHT - 2)) : 0
        return (
          <g key={start}>
            <title>{titled(start, step, counted ? metricText(metric, value) : 'not counted')}</title>
            <rect
              x={index * BAR}
              y="0"
              width={BAR}
              height={HEIGHT}
              className={counted ? 'stats-slot' : 'stats-gap'}
            />
            {height > 0 && (
              <rect
                x={index * BAR + 0.5}
                y={HEIGHT - 1 - height}
                width={BAR - 1}
                height={height}
                className={`stats-bar-one is-${metric.replace(/_share$/, '')}`}
              />
            )}
          </g>
        )
      })}
    </svg>
  )
}

function titled(start: number, step: number, words: string): string {
  const day = step >= 3600 ? `${date(start)} ` : ''
  return `${day}${clock(start)} – ${clock(start + step)}: ${words}`
}
