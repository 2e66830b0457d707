// Groups of traces or requests: a row each, with a small chart of the metric by which they are sorted.

import { Fragment, type ReactNode } from 'react'
import type { StatsGroup, StatsReply } from '../api/types'
import { percent } from '../model/format'
import { shares, STATES, STATE_LABELS } from '../model/health'
import {
  dimensionWords,
  groupWords,
  metricText,
  metricWords,
  stepsOf,
  valueWords,
  type GroupSort,
  type StatsView,
} from '../model/stats'
import { SharesBar } from './SharesBar'
import { StatsSteps } from './StatsSteps'

interface Props {
  reply: StatsReply
  groups: readonly StatsGroup[]
  view: StatsView
  sort: GroupSort
  onSort(metric: string): void
  /** A link to the traces of a group; only the words of one that no filter selects. */
  groupLink(group: StatsGroup, words: ReactNode): ReactNode
  mapLink(group: StatsGroup): ReactNode
}

export function StatsTable({ reply, groups, view, sort, onSort, groupLink, mapLink }: Props) {
  const charts = groups.map((group) => stepsOf(reply, group, sort.metric))
  const highest = Math.max(0, ...charts.flat().map(({ value }) => value ?? 0))
  const by = reply.by.length ? reply.by : ['']
  return (
    <table
      className="table stats-table"
      aria-label={`${metricWords('count', reply.of)} by ${view.by.join(', ')}`}
    >
      <thead>
        <tr>
          {by.map((name) => (
            <th key={name} scope="col">
              {dimensionWords(name)}
            </th>
          ))}
          {view.metrics.map((metric) => (
            <th
              key={metric}
              scope="col"
              className="numeric"
              aria-sort={metric === sort.metric ? sort.order : undefined}
            >
              <button type="button" className="sort" onClick={() => onSort(metric)}>
                {metricWords(metric, reply.of)}
                <span aria-hidden="true">
                  {metric === sort.metric ? (sort.order === 'descending' ? '▾' : '▴') : ''}
                </span>
              </button>
            </th>
          ))}
          <th scope="col">Outcomes</th>
          <th scope="col">
            {metricWords(sort.metric, reply.of)} over time{' '}
            <span className="stats-scale">to {metricText(sort.metric, highest)}</span>
          </th>
          <th scope="col">
            <span className="visually-hidden">On the map</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group, index) => (
          <tr key={JSON.stringify(group.values)}>
            <GroupName group={group} by={by} groupLink={groupLink} />
            {view.metrics.map((metric) => (
              <td
                key={metric}
                className={metric === sort.metric ? 'numeric is-sorted' : 'numeric'}
                data-metric={metricWords(metric, reply.of)}
              >
                <Figure metric={metric} value={group.metrics[metric] ?? null} />
              </td>
            ))}
            <td className="stats-outcomes">
              <Outcomes group={group} />
            </td>
            <td className="stats-steps">
              <StatsSteps
                steps={charts[index] ?? []}
                step={reply.step ?? 0}
                metric={sort.metric}
                highest={highest}
                label={groupWords(group)}
              />
            </td>
            <td className="stats-map">{mapLink(group)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface NameProps {
  group: StatsGroup
  by: readonly string[]
  groupLink: Props['groupLink']
}

/** A cell for each dimension; the link is in the first. */
function GroupName({ group, by, groupLink }: NameProps) {
  const values = group.values.length ? group.values : [null]
  return (
    <Fragment>
      {by.map((name, index) => {
        const value = values[index] ?? null
        const words = group.values.length ? valueWords(value) : 'all'
        const shown = (
          <span className={value === null && group.values.length ? 'mute' : undefined}>{words}</span>
        )
        return (
          <td key={name} className="stats-value" title={words} data-dimension={dimensionWords(name)}>
            {index === 0 ? groupLink(group, shown) : shown}
          </td>
        )
      })}
    </Fragment>
  )
}

/** A share of nothing recedes, so that those with failures stand out. */
function Figure({ metric, value }: { metric: string; value: number | null }) {
  const isBad = metric === 'fault_share' || metric === 'fault'
  const look = !value ? 'mute' : isBad ? 'status-fault' : undefined
  return <span className={look}>{metricText(metric, value)}</span>
}

function Outcomes({ group }: { group: StatsGroup }) {
  const { ok, error, throttle, fault } = group.metrics
  const parts = shares({ ok: ok ?? 0, error: error ?? 0, throttle: throttle ?? 0, fault: fault ?? 0 })
  if (!parts) return <span className="mute">–</span>
  const words = STATES.map((state) => `${STATE_LABELS[state].word} ${percent(parts[state])}`).join(', ')
  return (
    <span title={words}>
      <SharesBar shares={parts} />
      <span className="visually-hidden">{words}</span>
    </span>
  )
}
