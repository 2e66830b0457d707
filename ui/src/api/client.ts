// The only place that knows the API's addresses.

import { currentGrouping } from '../model/grouping'
import { HEADER, noteMissing } from '../model/missing'
import { currentScope } from '../model/scope'
import { shareToken } from '../model/share'
import type { TraceSort } from '../model/traceSort'
import type { MapNode, Status } from './types'

/** What the server refused, or `status` 0 when it could not be reached at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Where in a filter expression, characters from 0. */
    readonly position?: number,
  ) {
    super(message)
  }
}

/** Who is signed in; nulls where the server requires no one to. */
export interface Session {
  name: string | null
  role: string | null
  via: string | null
  /** Empty for the default one. */
  tenant: string
}

export interface TimeWindow {
  from: number
  to: number
}

/** What narrows the traces of one node or edge. */
export interface PlaceFilter {
  status?: Status
  /** Opaque: the filter of a row of an error breakdown. */
  error?: string
  /** Milliseconds that a request took at least. */
  slowerThan?: number
  /** Of a node the other units than those its numbers count. */
  work?: Work
}

export type Work = MapNode['work']

export interface TraceFilter {
  /** A filter expression. */
  filter?: string | undefined
  node?: string | undefined
  /** Only the node's requests, or only its background work. */
  work?: Work | undefined
  edge?: string | undefined
  status?: Status[] | undefined
  /** Opaque: the filter of a row of an error breakdown. */
  error?: string | undefined
  /** Without one the newest come first. */
  sort?: TraceSort | undefined
}

/** With `body`, an operation that takes its parameters in one. */
export async function fetchJson<T>(url: string, signal?: AbortSignal, body?: object): Promise<T> {
  const request = { ...(signal && { signal }), ...(body && posted(body)) }
  return (await (await ask(url, request)).json()) as T
}

/** Requests something that has no answer but that it is accepted. */
export async function accept(url: string): Promise<void> {
  await ask(url, {})
}

/** Changes something; `null` when the server has nothing to say about it. */
export async function send<T>(
  method: 'POST' | 'PUT' | 'DELETE',
  url: string,
  body?: object,
): Promise<T | null> {
  const response = await ask(url, { ...(body && posted(body)), method })
  return response.status === 204 ? null : ((await response.json()) as T)
}

function posted(body: object): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
}

/** A response that has succeeded. */
export async function ask(url: string, request: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { ...request, headers: { ...request.headers, ...commonHeaders() } })
  } catch (cause) {
    if (request.signal?.aborted) throw cause
    throw new ApiError(0, 'Unreachable', 'the server does not answer')
  }
  if (!response.ok) throw await refusal(response)
  noteMissing(url, response.headers.get(HEADER))
  return response
}

/** On a shared page its link speaks for the reader, signed in or not. */
function commonHeaders(): Record<string, string> {
  const token = shareToken()
  return { Accept: 'application/json', ...(token !== null && { Authorization: `Bearer ${token}` }) }
}

/** The console's form of an error, and X-Ray's. */
interface Refusal {
  error?: { code?: string; message?: string; position?: number }
  __type?: string
  Message?: string
}

async function refusal(response: Response): Promise<ApiError> {
  const fallback = `${response.status} ${response.statusText}`.trim()
  try {
    const { error, __type, Message } = (await response.json()) as Refusal
    const message = error?.message ?? Message ?? fallback
    return new ApiError(response.status, error?.code ?? __type ?? '', message, error?.position)
  } catch {
    return new ApiError(response.status, '', fallback)
  }
}

const MOST_MATCHES = 50

const folding = (fold: boolean): Record<string, string> => (fold ? { fold: 'true' } : {})

