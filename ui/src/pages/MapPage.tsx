// The service map: asks for it, keeps its state in the address, and puts the pieces together.

import { useEffect, useMemo, useRef, useState } from 'react'
import { addresses, send } from '../api/client'
import type { Graph, ServiceMap as ServiceMapData } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { GroupBy } from '../components/GroupBy'
import { IncompleteNote } from '../components/IncompleteNote'
import { MapSkeleton } from '../components/MapStates'
import { SearchBox } from '../components/SearchBox'
import { TimePicker } from '../components/TimePicker'
import { mapKeys } from '../map/keys'
import { pictures, ServiceMap, type MapActions } from '../map/ServiceMap'
import { MapView } from '../map/view'
import { folded } from '../model/fold'
import { groupingOf, withValues, type Dimension } from '../model/grouping'
import { BANDS, type Band } from '../model/health'
import { parseRange, rangeParams, stepped, type Range } from '../model/range'
import { matchingNodes } from '../model/search'
import { isShared, readsUnfiltered, sharedMap } from '../model/share'
import { healthOf, hiddenNodes } from '../model/visibility'
import { carried, href, parseFocus } from '../model/url'
import { FilterBar, isFilterError } from '../filter/FilterBar'
import { KeysAhead } from './KeysAhead'
import { lazily } from './lazily'
import type { Overlay } from './MapLayers'
import { go, setParams, useAddress } from './router'
import { TimeChoices } from './timeChoices'
import { ShareButton } from './ShareButton'
import { useHealth } from './useHealth'
import { useHiddenMatches } from './useHiddenMatches'
import { useKeys } from './useKeys'
import { useLiveQuery } from './useLiveQuery'
import { useMapOptions } from './useMapOptions'
import { rangeKey, readRefresh, REFRESH_CHOICES, saveRefresh, useTimeWindow } from './useTimeWindow'

/** Nodes of a map that the server draws without boxes (api/graph/groups.py). */
const MOST_APART = 150

const Boxes = lazily('groups', () => import('../boxes/Boxes').then((part) => part.Boxes))
const DetailPanel = lazily('details', () => import('./DetailPanel').then((part) => part.DetailPanel))
const EmptyRange = lazily('page', () => import('../components/EmptyRange').then((part) => part.EmptyRange))
const EmptyStore = lazily('page', () => import('../components/EmptyStore').then((part) => part.EmptyStore))
const FocusBar = lazily('focus', () => import('../components/FocusBar').then((part) => part.FocusBar))
const KeyHelp = lazily('keys', () => import('../components/KeyHelp').then((part) => part.KeyHelp), KeysAhead)
const MapNotes = lazily('notes', () => import('./MapNotes').then((part) => part.MapNotes))
const MapLayers = lazily('layers', () => import('./MapLayers').then((part) => part.MapLayers))
const MapOverlays = lazily('tools', () => import('./MapOverlays').then((part) => part.MapOverlays))
const NodeTable = lazily('list', () => import('../components/NodeTable').then((part) => part.NodeTable))
const ProblemStrip = lazily('problems', () => import('./ProblemStrip').then((part) => part.ProblemStrip))
const Scrubber = lazily('time', () => import('./Scrubber').then((part) => part.Scrubber))

/** What draws maps that are on no page (drawMap.ts): split off, it would make this page's first load larger. */
export { folded, healthOf, MapView, pictures }

/** Wanted with the first answer: they are on their way while that is. */
MapOverlays.preload()
MapLayers.preload()

const NARROW = 600
const EMPTY_POLL = 5

