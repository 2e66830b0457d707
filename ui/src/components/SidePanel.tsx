// What is known about the chosen node or edge. Draws what it is given; its page does the fetching.

import { Fragment, useState, type CSSProperties, type ReactNode } from 'react'
import type { PlaceFilter } from '../api/client'
import type { ErrorShare, MapNode, Neighbour, NodeDetail } from '../api/types'
import { estimateWords, typeWords } from '../map/describe'
import { count, duration } from '../model/format'
import { shownName } from '../model/grouping'
import { DetailRows } from './DetailRows'
import { KindBadge } from './KindBadge'
import { PanelCharts, type ChartsProps } from './PanelCharts'
import { PanelHead } from './PanelHead'
import { clamped, ResizeHandle } from './ResizeHandle'
import { StatusMark } from './StatusMark'
import { usePanelFocus } from './usePanelFocus'

const WIDTH_KEY = 'raymap.panel'
const [NARROWEST, WIDEST, USUAL] = [300, 560, 360]

interface FrameProps {
  title: ReactNode
  subtitle: string
  badge?: ReactNode
  children: ReactNode
  onClose(): void
}

export function PanelFrame({ title, subtitle, badge, children, onClose }: FrameProps) {
  const panel = usePanelFocus<HTMLElement>()
  const [width, setWidth] = useState(() =>
    clamped(Number(localStorage.getItem(WIDTH_KEY)) || USUAL, NARROWEST, WIDEST),
  )
  const style = { '--panel-width': `${width}px` } as CSSProperties
  return (
    <aside className="side-panel" ref={panel} tabIndex={-1} aria-label="Details" style={style}>
      <ResizeHandle
        label="Width of the details"
        width={width}
        least={NARROWEST}
        most={WIDEST}
        wider="ArrowLeft"
        widthAt={(clientX) => window.innerWidth - clientX}
        onWidth={(next) => {
          setWidth(next)
          localStorage.setItem(WIDTH_KEY, String(next))
        }}
      />
      <PanelHead badge={badge} title={title} subtitle={subtitle} onClose={onClose} />
      <div className="panel-body">{children}</div>
    </aside>
  )
}

interface BodyProps extends ChartsProps {
  tracesLink(filter: PlaceFilter, words: ReactNode): ReactNode
  /** A link to the traces with a call along an edge. */
  callsLink(edge: string, words: ReactNode): ReactNode
  actions: ReactNode
  /** How far the figures are to be trusted. */
  trust?: ReactNode
  /** Of a state machine, its states. */
  states?: ReactNode
  /** Of models, agents and tools, what they were called for. */
  usage?: ReactNode
  /** Of a function, its errors by each source. */
  bySource?: ReactNode
  /** Of a node, what it did. */
  operations?: ReactNode
  /** Of a node, its versions. */
  versions?: ReactNode
  /** Of a node, what its platform measured. */
  metrics?: ReactNode
  /** Of a node, what would stop if it did. */
  impact?: ReactNode
  /** Of a node, why edges of it are missing. */
  missing?: ReactNode
  onSelect(id: string): void
}

export function DetailBody(props: BodyProps) {
  const { detail, tracesLink, callsLink, actions, trust, states, usage, bySource, operations } = props
  const { versions, metrics, impact, missing, onSelect } = props
  const { alarmLink, onResponseTimes, onTimes } = props
  const isNode = 'node' in detail
  const thing = isNode ? detail.node : detail.edge
  const perMinute = isNode ? detail.node.traces_per_min : detail.edge.requests_per_min
  const isClient = isNode && detail.node.kind === 'client'
  const estimate = estimateWords(thing)
  return (
    <>
      <div className="panel-actions">{actions}</div>
      {!isClient && (
        <>
          <DetailRows
            thing={thing}
            perMinute={perMinute}
            rateWords={!isNode ? 'Requests' : detail.node.work === 'background' ? 'Background' : 'Traces'}
            before={detail.before}
            tracesLink={tracesLink}
          />
          {trust || (estimate && <p className="mute">{estimate}</p>)}
          {isNode && <BackgroundWork node={detail.node} tracesLink={tracesLink} />}
          {states}
          {usage}
          {operations}
          {versions}
          <PanelCharts
            key={`charts ${thing.id}`}
            detail={detail}
            then={props.then}
            alarmLink={alarmLink}
            onResponseTimes={onResponseTimes}
            onTimes={onTimes}
          />
          <Errors errors={detail.errors} tracesLink={tracesLink} />
          {bySource}
          {metrics}
        </>
      )}
      {isNode && (
        <>
          <Neighbours
            title="Called by"
            neighbours={detail.callers}
            requestsLink={(other, words) => callsLink(`${other}:${detail.node.id}`, words)}
            onSelect={onSelect}
          />
          <Neighbours
            title="Calls"
            neighbours={detail.callees}
            requestsLink={(other, words) => callsLink(`${detail.node.id}:${other}`, words)}
            onSelect={onSelect}
          />
          {impact}
          {missing}
        </>
      )}
    </>
  )
}

