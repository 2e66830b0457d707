// Fetches what the side panel shows for the selection of the map.

import { lazy, Suspense, type ReactNode } from 'react'
import { addresses, type PlaceFilter, type TimeWindow } from '../api/client'
import type { EdgeDetail, Graph, NodeDetail } from '../api/types'
import { errorWords } from '../components/Banner'
import { Icon } from '../components/Icon'
import { IncompleteNote } from '../components/IncompleteNote'
import { KindBadge } from '../components/KindBadge'
import { slowWords } from '../components/Loading'
import { DetailBody, PanelFrame, nodeHead } from '../components/SidePanel'
import { typeWords } from '../map/describe'
import { currentGrouping, partOf, valueCondition, type Dimension } from '../model/grouping'
import { shares } from '../model/health'
import { faultProposal, proposal, proposalWords, type Proposal } from '../model/proposals'
import { isShared, readsUnfiltered } from '../model/share'
import { currentScope } from '../model/scope'
import { edgeEnds, href } from '../model/url'
import { responseTimeBetween, responseTimeFrom } from '../filter/selection'
import { quoted } from '../filter/quoted'
import { both, selector } from '../filter/tokens'
import { rangeParams } from '../model/range'
import { NodeImpact } from './NodeImpact'
import { NodeMetrics } from './NodeMetrics'
import { NodeOperations } from './NodeOperations'
import { NodeStates } from './NodeStates'
import { NodeVersions } from './NodeVersions'
import { TrustLines } from './TrustLines'
import { Usage } from './Usage'
import { Link, setParams } from './router'
import { useLiveQuery } from './useLiveQuery'
import { useTimesThen, type Earlier } from './useTimesThen'

const NodeErrors = lazy(() => import('./NodeErrors'))
const NodeMissing = lazy(() => import('./NodeMissing'))

interface Props {
  id: string
  graph: Graph
  window: TimeWindow
  rangeKey: string
  filter: string
  /** Words of the time range, for links to other pages. */
  carried: Record<string, string | null>
  focused: boolean
  /** What templates say of it. */
  declared?: ReactNode
  /** What its response times are compared with. */
  earlier?: Earlier | null | undefined
  onSelect(id: string | null): void
  onFocus(id: string): void
}

/** Begins the types of models, agents and tools. */
const GENAI = 'GenAI::'
const FUNCTION = /^AWS::Lambda(::Function)?$/
const STATE_MACHINE = 'AWS::StepFunctions::StateMachine'