export const addresses = {
  /** `boxes`: by what large maps are grouped, and what of them is shown. */
  map: (window: TimeWindow, filter: string, fold: boolean, boxes: Record<string, string>) =>
    `/api/map?${query(window, { ...grouped(filter), ...folding(fold), ...boxes })}`,
  /** The nodes of one box. */
  box: (window: TimeWindow, filter: string, fold: boolean, which: Record<string, string>) =>
    `/api/map/box?${query(window, { ...filtered(filter), ...folding(fold), ...which })}`,
  /** The map of another scope than that of the page. */
  mapOf: (window: TimeWindow, filter: string, scope: Record<string, string | null>) =>
    `/api/map?${query(window, { ...filtered(filter), ...present(scope) })}`,
  arrange: () => '/api/map/arrange',
  problems: () => '/api/v1/problems',
  history: (window: TimeWindow, place: string) =>
    `/api/v1/history?${query(window, present({ [place.includes(':') ? 'edge' : 'node']: place }))}`,
  muteProblem: (id: string) => `/api/v1/problems/${encodeURIComponent(id)}/mute`,
  focus: (window: TimeWindow, filter: string, node: string, hops: number, fold: boolean) =>
    `/api/map/focus?${query(window, { node, hops: String(hops), ...grouped(filter), ...folding(fold) })}`,
  services: (window: TimeWindow, text: string) =>
    `/api/services?${query(window, { q: text, limit: String(MOST_MATCHES) })}`,
  node: (window: TimeWindow, filter: string, id: string) =>
    `/api/nodes/${encodeURIComponent(id)}?${query(window, grouped(filter))}`,
  /** Whatever nodes are split by. */
  wholeNode: (window: TimeWindow, id: string) =>
    `/api/nodes/${encodeURIComponent(id)}?${query(window, filtered(''))}`,
  places: (window: TimeWindow) => `/api/v1/places?${query(window)}`,
  nodeErrors: (window: TimeWindow, id: string) =>
    `/api/v1/nodes/${encodeURIComponent(id)}/errors?${query(window)}`,
  versions: (window: TimeWindow, id: string) =>
    `/api/v1/nodes/${encodeURIComponent(id)}/versions?${query(window, environment())}`,
  operations: (window: TimeWindow, id: string) =>
    `/api/v1/services/${encodeURIComponent(id)}/operations?${query(window)}`,
  versionsOf: (window: TimeWindow, ids: readonly string[]) =>
    `/api/v1/versions?${query(window, { nodes: ids.join(','), ...environment() })}`,
  states: (window: TimeWindow, filter: string, id: string) =>
    `/api/v1/nodes/${encodeURIComponent(id)}/states?${query(window, filtered(filter))}`,
  missing: (window: TimeWindow, id: string) =>
    `/api/v1/nodes/${encodeURIComponent(id)}/missing?${query(window)}`,
  trust: (window: TimeWindow, filter: string, place: string) =>
    `/api/v1/trust?${query(window, { ...filtered(filter), ...present({ [place.includes(':') ? 'edge' : 'node']: place }) })}`,
  impact: (window: TimeWindow, filter: string, id: string) =>
    `/api/v1/nodes/${encodeURIComponent(id)}/impact?${query(window, filtered(filter))}`,
  structure: (window: TimeWindow, filter: string) => `/api/v1/structure?${query(window, filtered(filter))}`,
  genai: (window: TimeWindow, filter: string, place: 'node' | 'edge', id: string) =>
    `/api/v1/genai?${query(window, { [place]: id, ...filtered(filter) })}`,
  nodeMetrics: (window: TimeWindow, id: string) =>
    `/api/nodes/${encodeURIComponent(id)}/metrics?${query(window, filtered(''))}`,
  edge: (window: TimeWindow, filter: string, source: string, target: string) =>
    `/api/edges/${encodeURIComponent(source)}/${encodeURIComponent(target)}?${query(window, grouped(filter))}`,
  checkFilter: (filter: string) => `/api/filter/check?${new URLSearchParams({ filter }).toString()}`,
  completions: (window: TimeWindow, field: string, prefix: string) =>
    `/api/filter/completions?${query(window, { field, prefix })}`,
  traces: (window: TimeWindow, filter: TraceFilter) => `/api/traces?${query(window, filterQuery(filter))}`,
  /** The newest traces that an expression means. */
  matches: (window: TimeWindow, filter: string, limit: number) =>
    `/api/traces?${query(window, { ...filtered(filter), limit: String(limit) })}`,
  /** The page after one that `url` answered. */
  nextPage: (url: string, cursor: string) => `${url}&cursor=${encodeURIComponent(cursor)}`,
  tracesFigure: (window: TimeWindow, filter: TraceFilter) =>
    `/api/traces/figure?${query(window, filterQuery({ ...filter, sort: undefined }))}`,
  differences: (window: TimeWindow, filter: TraceFilter) =>
    `/api/traces/differences?${query(window, filterQuery({ ...filter, sort: undefined }))}`,
  trace: (id: string) => `/api/traces/${encodeURIComponent(id)}`,
  /** A trace to compare another with. */
  typical: (id: string) => `/api/traces/${encodeURIComponent(id)}/typical`,
  logs: (id: string) => `/api/v1/traces/${encodeURIComponent(id)}/logs`,
  raw: (id: string) => `/api/traces/${encodeURIComponent(id)}/raw`,
  pin: (id: string) => `/api/traces/${encodeURIComponent(id)}/pin`,
  status: () => '/api/status',
  session: () => '/auth/session',
  share: () => '/auth/share',
  shares: () => '/api/v1/shares',
  revokeShare: (id: string) => `/api/v1/shares/${encodeURIComponent(id)}`,
  signIn: () => '/auth/login',
  signInMethods: () => '/auth/methods',
  /** A page: it leads to the provider, which leads back. */
  openIdConnect: () => '/auth/oidc/login',
  signOut: () => '/auth/logout',
}

function query(window: TimeWindow, more: Record<string, string> = {}): string {
  const text = { from: String(window.from), to: String(window.to), ...more }
  return new URLSearchParams(text).toString()
}

function environment(): Record<string, string> {
  return present({ environment: currentScope().environment ?? null })
}

function present(words: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(words).filter((entry): entry is [string, string] => !!entry[1]))
}

/** What narrows the traces that an address counts: the filter, and the scope that the page is in. */
function filtered(filter: string): Record<string, string> {
  return { ...(filter && { filter }), ...currentScope() }
}

/** The same, and what nodes are split by: their ids are of that. */
function grouped(filter: string): Record<string, string> {
  return { ...filtered(filter), ...present({ group_by: currentGrouping() }) }
}

function filterQuery(filter: TraceFilter): Record<string, string> {
  return {
    ...(filter.node || filter.edge ? grouped(filter.filter ?? '') : filtered(filter.filter ?? '')),
    ...(filter.node && { node: filter.node }),
    ...(filter.node && filter.work && { work: filter.work }),
    ...(filter.edge && { edge: filter.edge }),
    ...(filter.error && { error: filter.error }),
    ...(filter.sort && {
      sort: filter.sort.column,
      order: filter.sort.order === 'ascending' ? 'asc' : 'desc',
    }),
    ...(filter.status?.length && { status: filter.status.join(',') }),
  }
}
