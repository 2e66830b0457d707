// Two environments, accounts or regions beside each other: their maps with one viewport, and what differs.

import { useMemo, useState } from 'react'
import { addresses } from '../api/client'
import type { ServiceMap as ServiceMapData } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { Empty } from '../components/Empty'
import { IncompleteNote } from '../components/IncompleteNote'
import { Loading } from '../components/Loading'
import { ScopePicker } from '../components/ScopePicker'
import { TimePicker } from '../components/TimePicker'
import { isFilterError, FilterBar } from '../filter/FilterBar'
import {
  alignedWith,
  byDifference,
  comparisonOf,
  pairsOf,
  SIDES,
  type Comparison,
  type Side,
} from '../model/comparison'
import { parseRange, rangeParams } from '../model/range'
import { carried, href, type Changes } from '../model/url'
// With the map in one chunk: the parts that both have would make chunks of their own, which compress worse.
import './MapPage'
import { ComparedMap } from './ComparedMap'
import { ComparisonTable } from './ComparisonTable'
import { setParams, useAddress } from './router'
import { TimeChoices } from './timeChoices'
import { useLiveQuery, type LiveQuery } from './useLiveQuery'
import { useScope } from './useScope'
import { rangeKey, readRefresh, REFRESH_CHOICES, saveRefresh, useTimeWindow } from './useTimeWindow'
import '../styles/comparison.css'

const NO_NODES: ServiceMapData['nodes'] = []

export function ComparePage() {
  const { params } = useAddress()
  const range = parseRange(params)
  const { choices, scope, known, failure, reload } = useScope(params, true)
  const comparison = comparisonOf(params, choices)
  const [refresh, setRefresh] = useState(readRefresh)
  const [dragging, setDragging] = useState(false)
  const window = useTimeWindow(range, refresh, dragging)
  const filter = params.get('filter') ?? ''

  const scopeOf = (side: Side): Changes => (comparison ? { [comparison.by]: comparison[side] } : {})
  const variant = `${rangeKey(range)} ${filter} ${JSON.stringify(comparison)}`
  const url = (side: Side) => (comparison ? addresses.mapOf(window, filter, scopeOf(side)) : null)
  const left = useLiveQuery<ServiceMapData>(url('left'), { key: 'compared left', variant })
  const right = useLiveQuery<ServiceMapData>(url('right'), { key: 'compared right', variant })
  const answers: Record<Side, LiveQuery<ServiceMapData>> = { left, right }

  const pairs = useMemo(
    () => byDifference(pairsOf(left.data?.nodes ?? NO_NODES, right.data?.nodes ?? NO_NODES)),
    [left.data, right.data],
  )
  const drawn = useMemo(
    () => ({
      left: left.data,
      right: left.data && right.data ? alignedWith(left.data, right.data, pairs) : right.data,
    }),
    [left.data, right.data, pairs],
  )
  // A selection is a service: on the other side its partner.
  const selected = pairs.find((one) => SIDES.some((side) => one[side]?.id === params.get('sel')))
  const along = (side: Side): Changes => ({ ...carried(params), ...scopeOf(side) })
  const updated = SIDES.map((side) => answers[side].at).filter((at) => at !== null)
  const failed = SIDES.map((side) => answers[side].error).find(Boolean) ?? null
  return (
    <main className="compare-page" tabIndex={-1} aria-label="Comparison">
      <div className="bar">
        <h1>Compare</h1>
        {comparison && <SideChoices comparison={comparison} choices={choices} />}
        <ScopePicker
          scope={scope}
          choices={choices.filter(({ key }) => key !== comparison?.by)}
          onChoose={(key, value) => setParams({ [key]: value })}
        />
        <TimePicker
          choices={TimeChoices}
          range={range}
          window={window}
          refresh={refresh}
          refreshChoices={REFRESH_CHOICES}
          updatedAt={updated.length ? Math.min(...updated) : null}
          stale={failed !== null}
          slow={left.slow ?? right.slow}
          onRange={(next) => setParams(rangeParams(next))}
          onRefresh={(seconds) => (saveRefresh(seconds), setRefresh(seconds))}
        />
      </div>
      <FilterBar
        filter={filter}
        window={window}
        error={isFilterError(failed) ? failed : null}
        onFilter={(next) => setParams({ filter: next })}
      />
      <IncompleteNote
        of={left.data?.incomplete ? left.data : right.data}
        at={updated.length ? Math.min(...updated) : null}
      />
      {!comparison && !known && !failure && <Loading what="environments, accounts and regions" slow={null} />}
      {!comparison && failure && (
        <FailureBanner error={failure} what="Could not load what there is to compare" onRetry={reload} />
      )}
      {!comparison && known && (
        <Empty title="Nothing to compare">
          <p>The traces of this range are of one environment, one account and one region.</p>
        </Empty>
      )}
      {comparison && (
        <div className="compared">
          {SIDES.map((side) => (
            <ComparedMap
              key={`${side} ${comparison.by} ${comparison[side]}`}
              side={side}
              title={comparison[side]}
              answer={answers[side]}
              graph={drawn[side]}
              mapHref={href('/map', along(side))}
              tracesHref={href('/traces', along(side))}
              selection={selected?.[side]?.id ?? null}
              view={params.get('view')}
              onSelect={(id) => setParams({ sel: id })}
              onView={(text) => setParams({ view: text }, { replace: true })}
              onDragging={setDragging}
            />
          ))}
          {left.data && right.data && (
            <ComparisonTable
              pairs={pairs}
              titles={comparison}
              selected={selected?.key ?? null}
              tracesOf={(side, node, status) => href('/traces', { ...along(side), node, status })}
              onSelect={(id) => setParams({ sel: id })}
            />
          )}
        </div>
      )}
    </main>
  )
}

function SideChoices({
  comparison,
  choices,
}: {
  comparison: Comparison
  choices: ReturnType<typeof useScope>['choices']
}) {
  const several = choices.filter(({ key, values }) => values.length > 1 || key === comparison.by)
  const values = choices.find(({ key }) => key === comparison.by)?.values ?? []
  const known = [...new Set([...values, comparison.left, comparison.right])]
  const swap = { left: comparison.right, right: comparison.left }
  return (
    <div className="compare-choices" role="group" aria-label="What is compared">
      {several.length > 1 && (
        <select
          aria-label="Compare by"
          value={comparison.by}
          onChange={(event) => setParams({ by: event.target.value, left: null, right: null, sel: null })}
        >
          {several.map(({ key, label }) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      )}
      {SIDES.map((side) => (
        <select
          key={side}
          aria-label={side === 'left' ? 'Left side' : 'Right side'}
          value={comparison[side]}
          onChange={(event) => setParams({ ...comparison, [side]: event.target.value })}
        >
          {known.map((value) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
        </select>
      ))}
      <button type="button" className="button" onClick={() => setParams({ by: comparison.by, ...swap })}>
        Swap
      </button>
    </div>
  )
}