export function DetailPanel(props: Props) {
  const { id, graph, window, rangeKey, filter, carried, focused, declared, onSelect, onFocus } = props
  const ends = edgeEnds(id)
  const shared = isShared()
  const by = currentGrouping()
  const isPart = partOf(id) !== null
  const showAll = !ends && !isPart && readsUnfiltered(filter)
  const called = graph.nodes.find((node) => node.id === (ends ? ends[1] : id))
  // They are counted for the whole map alone: with a filter, whole traces would be read again and again.
  const isWhole = !filter && Object.keys(currentScope()).length === 0
  const showOperations = showAll && !shared && isWhole && called?.kind !== 'client'
  const url = ends ? addresses.edge(window, filter, ...ends) : addresses.node(window, filter, id)
  const { data, error, slow, at } = useLiveQuery<NodeDetail | EdgeDetail>(url, {
    key: `detail ${id}`,
    variant: `${rangeKey} ${filter}`,
  })
  const then = useTimesThen(props.earlier)
  const gone = error?.status === 404
  const isMachine = graph.nodes.some((node) => node.id === id && node.type === STATE_MACHINE)
  const isGenAI = called?.type.startsWith(GENAI)
  const head = headOf(id, graph, data)
  // What the numbers count is said: a list of a later time may have other units for its default.
  const counted = data && 'node' in data && data.node.work === 'background' ? 'background' : null
  const place = { ...carried, [ends ? 'edge' : 'node']: id, work: counted }
  const tracesLink = (narrowed: PlaceFilter, words: ReactNode) => (
    <Link href={href('/traces', { ...place, ...listParams(narrowed) })}>{words}</Link>
  )
  const listParams = ({ status, error: row, slowerThan, work }: PlaceFilter) => ({
    ...(work && { work }),
    status: status ?? null,
    error: row ?? null,
    ...(slowerThan !== undefined && {
      filter: both(filter, units(id, graph, responseTimeFrom(slowerThan), by)),
      sort: 'response',
    }),
  })
  const versionLink = (version: string, words: ReactNode) => {
    const condition = `${meant(id, graph)} { version = ${quoted(version)} }`
    return <Link href={href('/traces', { ...carried, filter: both(filter, condition) })}>{words}</Link>
  }
  const operationLink = (operation: string, words: ReactNode) => {
    const condition = `${meant(id, graph)} { operation = ${quoted(operation)} }`
    return <Link href={href('/traces', { ...carried, filter: both(filter, condition) })}>{words}</Link>
  }
  const usageLink = (condition: string, words: ReactNode) => {
    const block = condition && ` { ${condition} }`
    return (
      <Link href={href('/traces', { ...carried, filter: both(filter, callsTo(id, graph) + block) })}>
        {words}
      </Link>
    )
  }
  const callsLink = (edge: string, words: ReactNode) => (
    <Link href={href('/traces', { ...carried, edge })}>{words}</Link>
  )
  const impactLink = (caller: string, range: Record<string, string | null>, words: ReactNode) => (
    <Link
      href={href('/traces', { ...carried, ...range, node: caller, filter: both(filter, meant(id, graph)) })}
    >
      {words}
    </Link>
  )
  const alarmOf = (rule: Proposal) =>
    href('/alarms', { ...carried, filter: null, ...proposal(meant(id, graph), rule) })
  const alarmLink = (rule: Proposal) => (
    <Link className="bell-link" href={alarmOf(rule)} title="A new alarm on this, filled in">
      <Icon name="bell" size={12} /> {proposalWords(rule)}
    </Link>
  )
  const actions = (
    <>
      {!shared && (
        <Link className="button primary" href={href('/traces', place)}>
          View traces
        </Link>
      )}
      {!shared && !isPart && (
        <Link
          className="button"
          href={alarmOf(faultProposal(faultShare(data)))}
          title="A new alarm on this, filled in"
        >
          <Icon name="bell" size={14} /> Alarm
        </Link>
      )}
      {!ends && !focused && (
        <button
          type="button"
          className="button"
          title="Show only its surroundings (F)"
          onClick={() => onFocus(id)}
        >
          <Icon name="focus" size={14} /> Focus
        </button>
      )}
    </>
  )
  return (
    <PanelFrame {...head} onClose={() => onSelect(null)}>
      <IncompleteNote of={gone ? null : data} at={at} />
      {declared}
      {data && !gone && (
        <DetailBody
          detail={data}
          then={then}
          tracesLink={tracesLink}
          callsLink={callsLink}
          actions={actions}
          trust={
            !by &&
            !shared && (
              <TrustLines
                key={`trust ${id}`}
                id={id}
                window={window}
                filter={filter}
                listLink={(where, words) => (
                  <Link href={href('/traces', { ...place, ...where })}>{words}</Link>
                )}
                traceLink={(trace, words) => <Link href={href(`/traces/${trace}`, {})}>{words}</Link>}
              />
            )
          }
          states={
            isMachine &&
            !isPart &&
            !shared && (
              <NodeStates key={`states ${id}`} id={id} window={window} rangeKey={rangeKey} filter={filter} />
            )
          }
          usage={
            isGenAI &&
            !isPart &&
            !shared && (
              <Usage
                key={`usage ${id}`}
                place={ends ? 'edge' : 'node'}
                id={id}
                window={window}
                rangeKey={rangeKey}
                filter={filter}
                link={usageLink}
              />
            )
          }
          bySource={
            showAll &&
            !shared &&
            FUNCTION.test(called?.type ?? '') && (
              <Suspense>
                <NodeErrors
                  key={id}
                  id={id}
                  window={window}
                  rangeKey={rangeKey}
                  filterLink={(found, words) => (
                    <Link href={href('/traces', { ...carried, filter: both(filter, found) })}>{words}</Link>
                  )}
                  traceLink={(trace, words) => <Link href={href(`/traces/${trace}`, {})}>{words}</Link>}
                />
              </Suspense>
            )
          }
          operations={
            showOperations && (
              <NodeOperations
                key={`operations ${id}`}
                id={id}
                window={window}
                rangeKey={rangeKey}
                operationLink={operationLink}
              />
            )
          }
          versions={
            showAll && (
              <NodeVersions
                id={id}
                window={window}
                rangeKey={rangeKey}
                unknown={!!called?.unknown}
                versionLink={versionLink}
              />
            )
          }
          impact={
            !ends &&
            !isPart &&
            !shared && (
              <NodeImpact
                key={`impact ${id}`}
                id={id}
                window={window}
                filter={filter}
                link={impactLink}
                onSelect={onSelect}
              />
            )
          }
          missing={
            !ends &&
            showAll &&
            !shared && (
              <Suspense>
                <NodeMissing
                  key={`missing ${id}`}
                  id={id}
                  window={window}
                  open={!!called?.openEnd}
                  traceLink={(trace, words) => <Link href={href(`/traces/${trace}`, {})}>{words}</Link>}
                  onSelect={onSelect}
                />
              </Suspense>
            )
          }
          metrics={showAll && <NodeMetrics key={id} id={id} window={window} rangeKey={rangeKey} />}
          alarmLink={shared || isPart ? undefined : alarmLink}
          onSelect={onSelect}
          onResponseTimes={
            shared
              ? undefined
              : (from, to) => {
                  const condition = units(id, graph, responseTimeBetween(from, to), by)
                  setParams({ filter: both(filter, condition) })
                }
          }
          onTimes={shared ? undefined : (from, to) => setParams(rangeParams({ kind: 'fixed', from, to }))}
        />
      )}
      {error && (gone || !data) && (
        <p className="panel-note" role="status">
          {gone ? 'No traffic in this range.' : `Could not load the details: ${errorWords(error)}.`}
        </p>
      )}
      {!data && !error && <PanelSkeleton slow={slow} />}
    </PanelFrame>
  )
}

