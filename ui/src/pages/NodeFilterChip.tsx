// Which node or call the list is narrowed to, by name.

import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { addresses, type TimeWindow, type Work } from '../api/client'
import type { Graph, NodeDetail } from '../api/types'
import { Icon } from '../components/Icon'
import { partOf, shownName } from '../model/grouping'
import { nameIn } from '../model/names'
import { edgeEnds } from '../model/url'
import { useLiveQuery } from './useLiveQuery'
import '../styles/chips.css'

interface Props {
  node: string | undefined
  work: Work | undefined
  edge: string | undefined
  window: TimeWindow
  onClear(): void
}

export function NodeFilterChip({ node, work, edge, window, onClear }: Props) {
  const ends = edge ? edgeEnds(edge) : null
  const source = useName(ends?.[0] ?? node ?? null, window)
  const target = useName(ends?.[1] ?? null, window)
  const words = ends ? `${source} → ${target}` : source
  return (
    <span className="chip is-on">
      {ends ? 'Call' : work === 'background' ? 'Background work' : 'Service'}: <strong>{words}</strong>
      <button
        type="button"
        className="icon-button small"
        aria-label={`Remove the filter ${words}`}
        onClick={onClear}
      >
        <Icon name="close" size={12} />
      </button>
    </span>
  )
}

/** Requested once: a name does not change while the window moves on. Until then it is a map's, if one showed it. */
function useName(id: string | null, window: TimeWindow): string {
  const client = useQueryClient()
  const known = id ? (names.get(id) ?? nameIn(shownMaps(client), id)) : undefined
  const part = id ? partOf(id) : null
  const url = id && !known ? addresses.wholeNode(window, part?.whole ?? id) : null
  const { data } = useLiveQuery<NodeDetail>(url, { key: `name ${id}` })
  const name = data && shownName({ name: data.node.name, value: part?.value ?? null })
  if (id && name) names.set(id, name)
  return known ?? name ?? (id ? '…' : '')
}

/** The answers of the map that are in memory. */
function shownMaps(client: QueryClient): Graph[] {
  const found = client.getQueriesData<{ body?: Partial<Graph> }>({ queryKey: ['live'] })
  return found.flatMap(([, data]) => (data?.body?.nodes && data.body.edges ? [data.body as Graph] : []))
}

const names = new Map<string, string>()
