// The list of traces, newest first, with the filters that the map's links bring along.

import { useEffect, useMemo, useState } from 'react'
import { addresses, type ApiError, type TraceFilter } from '../api/client'
import type { Status, TraceFigure, TracePageReply } from '../api/types'
import { errorWords, FailureBanner } from '../components/Banner'
import { Chart, ChartSkeleton } from '../components/Chart'
import { Icon } from '../components/Icon'
import { Loading } from '../components/Loading'
import { StatusChips } from '../components/StatusChips'
import { TimePicker } from '../components/TimePicker'
import { TraceTable } from '../components/TraceTable'
import { FilterBar, isFilterError } from '../filter/FilterBar'
import { responseTimeBetween, timesBetween, type Box } from '../filter/selection'
import { both } from '../filter/tokens'
import { count, zone } from '../model/format'
import { groupingOf } from '../model/grouping'
import { parseRange, PRESETS, rangeParams, stepped, type Preset, type Range } from '../model/range'
import { scopeOf } from '../model/scope'
import { NEWEST, parseSort, sortText } from '../model/traceSort'
import { listWords, shownWords, unlisted } from '../model/traceCounts'
import { carried, carriedFilter, errorLabel, href, parseStatuses, parseWork } from '../model/url'
import { Differences } from './Differences'
import { lazily } from './lazily'
import { NodeFilterChip } from './NodeFilterChip'
import { go, setParams, useAddress } from './router'
import { ShareButton } from './ShareButton'
import { TimeChoices } from './timeChoices'
import { useKeys } from './useKeys'
import { useLiveQuery } from './useLiveQuery'
import { useHasTraces } from './useHasTraces'
import { useTraceList } from './useTraceList'
import { rangeKey, readRefresh, REFRESH_CHOICES, saveRefresh, useTimeWindow } from './useTimeWindow'
import '../styles/tables.css'

const EmptyRange = lazily('page', () => import('../components/EmptyRange').then((part) => part.EmptyRange))
const EmptyStore = lazily('page', () => import('../components/EmptyStore').then((part) => part.EmptyStore))
const TraceGroups = lazily('groups', () => import('./TraceGroups').then((part) => part.TraceGroups))

const EMPTY_POLL = 5
const UNGROUPED = { by: null, of: null, metrics: null, rank: null }
const LAST_DAY: Range = { kind: 'live', preset: PRESETS.find(({ key }) => key === '24h') as Preset }

