// What is declared, over the map: the switch for it, and what the map and its panel show of it.

import { useQuery } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { fetchJson, type TimeWindow } from '../api/client'
import { declaredAddresses, type Comparison, type StackList, type Status } from '../api/declared'
import type { Graph } from '../api/types'
import { comparedWindow, findingsOf, STATUS_WORDS, withDeclared } from '../model/declared'
import { span } from '../model/format'
import { carried, href } from '../model/url'
import { Link, setParams, useAddress } from './router'
import '../styles/declared.css'

const FRESH_MS = 60_000
/** Whether anything is declared changes with a deployment. */
const RARELY_MS = 300_000
const DIFFERENCES = ['never_seen', 'undeclared'] as const

/** What the layer adds to the map's page. */
export interface DeclaredOverlay {
  graph(graph: Graph, part: boolean): Graph
  /** What templates say of a node or an edge. */
  note(id: string): ReactNode
}

interface Props {
  window: TimeWindow
  /** Whether there is a map, or its list, on the screen. */
  shown: boolean
  onOverlay(overlay: DeclaredOverlay | null): void
}

export function DeclaredLayer({ window, shown, onOverlay }: Props) {
  const { params } = useAddress()
  const on = params.get('declared') === '1'
  const hasDeclared = useHasDeclared()
  const wanted = hasDeclared && (on || params.get('sel') !== null)
  const { comparison, failed } = useComparison(comparedWindow(window), wanted)
  useEffect(() => {
    if (!comparison) return
    onOverlay({
      graph: (graph, part) => (on ? withDeclared(graph, comparison, part) : graph),
      note: (id) => <Note id={id} comparison={comparison} />,
    })
    return () => onOverlay(null)
  }, [comparison, on, onOverlay])
  if (!hasDeclared || !shown) return null
  return (
    <div className="declared-switch" role="group" aria-label="Declared">
      <button
        type="button"
        className="legend-entry"
        aria-pressed={on}
        title="Show what templates declare, compared with a day at the least"
        onClick={() => setParams({ declared: on ? null : '1' })}
      >
        Declared
      </button>
      {on && failed && <span role="status">could not be compared</span>}
      {on &&
        comparison &&
        DIFFERENCES.map((status) => (
          <span key={status} className="declared-key">
            <span className={`declared-mark is-${status}`} aria-hidden="true" />
            <ListLink comparison={comparison} status={status}>
              {comparison.counts[status]} {STATUS_WORDS[status]}
            </ListLink>
          </span>
        ))}
    </div>
  )
}

/** Whether any stack is declared; false until that is known. */
function useHasDeclared(): boolean {
  const url = declaredAddresses.all()
  const { data } = useQuery({
    queryKey: ['declared', url],
    queryFn: ({ signal }) => fetchJson<StackList>(url, signal),
    staleTime: RARELY_MS,
    refetchInterval: RARELY_MS,
    retry: false,
    placeholderData: (before) => before,
  })
  return (data?.stacks.length ?? 0) > 0
}

/** The comparison over a window; the one before it while the next is on its way. */
function useComparison(window: TimeWindow, enabled: boolean) {
  const url = declaredAddresses.compare(window)
  const { data, isError } = useQuery({
    queryKey: ['compared', url],
    queryFn: ({ signal }) => fetchJson<Comparison>(url, signal),
    enabled,
    staleTime: FRESH_MS,
    retry: false,
    placeholderData: (before) => before,
  })
  return { comparison: (enabled && data) || null, failed: enabled && isError }
}

interface LinkProps {
  comparison: Comparison
  status: Status | null
  children: ReactNode
}

/** The list, of the time that the map was compared with. */
function ListLink({ comparison, status, children }: LinkProps) {
  const { params } = useAddress()
  const time = { range: null, from: String(comparison.from), to: String(comparison.to) }
  return (
    <Link href={href('/declared', { ...carried(params), filter: null, ...time, status })}>{children}</Link>
  )
}

function Note({ id, comparison }: { id: string; comparison: Comparison }) {
  const found = findingsOf(comparison, id)
  if (found.length === 0) return null
  return (
    <section className="declared-note" aria-label="Declared">
      <h3>Declared</h3>
      <ul>
        {found.map((one) => (
          <li key={`${one.stacks.join()} ${'logical_id' in one ? one.logical_id : one.id}`}>
            <strong>{STATUS_WORDS[one.status]}</strong>
            {one.status === 'undeclared' ? ', beside the stack ' : ', stack '}
            {one.stacks.join(', ')}
            {'logical_id' in one && one.logical_id && ` as ${one.logical_id}`}
            {'evidence' in one && one.evidence.length > 0 && ` (${one.evidence.join(', ')})`}
            {one.why && <span className="mute">: {one.why}</span>}
          </li>
        ))}
      </ul>
      <p className="mute">
        Compared with {span(comparison.from, comparison.to)}.{' '}
        <ListLink comparison={comparison} status={null}>
          All differences
        </ListLink>
      </p>
    </section>
  )
}
