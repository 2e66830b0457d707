// Which node or call the list is narrowed to, by name.

import { addresses, type TimeWindow } from '../api/client'
import type { NodeDetail } from '../api/types'
import { Icon } from '../components/Icon'
import { edgeEnds } from '../model/url'
import { useLiveQuery } from './useLiveQuery'
import '../styles/chips.css'

interface Props {
  node: string | undefined
  edge: string | undefined
  window: TimeWindow
  onClear(): void
}

export function NodeFilterChip({ node, edge, window, onClear }: Props) {
  const ends = edge ? edgeEnds(edge) : null
  const source = useName(ends?.[0] ?? node ?? null, window)
  const target = useName(ends?.[1] ?? null, window)
  const words = ends ? `${source} → ${target}` : source
  return (
    <span className="chip is-on">
      {ends ? 'Call' : 'Service'}: <strong>{words}</strong>
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

/** Requested once: a name does not change while the window moves on. */
function useName(id: string | null, window: TimeWindow): string {
  const known = id ? names.get(id) : undefined
  const url = id && !known ? addresses.node(window, '', id) : null
  const { data } = useLiveQuery<NodeDetail>(url, { key: `name ${id}` })
  if (id && data) names.set(id, data.node.name)
  return known ?? data?.node.name ?? id ?? ''
}

const names = new Map<string, string>()
