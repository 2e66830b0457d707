// Log lines under the rows of a timeline.

import type { LogLine, TraceLogs, TraceRow } from '../api/types'

export type LogLink = TraceLogs['links'][number]

/** A row of the timeline with what it wrote; `row` is null for lines that name none. */
export interface LogGroup {
  row: TraceRow | null
  lines: LogLine[]
  links: LogLink[]
}

/** The rows with lines or links, in the order of the timeline; then what is under none of them. */
export function groupLines({ lines, links }: TraceLogs, rows: readonly TraceRow[]): LogGroup[] {
  const known = new Set(rows.map(({ id }) => id))
  const of = (segment: string | null) => (segment !== null && known.has(segment) ? segment : null)
  const byRow = new Map<string | null, LogGroup>()
  const groupOf = (id: string | null) => {
    const found = byRow.get(id) ?? { row: null, lines: [], links: [] }
    byRow.set(id, found)
    return found
  }
  for (const line of lines) groupOf(of(line.segment)).lines.push(line)
  for (const link of links) if (of(link.segment) !== null) groupOf(link.segment).links.push(link)
  const placed = rows.flatMap((row) => {
    const group = byRow.get(row.id)
    return group ? [{ ...group, row }] : []
  })
  const rest = byRow.get(null)
  return rest ? [...placed, rest] : placed
}

const WORDS: Record<LogLine['severity'], string> = {
  '': '',
  trace: 'Trace',
  debug: 'Debug',
  info: 'Info',
  warn: 'Warning',
  error: 'Error',
  fatal: 'Fatal',
}

/** What stands in the column of levels: the platform's lines have none. */
export function levelWord({ severity, record }: LogLine): string {
  return record ? 'Lambda' : WORDS[severity]
}
