// What is counted and by what: dimensions one after the other, and which columns there are.

import type { StatsDimensions, StatsReply } from '../api/types'
import { Icon } from '../components/Icon'
import { Popover } from '../components/Popover'
import { count } from '../model/format'
import {
  bracketed,
  dimensionWords,
  metricWords,
  MOST_DIMENSIONS,
  MOST_METRICS,
  USUAL_METRICS,
  type StatsView,
} from '../model/stats'

interface Props {
  view: StatsView
  offered: StatsDimensions | null
  /** Of a chosen service its requests are counted. */
  fixed: boolean
  onChange(next: Partial<StatsView>): void
}

export function GroupsBar({ view, offered, fixed, onChange }: Props) {
  const { by, of } = view
  return (
    <div className="stats-bar" role="group" aria-label="Grouping">
      <label>
        <span className="mute">Count</span>
        <select
          value={of}
          disabled={fixed}
          title={
            fixed
              ? 'Requests of the chosen service'
              : 'Traces by their entries, or requests of services in them'
          }
          onChange={({ target }) => onChange({ of: target.value as StatsReply['of'] })}
        >
          <option value="traces">traces</option>
          <option value="requests">requests</option>
        </select>
      </label>
      <span className="mute">by</span>
      {by.map((name, index) => (
        <span key={name} className="stats-dimension">
          <DimensionChoice
            label={`Dimension ${index + 1}`}
            chosen={name}
            others={by.filter((one) => one !== name)}
            offered={offered}
            onChoose={(next) => onChange({ by: by.with(index, next) })}
          />
          {by.length > 1 && (
            <button
              type="button"
              className="icon-button small"
              aria-label={`Do not group by ${dimensionWords(name)}`}
              onClick={() => onChange({ by: by.filter((one) => one !== name) })}
            >
              <Icon name="close" size={12} />
            </button>
          )}
        </span>
      ))}
      {by.length < (offered?.most ?? MOST_DIMENSIONS) && (
        <DimensionChoice
          label="Add a dimension"
          chosen=""
          others={by}
          offered={offered}
          onChoose={(next) => onChange({ by: [...by, next] })}
        />
      )}
      <Popover label="Columns" className="button stats-columns" button="Columns">
        {() => <Columns view={view} offered={offered} onChange={onChange} />}
      </Popover>
    </div>
  )
}

interface ChoiceProps {
  label: string
  /** Empty: none yet. */
  chosen: string
  others: readonly string[]
  offered: StatsDimensions | null
  onChoose(name: string): void
}

function DimensionChoice({ label, chosen, others, offered, onChoose }: ChoiceProps) {
  const taken = others.map(bracketed)
  const rest = (offered?.dimensions ?? []).filter(({ name }) => !taken.includes(bracketed(name)))
  const own = rest.find(({ name }) => bracketed(name) === bracketed(chosen))?.name ?? chosen
  const annotations = rest.filter(({ traces }) => traces !== null)
  return (
    <select
      className={chosen ? 'is-on' : undefined}
      aria-label={label}
      value={own}
      disabled={!offered}
      onChange={({ target }) => onChoose(target.value)}
    >
      {!chosen && <option value="">and by…</option>}
      {chosen && !rest.some(({ name }) => name === own) && <option value={own}>{dimensionWords(own)}</option>}
      <optgroup label="Of every trace">
        {rest
          .filter(({ traces }) => traces === null)
          .map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </optgroup>
      {annotations.length > 0 && (
        <optgroup label="Annotations, with the traces that have them">
          {annotations.map(({ name, traces }) => (
            <option key={name} value={name}>
              {dimensionWords(name)} ({count(traces)})
            </option>
          ))}
        </optgroup>
      )}
    </select>
  )
}

interface ColumnsProps {
  view: StatsView
  offered: StatsDimensions | null
  onChange(next: Partial<StatsView>): void
}

function Columns({ view, offered, onChange }: ColumnsProps) {
  const { metrics, sort } = view
  const known = [...new Set([...(offered?.metrics ?? USUAL_METRICS), ...metrics])]
  const toggle = (metric: string, on: boolean) => {
    const next = on
      ? known.filter((one) => one === metric || metrics.includes(one))
      : metrics.filter((one) => one !== metric)
    onChange({ metrics: next, sort: next.includes(sort.metric) ? sort : { ...sort, metric: next[0]! } })
  }
  return (
    <div className="options stats-options">
      {known.map((metric) => {
        const on = metrics.includes(metric)
        return (
          <label key={metric} className="check">
            <input
              type="checkbox"
              checked={on}
              disabled={on ? metrics.length === 1 : metrics.length >= MOST_METRICS}
              onChange={({ target }) => toggle(metric, target.checked)}
            />
            {metricWords(metric, view.of)}
          </label>
        )
      })}
    </div>
  )
}
