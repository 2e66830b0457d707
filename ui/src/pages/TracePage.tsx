// One trace: head, and a timeline, a map or the raw documents under it.

import { useMemo, useState, type ReactNode } from 'react'
import { addresses } from '../api/client'
import type { PathPiece, Trace } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { Icon } from '../components/Icon'
import { Loading } from '../components/Loading'
import { SegmentDetail } from '../components/SegmentDetail'
import { ServiceTimes } from '../components/ServiceTimes'
import { Tabs } from '../components/Tabs'
import { TraceHead, traceTitle } from '../components/TraceHead'
import { TraceTools } from '../components/TraceTools'
import type { TermLink } from '../components/ValueLinks'
import { Waterfall } from '../components/Waterfall'
import { maskedWords } from '../model/masked'
import { isShared } from '../model/share'
import { nodeOf, rowsOf } from '../model/traceNodes'
import { narrowed } from '../filter/terms'
import { matchingRows } from '../model/traceSearch'
import { firstFault } from '../model/timeline'
import { count } from '../model/format'
import { carried, carriedFilter, href } from '../model/url'
import { Link, setParams, useAddress } from './router'
import { ShareButton } from './ShareButton'
import { lazily } from './lazily'
import { useLiveQuery } from './useLiveQuery'
import { useKeys } from './useKeys'
import { useTitle } from './useTitle'
import '../styles/trace.css'
import '../styles/timeline.css'
import '../styles/segment.css'

const LogsTab = lazily('lines', () => import('./LogsTab').then((part) => part.LogsTab))
const NotFound = lazily('page', () => import('./NotFound').then((part) => part.NotFound))
const RawTab = lazily('documents', () => import('./RawTab').then((part) => part.RawTab))
const TraceComparison = lazily('comparison', () =>
  import('./TraceComparison').then((part) => part.TraceComparison),
)
const TraceMap = lazily('map', () => import('./TraceMap').then((part) => part.TraceMap))