export function MapPage() {
  const { params } = useAddress()
  const [refresh, setRefresh] = useState(readRefresh)
  const [dragging, setDragging] = useState(false)
  const [options, setOptions] = useMapOptions()
  const [outdated, setOutdated] = useState(false)
  const [keysOpen, setKeysOpen] = useState(false)
  const [waiting, setWaiting] = useState(false)
  const [strip, setStrip] = useState(
    localStorage.getItem('raymap.time') ?? (window.innerWidth < NARROW ? '1' : ''),
  )
  const actions = useRef<MapActions>(null)
  const field = useRef<HTMLInputElement>(null)
  const step = useRef(-1)

  const range = parseRange(params)
  const shared = isShared()
  const focus = parseFocus(params)
  const selection = params.get('sel')
  const query = params.get('q') ?? ''
  const filter = params.get('filter') ?? ''
  const state = BANDS.find((one) => one === params.get('state')) ?? null
  const as = params.get('as') ?? (window.innerWidth < NARROW ? 'list' : 'map')

  const seen = useTimeWindow(range, waiting ? EMPTY_POLL : refresh, dragging)
  const by = groupingOf(params)
  // A list has a row for each node.
  const fold = options.fold && as === 'map'
  const inside = params.get('inside')
  const boxes: Record<string, string> =
    as === 'map' ? { boxes: params.get('boxes') ?? 'auto', ...(inside && { inside }) } : {}
  const mapKey =
    (focus ? `focus ${focus.id} ${focus.hops}` : inside ? `in ${inside}` : 'all') +
    (by ? ` by ${by}` : '') +
    (fold ? ' folded' : '')
  const url = focus
    ? addresses.focus(seen, filter, focus.id, focus.hops, fold)
    : addresses.map(seen, filter, fold, boxes)
  const { data, error, at, loading, slow, reload } = useLiveQuery<ServiceMapData>(url, {
    key: `map ${mapKey}`,
    variant: `${rangeKey(range)} ${filter} ${boxes['boxes']}`,
  })
  const isBoxed = data?.boxes?.by
  const hasLevels =
    as === 'map' && !by && !focus && data && (data.boxes?.trail[0] || data.total_nodes > MOST_APART)
  const [members, setMembers] = useState<Graph | null>(null)
  useEffect(() => setWaiting(data !== null && !data.has_traces), [data])

  const [overlay, setOverlay] = useState<Overlay | null>(null)
  const isPart = focus !== null || filter !== ''
  const graph = useMemo<Graph | null>(
    () =>
      data && (by ? withValues<Graph>(data, by) : isBoxed ? data : (overlay?.graph(data, isPart) ?? data)),
    [data, overlay, isBoxed, isPart, by],
  )
  const health = useHealth(data, options.thresholds)
  const drawn = useMemo(() => graph && folded(graph), [graph])
  const drawnHealth = useMemo(() => drawn?.health(health) ?? health, [drawn, health])
  const nodes = useMemo(() => {
    if (!drawn) return []
    const hidden = hiddenNodes(drawn.graph, options, drawnHealth)
    return drawn.graph.nodes.filter(({ id }) => !hidden.has(id))
  }, [drawn, options, drawnHealth])
  const hits = useMemo(() => matchingNodes(nodes, query, state), [nodes, query, state])
  const [ill, setIll] = useState<ReadonlySet<string> | null>(null)
  const lit = useMemo(() => {
    if (hits) return new Set(hits.map(({ id }) => id))
    return by || !ill ? null : new Set([...ill].map((id) => drawn?.drawnId(id) ?? id))
  }, [hits, ill, by, drawn])

  // The map may have only some of the services: then the server searches all of them.
  const isPartial = data !== null && (data.left_out > 0 || focus !== null)
  const searchesAll = isPartial && !by && readsUnfiltered(filter)
  const hiddenMatches = useHiddenMatches(searchesAll ? query : '', seen, data?.nodes ?? [])

  const select = (id: string | null) => id !== selection && setParams({ sel: id })
  const viewBeforeFocus = useRef<string | null>(null)
  const enterFocus = (id: string) => {
    if (graph?.nodes.find((node) => node.id === id)?.declared === 'never_seen') return
    if (!focus) viewBeforeFocus.current = params.get('view')
    setParams({ focus: id, hops: '1', view: null, sel: id, q: null })
  }
  const leaveFocus = () => setParams({ focus: null, hops: null, view: viewBeforeFocus.current })
  // Ids are of what nodes are split by.
  const group = (next: Dimension | null) =>
    setParams({ group_by: next, sel: null, focus: null, hops: null, view: null })
  const shownProblem = params.get('problem')
  const timeBefore = useRef<Range | null>(null)
  const showProblem = (id: string | null, time: Range | null) => {
    if (!shownProblem) timeBefore.current = range
    const next = time ?? timeBefore.current
    setParams({ problem: id, ...(next && rangeParams(next)) })
  }
  const setRange = (next: Range) => setParams(rangeParams(next))
  const setState = (next: Band | null) => setParams({ state: next })
  const addToFilter = async (term: string) => {
    const { both } = await import('../filter/tokens')
    setParams({ filter: both(filter, term) })
  }
  const nextHit = (backwards: boolean) => {
    if (!hits?.length) return
    step.current = (step.current + (backwards ? hits.length - 1 : 1)) % hits.length
    const hit = hits[step.current]
    if (hit) actions.current?.centre(hit.id)
  }
  const meant = () => (document.activeElement as HTMLElement | null)?.dataset['node'] ?? selection

  // The server's layout, which is everybody's, is computed anew; then this view follows it.
  const arranging = useRef(false)
  const arrange = async () => {
    if (!focus) {
      await send('POST', addresses.arrange()).catch(() => null)
      arranging.current = true
      reload()
    } else actions.current?.arrange()
  }
  useEffect(() => {
    if (!arranging.current) return
    arranging.current = false
    actions.current?.arrange()
  }, [data])

  useKeys({
    ...mapKeys(actions),
    '=': () => actions.current?.zoom(1.3),
    '/': () => field.current?.focus(),
    '?': () => setKeysOpen(true),
    '[': () => setRange(stepped(seen, -1)),
    ']': () => setRange(stepped(seen, 1)),
    a: () => !shared && void arrange(),
    l: () => document.querySelector<HTMLElement>('[data-legend-toggle]')?.click(),
    f: () => {
      const id = meant()
      if (id && !id.includes(':')) enterFocus(id)
    },
    e: () => {
      if (!selection) return
      const place = { [selection.includes(':') ? 'edge' : 'node']: selection }
      go(href('/traces', { ...carried(params), ...place, status: 'fault,throttle,error' }))
    },
    Escape: () =>
      selection
        ? select(null)
        : focus
          ? leaveFocus()
          : query || state
            ? setParams({ q: null, state: null })
            : shownProblem
              ? showProblem(null, null)
              : null,
  })

  const frameClass = ['map-frame', error && data && 'is-stale', as === 'list' && 'is-list']
    .filter(Boolean)
    .join(' ')
  const chosenName = selection && graph?.nodes.find(({ id }) => id === selection)?.name
  const isEmpty = data !== null && data.nodes.length === 0
  return (
    <main className="map-page" tabIndex={-1} aria-label="Service map">
      <div className="bar">
        <h1 className="visually-hidden">Service map</h1>
        <SearchBox
          query={query}
          hits={data && hits ? hits.length : null}
          hidden={hiddenMatches.services}
          matches={state ? null : hiddenMatches.total}
          searching={hiddenMatches.searching}
          total={Math.max(nodes.length, isPartial ? (data?.total_nodes ?? 0) : 0)}
          onHidden={isBoxed ? select : enterFocus}
          field={field}
          onQuery={(text) => {
            step.current = -1
            setParams({ q: text }, { replace: true })
          }}
          onNext={nextHit}
        />
        {!shared && <GroupBy by={by} onChoose={group} />}
        {focus && (
          <FocusBar
            name={graph?.nodes.find(({ id }) => id === focus.id)?.name ?? focus.id}
            hops={focus.hops}
            onHops={(hops) => setParams({ hops: String(hops), view: null })}
            onLeave={leaveFocus}
          />
        )}
        {!shared && (
          <FilterBar
            filter={filter}
            window={seen}
            error={error}
            onFilter={(next) => setParams({ filter: next })}
          />
        )}
        {!shared && (
          <TimePicker
            choices={TimeChoices}
            range={range}
            window={seen}
            refresh={refresh}
            refreshChoices={REFRESH_CHOICES}
            updatedAt={at}
            stale={error !== null}
            slow={slow}
            onRange={setRange}
            onRefresh={(seconds) => (saveRefresh(seconds), setRefresh(seconds))}
          />
        )}
      </div>
      {!shared && (
        <div className="problem-strip">
          <ProblemStrip
            chosen={shownProblem}
            carried={carried(params)}
            onChoose={showProblem}
            onNodes={setIll}
          />
        </div>
      )}
      {loading && data && <div className="progress" aria-hidden="true" />}
      {data && (data.filtered || data.left_out || data.problems[0]) && <MapNotes data={data} />}
      <IncompleteNote of={data} at={data && data.generated_at} />
      {overlay?.strip}
      <div className="map-and-panel">
        <section className={frameClass} aria-label="Service map">
          {error && !isFilterError(error) && (
            <FailureBanner
              error={error}
              what={data ? 'Could not refresh' : 'Could not load the map'}
              onRetry={reload}
            />
          )}
          {!data && !error && <MapSkeleton slow={slow} />}
          {isEmpty && !data.has_traces && <EmptyStore />}
          {isEmpty && data.has_traces && (
            <EmptyRange
              from={data.from}
              to={data.to}
              what="traces"
              onLastDay={shared ? undefined : () => setParams({ range: '24h', from: null, to: null })}
              onClear={focus ? leaveFocus : filter && !shared ? () => setParams({ filter: null }) : undefined}
            />
          )}
          {drawn && !isEmpty && as === 'map' && !isBoxed && (
            <ServiceMap
              key={mapKey}
              name={mapKey}
              graph={drawn.graph}
              selection={selection && drawn.drawnId(selection)}
              hits={lit}
              isFocus={focus !== null}
              isLowered={Boolean(overlay?.strip)}
              options={options}
              health={drawnHealth}
              view={params.get('view')}
              actions={actions}
              onSelect={select}
              onFocus={enterFocus}
              onView={(text) => setParams({ view: text }, { replace: true })}
              onDragging={setDragging}
              onOutdated={setOutdated}
            />
          )}
          {hasLevels && (
            <Boxes
              data={data}
              filter={filter}
              selection={selection}
              hits={lit}
              options={options}
              health={drawnHealth}
              actions={actions}
              onSelect={select}
              onFocus={enterFocus}
              onDragging={setDragging}
              overlay={overlay?.graph}
              onMembers={setMembers}
            />
          )}
          {data && !isEmpty && as === 'list' && (
            <NodeTable nodes={hits ?? nodes} selection={selection} onSelect={select} />
          )}
          {data && !shared && !by && (
            <MapLayers
              key={isBoxed ? 'boxes' : 'nodes'}
              window={seen}
              filter={filter}
              data={data}
              isBoxed={!!isBoxed}
              onOverlay={setOverlay}
            />
          )}
          {data && !isEmpty && (
            <MapOverlays
              data={data}
              as={as === 'list' ? 'list' : 'map'}
              state={state}
              options={options}
              outdated={outdated || data.placed_later > 0}
              onArrange={shared ? undefined : () => void arrange()}
              actions={actions}
              onState={setState}
              onFilter={shared ? undefined : (one) => void addToFilter(one)}
              onView={(next) => setParams({ as: next })}
              onOptions={setOptions}
              onKeys={() => setKeysOpen(true)}
              legend={by ? undefined : overlay?.legend}
              onSavePng={shared ? () => actions.current?.save('png') : undefined}
              share={
                <ShareButton
                  isTool
                  target={sharedMap(seen, filter)}
                  window={seen}
                  json={url}
                  save={as === 'map' && !isBoxed ? (format) => actions.current?.save(format) : undefined}
                />
              }
            />
          )}
        </section>
        {selection && data && !isEmpty && (
          <DetailPanel
            key={selection}
            id={selection}
            graph={members ?? graph ?? data}
            window={seen}
            rangeKey={rangeKey(range)}
            filter={filter}
            carried={carried(params)}
            focused={focus?.id === selection}
            declared={by ? undefined : overlay?.note(selection)}
            earlier={overlay?.earlier(selection)}
            onSelect={select}
            onFocus={enterFocus}
          />
        )}
      </div>
      {!shared && (
        <div className="time-strip" style={{ height: strip ? 29 : 72 }}>
          {data && (
            <Scrubber window={seen} graph={data} state={strip} onState={setStrip} onProblem={showProblem} />
          )}
        </div>
      )}
      <p className="visually-hidden" role="status">
        {chosenName && `${chosenName} chosen`}
      </p>
      {keysOpen && <KeyHelp onClose={() => setKeysOpen(false)} />}
    </main>
  )
}
