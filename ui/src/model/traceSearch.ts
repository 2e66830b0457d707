// Which rows of a trace are meant by a text: by name, service, type, exception, annotations, metadata, URL or SQL.

import type { Json, Trace } from '../api/types'

const SEARCHED = ['annotations', 'metadata', 'http', 'sql', 'aws', 'cause', 'user'] as const

/** Ids of the matching rows in the timeline's order; null without a text. */
export function matchingRows(
  { rows, documents }: Pick<Trace, 'rows' | 'documents'>,
  query: string,
): string[] | null {
  const wanted = query.trim().toLowerCase()
  if (!wanted) return null
  return rows
    .filter((row) => {
      const own = [row.id, row.name, row.type, row.service, row.exception, String(row.code ?? '')]
      if (own.some((text) => text.toLowerCase().includes(wanted))) return true
      const document = documents[row.id] ?? {}
      return SEARCHED.some((key) => contains(document[key], wanted))
    })
    .map(({ id }) => id)
}

/** Whether a value, or anything in it, contains a text. */
function contains(value: Json | undefined, wanted: string): boolean {
  if (value === null || value === undefined) return false
  if (Array.isArray(value)) return value.some((one) => contains(one, wanted))
  if (typeof value === 'object') {
    return Object.entries(value).some(
      ([key, one]) => key.toLowerCase().includes(wanted) || contains(one, wanted),
    )
  }
  return String(value).toLowerCase().includes(wanted)
}