export function TracesPage() {
  const { params } = useAddress()
  const [refresh, setRefresh] = useState(readRefresh)
  const range = parseRange(params)
  const node = params.get('node') ?? undefined
  const work = node ? parseWork(params.get('work')) : undefined
  const edge = params.get('edge') ?? undefined
  const error = params.get('error') ?? undefined
  const statusText = params.get('status') ?? ''
  const expression = params.get('filter') ?? undefined
  const sortWords = params.get('sort')
  const sort = useMemo(() => parseSort(sortWords), [sortWords])
  const filter = useMemo<TraceFilter>(
    () => ({
      filter: expression,
      node,
      work,
      edge,
      error,
      sort: sort ?? undefined,
      status: parseStatuses(statusText),
    }),
    [expression, node, work, edge, error, sort, statusText],
  )
  const [waiting, setWaiting] = useState(false)
  const seen = useTimeWindow(range, waiting ? EMPTY_POLL : refresh, false)
  const scope = JSON.stringify(scopeOf(params))
  const by = node || edge ? groupingOf(params) : null
  const key = [rangeKey(range), expression, node, work, edge, by, error, statusText, scope].join(' ')

  const first = useLiveQuery<TracePageReply>(addresses.traces(seen, filter), {
    key: `traces ${key} ${sortWords}`,
  })
  const figure = useLiveQuery<TraceFigure>(addresses.tracesFigure(seen, filter), { key: `figure ${key}` })
  const list = useTraceList(first.data, `${key} ${sortWords}`, first.answeredUrl)
  const hasTraces = useHasTraces(first.data !== null && first.data.traces.length === 0)

  useEffect(() => setWaiting(hasTraces === false), [hasTraces])

  const setRange = (next: Range) => setParams(rangeParams(next))
  const hrefOf = (id: string) => href(`/traces/${id}`, { ...carried(params), ...carriedFilter(params) })
  const open = (id: string) => go(hrefOf(id))
  const failed = list.traces.find(({ status, status_there }) => isFailed(status_there ?? status))
  useKeys({
    '[': () => setRange(stepped(seen, -1)),
    ']': () => setRange(stepped(seen, 1)),
    e: () => failed && open(failed.id),
  })

  const clear = () =>
    setParams({ filter: null, node: null, work: null, edge: null, error: null, status: null })
  const filtered = Boolean(expression || node || edge || error || filter.status?.length)
  const isEmpty = first.data !== null && list.traces.length === 0
  const grouped = Boolean(params.get('by'))
  const missing = unlisted(list.traces, !list.next, list.counts)
  return (
    <main className="traces-page" tabIndex={-1} aria-label="Traces">
      <div className="bar">
        <h1>Traces</h1>
        <StatusChips
          chosen={filter.status ?? []}
          onChosen={(next: Status[]) => setParams({ status: next.join(',') })}
        />
        {(node || edge) && (
          <NodeFilterChip
            node={node}
            work={work}
            edge={edge}
            window={seen}
            onClear={() => setParams({ node: null, work: null, edge: null, error: null })}
          />
        )}
        {error && (
          <span className="chip is-on">
            Error: <strong>{errorLabel(error)}</strong>
            <button
              type="button"
              className="icon-button small"
              aria-label={`Remove the filter ${errorLabel(error)}`}
              onClick={() => setParams({ error: null })}
            >
              <Icon name="close" size={12} />
            </button>
          </span>
        )}
        <ShareButton window={seen} json={addresses.traces(seen, filter)} />
        <TimePicker
          choices={TimeChoices}
          range={range}
          window={seen}
          refresh={refresh}
          refreshChoices={REFRESH_CHOICES}
          updatedAt={first.at}
          stale={first.error !== null}
          slow={first.slow}
          onRange={setRange}
          onRefresh={(seconds) => (saveRefresh(seconds), setRefresh(seconds))}
        />
      </div>
      <FilterBar
        filter={expression ?? ''}
        window={seen}
        error={first.error}
        onFilter={(next) => setParams({ filter: next })}
      />
      {first.loading && first.data && <div className="progress" aria-hidden="true" />}
      {first.error && !isFilterError(first.error) && (
        <FailureBanner
          error={first.error}
          what={first.data ? 'Could not refresh' : 'Could not load the traces'}
          onRetry={first.reload}
        />
      )}
      {!first.data && !first.error && <Loading what="traces" slow={first.slow} />}
      {isEmpty &&
        (hasTraces === false && !filtered ? (
          <EmptyStore />
        ) : (
          <EmptyRange
            from={seen.from}
            to={seen.to}
            what={filtered ? 'such traces' : 'traces'}
            onLastDay={() => setRange(LAST_DAY)}
            onClear={filtered ? clear : undefined}
          />
        ))}
      {list.traces.length > 0 && (
        <div className="traces-body" data-scroller="true">
          <TraceChart
            figure={figure.data}
            error={figure.error}
            slow={figure.slow}
            onOpen={open}
            onSelect={({ x, y }) => {
              const times = timesBetween(x)
              const condition = responseTimeBetween(Number(y[0]), Number(y[1]))
              setParams({
                ...(times && rangeParams({ kind: 'fixed', ...times })),
                filter: both(expression ?? '', condition),
              })
            }}
          />
          <div className="analyses">
            <section aria-label="Groups">
              <button
                type="button"
                className="button"
                aria-expanded={grouped}
                onClick={() => setParams(grouped ? UNGROUPED : { by: 'operation' })}
                onPointerEnter={TraceGroups.preload}
              >
                Group by…
              </button>
              {grouped && <TraceGroups name={key} window={seen} filter={filter} />}
            </section>
            {filtered && (
              <Differences
                name={key}
                window={seen}
                filter={filter}
                onAdd={(term) => setParams({ filter: both(expression ?? '', term) })}
              />
            )}
          </div>
          <div className="list-bar">
            {list.fresh > 0 && (
              <button type="button" className="button fresh" onClick={list.showFresh}>
                {count(list.fresh)}
                {list.freshIsPage && '+'} new {list.fresh === 1 ? 'trace' : 'traces'}: show
              </button>
            )}
          </div>
          <TraceTable
            traces={list.traces}
            sort={sort ?? (node || edge ? null : NEWEST)}
            hrefOf={hrefOf}
            onOpen={open}
            onSort={(next) => setParams({ sort: sortText(next) })}
          />
          <div className="more">
            <span className="mute">{listWords(list.traces, !list.next, list.counts, figure.data, work)}</span>
            {first.data?.sorted?.complete === false && (
              <span className="mute">sorted among the newest {count(first.data.sorted.traces)}</span>
            )}
            {missing > 0 && (
              <span className="mute">
                {count(missing)} {missing === 1 ? 'request is' : 'requests are'} on the map only: not sampled
              </span>
            )}
            {list.next && (
              <button type="button" className="button" disabled={list.loading} onClick={list.loadMore}>
                {list.loading ? 'Loading…' : 'Load more'}
              </button>
            )}
            {list.error && (
              <span className="field-error" role="alert">
                Could not load more: {errorWords(list.error)}.
              </span>
            )}
          </div>
        </div>
      )}
    </main>
  )
}

function isFailed(status: Status): boolean {
  return status !== 'ok' && status !== 'in_progress'
}

interface TraceChartProps {
  figure: TraceFigure | null
  error: ApiError | null
  slow: number | null
  onOpen(id: string): void
  onSelect(box: Box): void
}

function TraceChart({ figure, error, slow, onOpen, onSelect }: TraceChartProps) {
  if (!figure) {
    return (
      <div className="traces-chart">
        {error ? (
          <p className="chart chart-note">No chart: {errorWords(error)}.</p>
        ) : (
          <ChartSkeleton slow={slow} />
        )}
      </div>
    )
  }
  return (
    <figure className="traces-chart">
      <figcaption className="mute">
        Response times of {shownWords(figure)}, times in {zone()}
        <span className="hint">. Drag a box to filter</span>
      </figcaption>
      <Chart
        figure={figure}
        label={`Response times of ${figure.shown} traces over time`}
        height={200}
        onOpen={onOpen}
        onSelect={onSelect}
      />
    </figure>
  )
}