function faultShare(data: NodeDetail | EdgeDetail | null): number | null {
  const thing = data && ('node' in data ? data.node : data.edge)
  return thing && (shares(thing)?.fault ?? null)
}

/** A node or an edge in the filter language. */
function meant(id: string, { nodes }: Graph): string {
  const nodeOf = (one: string) => {
    const { name, whole, type, account } = nodes.find((node) => node.id === one) ?? UNKNOWN
    return { name: whole ?? name, type, account }
  }
  const ends = edgeEnds(id)
  if (ends) return `edge(${selector(nodeOf(ends[0]))}, ${selector(nodeOf(ends[1]))})`
  return `service(${selector(nodeOf(id))})`
}

/** A condition on the units of a node or an edge; of a part of a node they have its value, too. */
function units(id: string, graph: Graph, condition: string, by: Dimension | null): string {
  const value = valueCondition(graph.nodes.find((node) => node.id === id)?.value, by)
  return `${meant(id, graph)} { ${[value, condition].filter(Boolean).join(' AND ')} }`
}

const UNKNOWN = { name: '', whole: undefined, type: '', account: '' }

/** The calls along an edge, or to a node, whatever makes them. */
function callsTo(id: string, graph: Graph): string {
  return edgeEnds(id) ? meant(id, graph) : meant(id, graph).replace(/^service\(/, 'edge("", ')
}

function headOf(id: string, graph: Graph, data: NodeDetail | EdgeDetail | null) {
  if (data && 'node' in data) return nodeHead(data)
  const name = (node: string) => graph.nodes.find((one) => one.id === node)?.name ?? 'unknown'
  const ends = edgeEnds(id)
  if (ends) return { title: `${name(ends[0])} → ${name(ends[1])}`, subtitle: 'Calls' }
  const node = graph.nodes.find((one) => one.id === id)
  if (!node) return { title: id, subtitle: 'Service' }
  return { title: node.name, subtitle: typeWords(node), badge: <KindBadge kind={node.kind} size={28} /> }
}

function PanelSkeleton({ slow }: { slow: number | null }) {
  return (
    <div className="skeleton-lines">
      {slow !== null && <p role="status">{slowWords(slow)}</p>}
      {[60, 100, 100, 100, 80, 100].map((width, index) => (
        <span key={index} style={{ width: `${width}%` }} />
      ))}
    </div>
  )
}
