// The listed traces, or requests in them, by any dimensions; counted when it is opened, and again only when requested.

import { useMemo, useRef, useState, type ReactNode } from 'react'
import type { TimeWindow, TraceFilter } from '../api/client'
import type { StatsDimensions, StatsGroup, StatsReply } from '../api/types'
import { errorWords } from '../components/Banner'
import { Icon } from '../components/Icon'
import { Loading } from '../components/Loading'
import { StatsTable } from '../components/StatsTable'
import { clock, count } from '../model/format'
import {
  countedWords,
  FIRST,
  groupWords,
  hasAll,
  ignored,
  MOST_GROUPS,
  nextRank,
  overlapWords,
  ranked,
  shownWords,
  statsUrl,
  statsView,
  dimensionsUrl,
  viewChanges,
  type GroupSort,
  type StatsView,
} from '../model/stats'
import { carried, changed, href } from '../model/url'
import { GroupsBar } from './GroupsBar'
import { Link, setParams, useAddress } from './router'
import { useLiveQuery } from './useLiveQuery'
import '../styles/stats.css'

/** Rows before "Show all". */
const FEW = 10

interface Props {
  window: TimeWindow
  filter: TraceFilter
  /** Names the list: of another one the groups are counted anew. */
  name: string
}

export function TraceGroups({ window, filter, name }: Props) {
  const { params } = useAddress()
  const view = useMemo(() => statsView(params), [params])
  // The window in which it was opened stays: the numbers must not change under the reader's eyes.
  const [seen, setSeen] = useState({ name, window })
  if (seen.name !== name) setSeen({ name, window })
  if (!view) return null
  return (
    <Groups
      key={name}
      view={view}
      window={seen.window}
      filter={filter}
      name={name}
      onAgain={
        seen.window.from === window.from && seen.window.to === window.to
          ? null
          : () => setSeen({ name, window })
      }
    />
  )
}

interface GroupsProps extends Props {
  view: StatsView
  /** Counts in the window of now; null while that is this one. */
  onAgain: (() => void) | null
}

function Groups({ view, window, filter, name, onAgain }: GroupsProps) {
  const { params } = useAddress()
  const [most, setMost] = useState(FIRST)
  const [all, setAll] = useState(false)
  const counted = `${name} ${view.by.join()} ${view.of} ${view.metrics.join()}`
  const requested = `${counted} ${window.from}-${window.to}`
  // Another order of groups that are all here needs no other answer.
  const order = useRef<{ requested: string; sort: GroupSort } | null>(null)
  const whole = useRef(false)
  if (order.current?.requested !== requested || !whole.current) order.current = { requested, sort: view.sort }
  const url = statsUrl(window, filter, { ...view, sort: order.current.sort }, most)
  const key = `groups ${requested} ${order.current.sort.metric} ${most}`
  const { data, error, slow, loading, at, reload } = useLiveQuery<StatsReply>(url, { key })
  const offered = useLiveQuery<StatsDimensions>(dimensionsUrl(window, view.of), {
    key: `dimensions ${view.of} ${window.from}-${window.to}`,
  })
  const shown = useRef<{ name: string; data: StatsReply } | null>(null)
  if (data) shown.current = { name: counted, data }
  // While more groups, another order or newer numbers are on their way, those that are here stay.
  const reply = data ?? (shown.current?.name === counted ? shown.current.data : null)
  whole.current = reply !== null && hasAll(reply)

  const change = (next: Partial<StatsView>) => setParams(viewChanges({ ...view, ...next }))
  const sorted = reply ? (whole.current ? ranked(reply.groups, view.sort) : reply.groups) : []
  const groups = all ? sorted : sorted.slice(0, FEW)
  const left = ignored(filter)
  return (
    <div className="stats" aria-busy={loading}>
      <GroupsBar view={view} offered={offered.data} fixed={filter.node !== undefined} onChange={change} />
      {left.length > 0 && (
        <p className="stats-note">The list is narrowed to {left.join(' and ')}, and these numbers are not.</p>
      )}
      {error && (
        <p className="field-error" role="alert">
          {reply ? 'Could not count again' : 'Could not count'}: {errorWords(error)}.{' '}
          {error.status !== 400 && (
            <button type="button" className="link" onClick={reload}>
              Try again
            </button>
          )}
        </p>
      )}
      {!reply && !error && <Loading what="groups" slow={slow} />}
      {reply?.groups.length === 0 && <p className="mute">There is nothing to count in this range.</p>}
      {reply && reply.groups.length > 0 && (
        <>
          <div className="stats-frame">
            <StatsTable
              reply={reply}
              groups={groups}
              view={view}
              sort={whole.current ? view.sort : order.current.sort}
              onSort={(metric) => change({ sort: nextRank(view.sort, metric, whole.current) })}
              groupLink={(group, words) => (
                <GroupLink group={group} words={words} params={params} of={reply.of} />
              )}
              mapLink={(group) => <MapLink group={group} params={params} />}
            />
          </div>
          <p className="stats-foot mute">
            <span className={reply.complete ? undefined : 'stats-partial'} role="status">
              {shownWords(reply, groups.length, view.sort)}. {countedWords(reply)} {overlapWords(reply)}
            </span>
            {sorted.length > FEW && (
              <button type="button" className="link" onClick={() => setAll(!all)}>
                {all ? `Only the first ${FEW}` : `Show ${count(sorted.length)}`}
              </button>
            )}
            {all && !whole.current && most < MOST_GROUPS && (
              <button type="button" className="link" disabled={loading} onClick={() => setMost(MOST_GROUPS)}>
                {loading ? 'Loading…' : `Show ${count(Math.min(MOST_GROUPS, reply.groups_total))}`}
              </button>
            )}
            {at !== null && (
              <span>
                Counted at {clock(at)}.{' '}
                <button type="button" className="link" disabled={loading} onClick={onAgain ?? reload}>
                  Count again
                </button>
              </span>
            )}
          </p>
        </>
      )}
    </div>
  )
}

interface LinkProps {
  group: StatsGroup
  params: URLSearchParams
}

/** Narrows the list to the group. A state of requests is in the filter itself. */
function GroupLink({ group, words, params, of }: LinkProps & { words: ReactNode; of: StatsReply['of'] }) {
  if (group.filter === null) {
    return <span title="No filter expression can say this value">{words}</span>
  }
  const status = of === 'requests' ? params.get('status') : group.status
  const target = href('/traces', changed(params, { filter: group.filter, status }))
  return (
    <Link href={target} aria-label={`Only ${groupWords(group)}`}>
      {words}
    </Link>
  )
}

function MapLink({ group, params }: LinkProps) {
  if (group.filter === null) return null
  const target = href('/map', { ...carried(params), filter: group.filter })
  return (
    <Link href={target} aria-label={`${groupWords(group)} on the map`} title="On the map">
      <Icon name="map" size={14} />
    </Link>
  )
}