const FAILURES = ['fault', 'error', 'throttle'] as const

function counted(number: number, state: (typeof FAILURES)[number]): string {
  return `${count(number)} ${state}${number === 1 ? '' : 's'}`
}

/** What a node does beside its requests; where it has none, the rows above say it. */
function BackgroundWork({ node, tracesLink }: { node: MapNode; tracesLink: BodyProps['tracesLink'] }) {
  const { background, work } = node
  if (!background || work === 'background') return null
  const number = (background.requests ?? 0) + background.in_progress
  const failing = FAILURES.filter((state) => background[state])
  return (
    <p className="beside-requests" title="Spans without a parent, and of no kind that serves requests">
      Background work: {tracesLink({ work: 'background' }, count(number))}
      {background.avg_ms !== null && `, average ${duration(background.avg_ms)}`}
      {failing.map((state) => (
        <Fragment key={state}>
          {', '}
          {tracesLink({ work: 'background', status: state }, counted(background[state] ?? 0, state))}
        </Fragment>
      ))}
    </p>
  )
}

function Errors({ errors, tracesLink }: { errors: ErrorShare[]; tracesLink: BodyProps['tracesLink'] }) {
  const total = errors.reduce((sum, one) => sum + one.count, 0)
  return (
    <>
      <h3>Errors</h3>
      {errors.length === 0 && <p className="mute">None in this range.</p>}
      <ul className="breakdown">
        {errors.map((one) => (
          <li key={`${one.status} ${one.label}`}>
            <StatusMark status={one.status} bare />
            <span className="breakdown-label">{tracesLink({ error: one.filter }, one.label)}</span>
            <span className="breakdown-bar" aria-hidden="true">
              <span style={{ width: `${(one.count / total) * 100}%`, background: `var(--${one.status})` }} />
            </span>
            <span className="numeric">{tracesLink({ error: one.filter }, count(one.count))}</span>
          </li>
        ))}
      </ul>
    </>
  )
}

interface NeighboursProps {
  title: string
  neighbours: Neighbour[]
  requestsLink(other: string, words: ReactNode): ReactNode
  onSelect(id: string): void
}

function Neighbours({ title, neighbours, requestsLink, onSelect }: NeighboursProps) {
  if (neighbours.length === 0) return null
  return (
    <>
      <h3>{title}</h3>
      <ul className="neighbours">
        {neighbours.map((one) => (
          <li key={one.id}>
            <button type="button" className="link" onClick={() => onSelect(one.id)}>
              {shownName(one)}
            </button>
            <span className="mute">{[one.type, one.location].filter(Boolean).join(' · ')}</span>
            <span className="numeric" title="Requests">
              {one.requests ? requestsLink(one.id, count(one.requests)) : count(one.requests)}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

function isInferred({ node }: NodeDetail): boolean {
  return node.state === 'unknown' && node.kind !== 'client'
}

export function nodeHead(detail: NodeDetail) {
  return {
    title: shownName(detail.node),
    subtitle: typeWords(detail.node) + (isInferred(detail) ? ' · seen by its callers only' : ''),
    badge: <KindBadge kind={detail.node.kind} size={28} />,
  }
}