const TABS = ['timeline', 'map', 'time', 'logs', 'compare', 'raw'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = {
  timeline: 'Timeline',
  map: 'Map',
  time: 'Time by service',
  logs: 'Logs',
  compare: 'Compare',
  raw: 'Raw JSON',
}

export function TracePage({ id }: { id: string }) {
  const { data, error, slow, reload } = useLiveQuery<Trace>(addresses.trace(id), { key: `trace ${id}` })
  if (error && (error.status === 404 || error.status === 400)) {
    return <NotFound what={`the trace ${id}`} why={`${error.message}.`} />
  }
  return (
    <main className="trace-page" tabIndex={-1} aria-label="Trace">
      {error && <FailureBanner error={error} what="Could not load the trace" onRetry={reload} />}
      {data ? <Loaded trace={data} onReload={reload} /> : !error && <Loading what="trace" slow={slow} />}
    </main>
  )
}

function Loaded({ trace, onReload }: { trace: Trace; onReload(): void }) {
  const { params } = useAddress()
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set())
  useTitle(traceTitle(trace))
  const shared = isShared()
  // A comparison reads another trace.
  const tabs = TABS.filter((one) => !(shared && one === 'compare'))
  const tab = tabs.find((one) => one === params.get('tab')) ?? 'timeline'
  const chosen = trace.rows.find(({ id }) => id === params.get('seg')) ?? null
  const fault = firstFault(trace.rows)
  const masked = maskedWords(trace.masked)
  const path = trace.critical_path
  const [showPath, setShowPath] = useShowPath()
  const [query, setQuery] = useState('')
  const hits = useMemo(() => matchingRows(trace, query), [trace, query])
  const choose = (seg: string | null) => setParams({ seg }, { replace: chosen !== null && seg !== null })
  const showFault = (seg: string) => setParams({ seg, tab: null })
  const traceLink = (other: string, seg: string, words: ReactNode) => (
    <Link className="mono" href={href(`/traces/${other}`, { ...carried(params), seg })}>
      {words}
    </Link>
  )
  const termLink: TermLink = (term, isWanted, label, words) => (
    <Link
      href={href('/traces', { ...carried(params), filter: narrowed(params.get('filter'), term, isWanted) })}
      aria-label={label}
      title={label}
    >
      {words}
    </Link>
  )
  const nextHit = (backwards: boolean) => {
    if (!hits?.length) return
    const at = hits.indexOf(chosen?.id ?? '')
    const next = at < 0 ? 0 : (at + (backwards ? hits.length - 1 : 1)) % hits.length
    choose(hits[next] ?? null)
  }
  useKeys({
    Escape: () => chosen && choose(null),
    e: () => fault && showFault(fault.id),
  })

  return (
    <>
      {!shared && (
        <nav className="trace-ways" aria-label="From this trace">
          <Link href={href('/traces', { ...carried(params), ...carriedFilter(params) })}>
            <Icon name="back" size={14} /> {hasFilter(params) ? 'Traces (filtered)' : 'Traces'}
          </Link>
          <Link href={href('/map', aroundTrace(trace))}>This time on the map</Link>
        </nav>
      )}
      <TraceHead
        key={trace.id}
        trace={trace}
        traceLink={traceLink}
        onRow={showFault}
        firstFault={fault}
        onFirstFault={showFault}
        onReload={onReload}
        termLink={shared ? undefined : termLink}
        share={<ShareButton target={{ trace: trace.id }} json={addresses.raw(trace.id)} />}
      />
      {trace.left_out > 0 && (
        <p className="left-out" role="status">
          The first {count(trace.rows.length)} of {count(trace.rows.length + trace.left_out)} segments and
          subsegments are listed. The map counts all of them; BatchGetTraces and the OTLP export return all.
        </p>
      )}
      {masked && (
        <p className="masked-note" title="Rules of redaction: docs/privacy.md">
          {masked}
        </p>
      )}
      <Tabs
        label="Views of the trace"
        idPrefix="tab"
        panel="trace-view"
        items={tabs.map((key) => ({ key, label: TAB_WORDS[key] }))}
        active={tab}
        onChoose={(one) => setParams({ tab: one === 'timeline' ? null : one, with: null })}
      />
      {tab === 'timeline' && (
        <TraceTools
          query={query}
          hits={hits?.length ?? null}
          showPath={showPath}
          onQuery={setQuery}
          onNext={nextHit}
          onPath={setShowPath}
        />
      )}
      <div className="trace-body" id="trace-view" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === 'timeline' && (
          <Waterfall
            trace={trace}
            selection={chosen?.id ?? null}
            folded={folded}
            path={showPath ? path : NO_PATH}
            hits={hits}
            onFolded={setFolded}
            onSelect={choose}
          />
        )}
        {tab === 'map' && <TraceMap trace={trace} row={chosen} onRow={choose} />}
        {tab === 'time' && (
          <ServiceTimes
            times={trace.services}
            total={path.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0)}
            onService={(service) => {
              setQuery(service)
              setParams({ tab: null })
            }}
          />
        )}
        {(tab === 'timeline' || tab === 'map') && chosen && (
          <SegmentDetail
            key={chosen.id}
            trace={trace}
            row={chosen}
            traceLink={traceLink}
            termLink={shared ? undefined : termLink}
            siblings={tab === 'map' ? rowsOf(nodeOf(chosen, trace), trace.rows) : []}
            onSelect={choose}
            onClose={() => choose(null)}
          />
        )}
        {tab === 'logs' && <LogsTab trace={trace} onRow={showFault} />}
        {tab === 'compare' && <TraceComparison trace={trace} />}
        {tab === 'raw' && <RawTab id={trace.id} />}
      </div>
    </>
  )
}

const NO_PATH: readonly PathPiece[] = []
const PATH_KEY = 'raymap.path'

/** Whether the critical path is drawn, remembered in this browser. */
function useShowPath(): [boolean, (show: boolean) => void] {
  const [show, setShow] = useState(() => localStorage.getItem(PATH_KEY) !== 'off')
  return [
    show,
    (next) => {
      localStorage.setItem(PATH_KEY, next ? 'on' : 'off')
      setShow(next)
    },
  ]
}

function hasFilter(params: URLSearchParams): boolean {
  return Object.values(carriedFilter(params)).some((value) => value !== null)
}

const MAP_SECONDS = 300

/** The five minutes of whole minutes around a trace's start. */
function aroundTrace({ start }: Trace): Record<string, string> {
  const from = Math.floor((start - MAP_SECONDS / 2) / 60) * 60
  return { from: String(from), to: String(from + MAP_SECONDS) }
}
