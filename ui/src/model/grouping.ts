// By what the map's nodes are split: part of the address, as the scope is.

import type { Graph, MapNode } from '../api/types'
import { quoted } from '../filter/quoted'

export const DIMENSIONS = ['version', 'environment', 'region', 'method', 'status', 'operation'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** What the address splits nodes by. */
export function groupingOf(params: URLSearchParams): Dimension | null {
  const chosen = params.get('group_by')
  return DIMENSIONS.find((one) => one === chosen) ?? null
}

/** What the page's address splits nodes by now. */
export function currentGrouping(): Dimension | null {
  return typeof location === 'undefined' ? null : groupingOf(new URLSearchParams(location.search))
}

/** What a node is called: of a part of one, with its value. */
export function shownName(
  { name, value }: { name: string; value: string | null },
  by: Dimension | null = currentGrouping(),
): string {
  if (value === null) return name
  return `${name} · ${value || `no ${by ?? 'value'}`}`
}

/** The id of a part of a node as that of the node and the value; null of a node that is whole. */
export function partOf(id: string): { whole: string; value: string } | null {
  const at = id.indexOf('~')
  if (at < 0) return null
  try {
    const text = atob(
      id
        .slice(at + 1)
        .replaceAll('-', '+')
        .replaceAll('_', '/'),
    )
    const value = new TextDecoder().decode(Uint8Array.from(text, (one) => one.codePointAt(0) ?? 0))
    return { whole: id.slice(0, at), value }
  } catch {
    return null
  }
}

/** The id of the part of a node that has a value. */
export function partId(whole: string, value: string): string {
  const bytes = Array.from(new TextEncoder().encode(value), (one) => String.fromCodePoint(one)).join('')
  return `${whole}~${btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** The graph with its nodes called so; `whole` is what the node is called that a part is of. */
export function withValues<G extends Graph>(graph: G, by: Dimension | null): G {
  if (!by) return graph
  const named = (node: MapNode) =>
    node.value === null ? node : { ...node, name: shownName(node, by), whole: node.name }
  return { ...graph, nodes: graph.nodes.map(named) }
}

/** Where they are called otherwise. */
const KEYWORDS: Partial<Record<Dimension, string>> = { method: 'http.method', status: 'http.status' }

/** The condition of a unit on its value in the filter language; empty of a node that is whole. */
export function valueCondition(value: string | null | undefined, by: Dimension | null): string {
  if (value == null || !by) return ''
  const keyword = KEYWORDS[by] ?? by
  if (by === 'status') return value ? `${keyword} = ${value}` : `!(${keyword} > 0)`
  return value ? `${keyword} = ${quoted(value)}` : `!${keyword}`
}
