// Which rows of a trace belong to which node of its map.

import type { MapNode, Trace, TraceRow } from '../api/types'

/** A node's rows: its own segments, or what its callers recorded of it; the first failing one first. */
export function rowsOf(node: MapNode | null, rows: readonly TraceRow[]): TraceRow[] {
  if (!node || node.kind === 'client') return []
  const names = new Set([node.name, ...node.names])
  const named = rows.filter((row) => names.has(row.name))
  const own = named.filter(({ kind }) => kind !== 'subsegment')
  const found = own.length > 0 ? own : named
  const typed = found.filter(({ type }) => type === node.type)
  return typed.length > 0 ? typed : found
}

/** The row to open when a node is chosen: the first that failed, else the first. */
export function mainRow(rows: readonly TraceRow[]): TraceRow | null {
  return rows.find(({ status }) => status === 'fault') ?? rows.find(isFailed) ?? rows[0] ?? null
}

function isFailed({ status }: TraceRow): boolean {
  return status === 'error' || status === 'throttle'
}

/** The node that a row belongs to: the one whose rows contain it, else that of its segment. */
export function nodeOf(row: TraceRow, { map, rows }: Pick<Trace, 'map' | 'rows'>): MapNode | null {
  const own = map.nodes.find((node) => rowsOf(node, rows).includes(row))
  return own ?? map.nodes.find(({ name, kind }) => kind !== 'client' && name === row.service) ?? null
}
