// Operations of a service in words and in order.

import type { OperationLine } from '../api/types'
import { shares } from './health'

export const ORDERS = ['requests', 'fault', 'p50_ms', 'p95_ms'] as const
/** What a table of operations is sorted by: the greatest is first. */
export type Order = (typeof ORDERS)[number]

/** Rows that are shown at first. */
export const FEW = 8

export function operationWords({ operation, named }: Pick<OperationLine, 'operation' | 'named'>): string {
  return named ? operation : operation || 'no operation'
}

export function sorted(operations: readonly OperationLine[], order: Order): OperationLine[] {
  return operations.toSorted((a, b) => rank(b, order) - rank(a, order))
}

/** Outcomes by their share of faults, then of throttles and errors. */
function rank(line: OperationLine, order: Order): number {
  if (order !== 'fault') return line[order] ?? -1
  const parts = shares(line)
  return parts ? parts.fault * 1e6 + parts.throttle * 1e3 + parts.error : -1
}
