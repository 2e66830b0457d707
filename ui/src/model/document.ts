// What a segment document says, picked out for the detail panel. Only reads; judges nothing.

import type { Json, JsonObject } from '../api/types'

export interface StackFrame {
  path: string
  line: number | null
  label: string
}

export interface ExceptionInfo {
  id: string
  type: string
  message: string
  remote: boolean
  frames: StackFrame[]
  /** Frames and exceptions the SDK left out. */
  truncated: number
  skipped: number
  /** Reached as the cause of the one before. */
  isCause: boolean
  /** The row it was recorded in, when that is another one than the row that is shown. */
  from: string | null
}

export type Pair = [key: string, value: string]

export function asObject(value: Json | undefined): JsonObject | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null
}

function text(value: Json | undefined): string {
  if (value == null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** The exceptions of a row, outermost first; causes follow by their ids, also into other rows. */
export function exceptionsOf(rowId: string, documents: Record<string, JsonObject>): ExceptionInfo[] {
  const known = allExceptions(documents)
  const cause = documents[rowId]?.['cause']
  const own = typeof cause === 'string' ? [cause] : listed(cause).map((one) => text(one['id']))
  const direct = typeof cause === 'string' ? [] : listed(cause)
  const queue = own.map((id, index) => ({ id, given: direct[index], isCause: false }))
  const seen = new Set<JsonObject>()
  const found: ExceptionInfo[] = []
  for (let next = queue.shift(); next; next = queue.shift()) {
    const entry = next.given ? { row: rowId, exception: next.given } : known.get(next.id)
    if (!entry || seen.has(entry.exception)) continue
    seen.add(entry.exception)
    const from = entry.row === rowId ? null : entry.row
    found.push({ ...exceptionInfo(entry.exception), from, isCause: next.isCause })
    const deeper = text(entry.exception['cause'])
    if (deeper) queue.unshift({ id: deeper, given: undefined, isCause: true })
  }
  return found
}

interface Known {
  row: string
  exception: JsonObject
}

function allExceptions(documents: Record<string, JsonObject>): Map<string, Known> {
  const known = new Map<string, Known>()
  for (const [row, document] of Object.entries(documents)) {
    for (const exception of listed(document['cause'])) {
      const id = text(exception['id'])
      if (id && !known.has(id)) known.set(id, { row, exception })
    }
  }
  return known
}

function listed(cause: Json | undefined): JsonObject[] {
  const exceptions = asObject(cause)?.['exceptions']
  if (!Array.isArray(exceptions)) return []
  return exceptions.map((one) => asObject(one)).filter((one) => one !== null)
}

function exceptionInfo(exception: JsonObject): Omit<ExceptionInfo, 'from' | 'isCause'> {
  const stack = Array.isArray(exception['stack']) ? exception['stack'] : []
  return {
    id: text(exception['id']),
    type: text(exception['type']) || 'Exception',
    message: text(exception['message']),
    remote: exception['remote'] === true,
    truncated: Number(exception['truncated'] ?? 0),
    skipped: Number(exception['skipped'] ?? 0),
    frames: stack.flatMap((frame) => {
      const fields = asObject(frame)
      if (!fields) return []
      const line = fields['line']
      return [
        {
          path: text(fields['path']),
          line: typeof line === 'number' ? line : null,
          label: text(fields['label']),
        },
      ]
    }),
  }
}

/** Working directory and paths of a cause, where given. */
export function workingDirectory(document: JsonObject): string {
  return text(asObject(document['cause'])?.['working_directory'])
}

/** Nested fields as dotted names: `http.response.status` → 200. */
export function flattened(value: Json | undefined, prefix = ''): Pair[] {
  const fields = asObject(value)
  if (!fields)
    return value == null ? [] : [[prefix, Array.isArray(value) ? value.map(text).join(', ') : text(value)]]
  return Object.entries(fields).flatMap(([key, inner]) => flattened(inner, prefix ? `${prefix}.${key}` : key))
}

const RESOURCE_KEYS = ['aws', 'service', 'origin', 'resource_arn', 'user'] as const

export function resourcesOf(document: JsonObject): Pair[] {
  return RESOURCE_KEYS.flatMap((key) => flattened(document[key], key))
}

export function sqlOf(document: JsonObject): { query: string; facts: Pair[] } | null {
  const sql = asObject(document['sql'])
  if (!sql) return null
  const { sanitized_query: query, ...rest } = sql
  return { query: text(query), facts: flattened(rest) }
}

export function annotationsOf(document: JsonObject): Pair[] {
  return Object.entries(asObject(document['annotations']) ?? {}).map(([key, value]) => [key, text(value)])
}

export function httpOf(document: JsonObject): Pair[] {
  return flattened(document['http']).map(([key, value]) => [key, value])
}

export interface LinkInfo {
  trace: string
  segment: string
  /** Why the traces are linked: `parent`, `child`, or empty. */
  kind: string
}

const KIND_KEY = 'aws.xray.reserved.reference_type'

/** The other traces that a segment names, in the order in which it does. */
export function linksOf(document: JsonObject): LinkInfo[] {
  const links = document['links']
  return (Array.isArray(links) ? links : [])
    .map((link) => asObject(link))
    .filter((link) => link !== null)
    .map((link) => ({
      trace: text(link['trace_id']),
      segment: text(link['id']),
      kind: text(asObject(link['attributes'])?.[KIND_KEY]),
    }))
    .filter(({ trace }) => trace !== '')
}
