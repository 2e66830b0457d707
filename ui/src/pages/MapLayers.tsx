// What lies over the map and is not part of its answer. A chunk of its own.

import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { Graph, PeriodComparison, ServiceMap, TrustReply } from '../api/types'
import { both } from '../filter/tokens'
import { span } from '../model/format'
import { withOpenEnds } from '../model/openEnds'
import { periodOf, withPeriod } from '../model/periods'
import { MOST, withRollouts } from '../model/rollouts'
import { placeOf, type By } from '../model/sides'
import { withPoints, type SinglePoint } from '../model/structure'
import { marked, TRUST_GLYPHS, TRUST_WORDS, withTrust } from '../model/trust'
import { edgeEnds } from '../model/url'
import { DeclaredLayer, type DeclaredOverlay } from './DeclaredLayer'
import { PeriodLayer } from './PeriodLayer'
import { PeriodStrip } from './PeriodStrip'
import { RolloutLayer, type Rollouts } from './RolloutLayer'
import { StructureLayer } from './StructureLayer'
import { useAddress } from './router'
import { usePeriod } from './usePeriod'
import type { Earlier } from './useTimesThen'
import { useTrust } from './useTrust'
import '../styles/rollout.css'
import '../styles/structure.css'
import '../styles/trust.css'

const PeriodNote = lazy(() => import('./PeriodNote'))

/** What the layers add to the map's page. */
export interface Overlay {
  graph(graph: Graph, part: boolean): Graph
  /** What there is to say of a node or an edge. */
  note(id: string): ReactNode
  /** What a node or an edge is compared with. */
  earlier(id: string): Earlier | null
  legend: ReactNode
  /** Above the map. */
  strip: ReactNode
}

interface Props {
  window: TimeWindow
  filter: string
  data: ServiceMap
  /** A map of groups has the comparison alone. */
  isBoxed: boolean
  onOverlay(overlay: Overlay | null): void
}

export function MapLayers({ window, filter, data, isBoxed, onOverlay }: Props) {
  const [declared, setDeclared] = useState<DeclaredOverlay | null>(null)
  const [{ rollouts, services }, setFound] = useState<Rollouts>({ rollouts: new Map(), services: 0 })
  const [points, setPoints] = useState<readonly SinglePoint[]>([])
  const { params } = useAddress()
  const shown = data.nodes.length > 0
  const against = periodOf(params)
  const { data: compared, error } = usePeriod(window, filter, against, { shown, isBoxed })
  const period = (against !== null && compared) || null
  const trust = useTrust(window, filter, '', shown && !isBoxed)
  useEffect(
    () =>
      onOverlay({
        graph: (graph, part) =>
          withPeriod(
            withTrust(
              withOpenEnds(
                withPoints(withRollouts(declared?.graph(graph, part) ?? graph, rollouts), points),
                data.open_ends,
              ),
              trust,
            ),
            period,
          ),
        note: (id) => (
          <>
            {declared?.note(id)}
            {period && (
              <Suspense>
                <PeriodNote key={id} id={id} found={period} />
              </Suspense>
            )}
          </>
        ),
        earlier: (id) => period && earlierOf(id, period, filter),
        legend: (
          <>
            {rollouts.size > 0 && !period && <RolloutNote services={services} />}
            {data.open_ends.length > 0 && (
              <span
                className="rollout-note"
                title="A call ends here although a service of that name reports, or requests name a parent that has not come. The panel says why."
              >
                <svg className="open-end-mark" viewBox="0 0 26 18" aria-hidden="true">
                  <path d="M1 9h9" />
                  <text x="19" y="13.5">
                    ?
                  </text>
                </svg>
                Edge missing
              </span>
            )}
            {trust && <TrustLegend of={trust} />}
          </>
        ),
        strip: against !== null && shown && <PeriodStrip against={against} found={period} error={error} />,
      }),
    [
      declared,
      rollouts,
      services,
      points,
      data.open_ends,
      trust,
      against,
      shown,
      period,
      error,
      filter,
      onOverlay,
    ],
  )
  useEffect(() => () => onOverlay(null), [onOverlay])
  return (
    <>
      <div className="map-switches">
        <PeriodLayer shown={shown} />
        {!isBoxed && (
          <>
            <DeclaredLayer window={window} shown={shown} onOverlay={setDeclared} />
            <StructureLayer window={window} filter={filter} shown={shown} onPoints={setPoints} />
          </>
        )}
      </div>
      {!isBoxed && <RolloutLayer window={window} nodes={data.nodes} onRollouts={setFound} />}
    </>
  )
}

function earlierOf(id: string, found: PeriodComparison, filter: string): Earlier | null {
  const { now, then } = found
  if (!found.by) return { url: placeAddress(then, id, filter, ''), words: span(then.from, then.to) }
  const place = [...found.nodes, ...found.edges].find((one) => one.id === id)
  const [url, before] = [
    sideAddress(found, now, id, id, filter),
    sideAddress(found, then, id, place?.then_id ?? null, filter),
  ]
  if (!place?.now || !place.then || !url || !before) return null
  return { url: before, words: then.side ?? '', now: { url, words: now.side ?? '' } }
}

function sideAddress(
  { by }: PeriodComparison,
  period: PeriodComparison['now'],
  id: string,
  own: string | null,
  filter: string,
): string | null {
  const place = placeOf(by as By, period.side ?? '', id, own)
  return place && placeAddress(period, place.id, both(filter, place.filter), place.group_by)
}

function placeAddress(period: TimeWindow, id: string, filter: string, grouping: string): string {
  const ends = edgeEnds(id)
  const { from, to } = period
  const url = ends ? addresses.edge({ from, to }, filter, ...ends) : addresses.node({ from, to }, filter, id)
  return grouping ? `${url}&group_by=${grouping}` : url
}

const EXPLAINED = [
  ['partial', 'Something lacks: requests that have not ended, or whose parent has not come'],
  ['sampled', 'Only what was sampled is counted'],
  ['skewed', 'A clock differs from others: times of day and ages of messages are wrong by that'],
] as const

/** Of the marks that the map has. */
function TrustLegend({ of }: { of: TrustReply }) {
  const shown = new Set([...of.nodes, ...of.edges].map(marked))
  return EXPLAINED.filter(([trust]) => shown.has(trust)).map(([trust, title]) => (
    <span key={trust} className="rollout-note" title={`${title}. The panel says more.`}>
      <span className="trust-mark" aria-hidden="true">
        {TRUST_GLYPHS[trust]}
      </span>
      {TRUST_WORDS[trust]}
    </span>
  ))
}

function RolloutNote({ services }: { services: number }) {
  return (
    <span
      className="rollout-note"
      title={`What the version deployed last answered, in the ${MOST} services deployed to last within a day`}
    >
      <svg className="rollout-mark" viewBox="0 0 18 18" aria-hidden="true">
        <circle cx="9" cy="9" r="7" />
        <circle cx="9" cy="9" r="3.5" />
      </svg>
      Inner ring{' '}
      <span className="mute">new version{services > MOST && `, ${MOST} of ${services} services`}</span>
    </span>
  )
}
