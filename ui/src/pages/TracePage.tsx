// One trace: head, and a timeline, a map or the raw documents under it.

import { useState } from 'react'
import { addresses } from '../api/client'
import type { Trace } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { Icon } from '../components/Icon'
import { Loading } from '../components/Loading'
import { RawTrace } from '../components/RawTrace'
import { SegmentDetail } from '../components/SegmentDetail'
import { TraceHead, traceTitle } from '../components/TraceHead'
import { Waterfall } from '../components/Waterfall'
import { firstFault } from '../model/timeline'
import { carried, carriedFilter, href } from '../model/url'
import { NotFound } from './NotFound'
import { Link, setParams, useAddress } from './router'
import { TraceMap } from './TraceMap'
import { useLiveQuery } from './useLiveQuery'
import { useKeys } from './useKeys'
import { useTitle } from './useTitle'

const TABS = ['timeline', 'map', 'raw'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = { timeline: 'Timeline', map: 'Map', raw: 'Raw JSON' }

export function TracePage({ id }: { id: string }) {
  const { data, error, slow, reload } = useLiveQuery<Trace>(addresses.trace(id), { key: `trace ${id}` })
  if (error && (error.status === 404 || error.status === 400)) {
    return <NotFound what={`the trace ${id}`} why={`${error.message}.`} />
  }
  return (
    <main className="trace-page">
      {error && <FailureBanner error={error} what="Could not load the trace" onRetry={reload} />}
      {data ? <Loaded trace={data} onReload={reload} /> : !error && <Loading what="trace" slow={slow} />}
    </main>
  )
}

function Loaded({ trace, onReload }: { trace: Trace; onReload(): void }) {
  const { params } = useAddress()
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set())
  useTitle(traceTitle(trace))
  const tab = TABS.find((one) => one === params.get('tab')) ?? 'timeline'
  const chosen = trace.rows.find(({ id }) => id === params.get('seg')) ?? null
  const fault = firstFault(trace.rows)
  const choose = (seg: string | null) =>
    setParams({ seg, tab: null }, { replace: chosen !== null && seg !== null })
  useKeys({ Escape: () => chosen && choose(null) })

  return (
    <>
      <nav className="trace-ways" aria-label="From this trace">
        <Link href={href('/traces', { ...carried(params), ...carriedFilter(params) })}>
          <Icon name="back" size={14} /> {hasFilter(params) ? 'Traces (filtered)' : 'Traces'}
        </Link>
        <Link href={href('/map', aroundTrace(trace))}>This time on the map</Link>
      </nav>
      <TraceHead
        key={trace.id}
        trace={trace}
        firstFault={fault}
        onFirstFault={(seg) => choose(seg)}
        onReload={onReload}
      />
      <div className="tabs" role="tablist" aria-label="Views of the trace">
        {TABS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`tab-${one}`}
            aria-selected={tab === one}
            aria-controls="trace-view"
            onClick={() => setParams({ tab: one === 'timeline' ? null : one })}
          >
            {TAB_WORDS[one]}
          </button>
        ))}
      </div>
      <div className="trace-body" id="trace-view" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === 'timeline' && (
          <>
            <Waterfall
              trace={trace}
              selection={chosen?.id ?? null}
              folded={folded}
              onFolded={setFolded}
              onSelect={choose}
            />
            {chosen && (
              <SegmentDetail
                key={chosen.id}
                trace={trace}
                row={chosen}
                onSelect={choose}
                onClose={() => choose(null)}
              />
            )}
          </>
        )}
        {tab === 'map' && <TraceMap trace={trace} />}
        {tab === 'raw' && <RawTrace trace={trace} />}
      </div>
    </>
  )
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
