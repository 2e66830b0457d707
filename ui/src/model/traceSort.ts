// The column by which a list of traces is sorted. By start only the newest come first.

export const TRACE_COLUMNS = [
  'start',
  'status',
  'response',
  'duration',
  'entry',
  'request',
  'code',
  'services',
] as const
export type TraceColumn = (typeof TRACE_COLUMNS)[number]

export interface TraceSort {
  column: TraceColumn
  order: 'descending' | 'ascending'
}

export const NEWEST: TraceSort = { column: 'start', order: 'descending' }

/** What a click on a column means: the greatest first, then the smallest, then the newest again. */
export function nextSort(sort: TraceSort | null, column: TraceColumn): TraceSort {
  if (column === 'start') return NEWEST
  if (sort?.column !== column) return { column, order: 'descending' }
  return sort.order === 'descending' ? { column, order: 'ascending' } : NEWEST
}

export function arrowOf(sort: TraceSort | null, column: TraceColumn): string {
  return sort?.column !== column ? '' : sort.order === 'descending' ? '▾' : '▴'
}

/** `sort=duration` or `sort=duration,asc` in the address; null without one. */
export function parseSort(text: string | null): TraceSort | null {
  const [name, order] = (text ?? '').split(',')
  const column = TRACE_COLUMNS.find((one) => one === name)
  return column ? { column, order: order === 'asc' ? 'ascending' : 'descending' } : null
}

/** The sort in the address; null for the usual one. */
export function sortText({ column, order }: TraceSort): string | null {
  if (column === 'start') return null
  return order === 'ascending' ? `${column},asc` : column
}
