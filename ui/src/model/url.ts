// The address as state: time, selection, search, focus, viewport, filters.

import type { Work } from '../api/client'
import type { Status } from '../api/types'
import { SCOPE_KEYS } from './scope'

export type Route =
  | { page: 'map' }
  | { page: 'traces' }
  | { page: 'trace'; id: string }
  | { page: 'groups' }
  | { page: 'sampling' }
  | { page: 'alarms' }
  | { page: 'declared' }
  | { page: 'compare' }
  | { page: 'shares' }
  | { page: 'notebooks'; id?: string }
  | { page: 'members' }
  | { page: 'keys' }
  | { page: 'tenants' }
  | { page: 'settings' }
  | { page: 'audit' }
  | { page: 'unknown'; path: string }

const ADMIN = ['members', 'keys', 'tenants', 'settings', 'audit'] as const
const SINGLE = [
  'groups',
  'sampling',
  'alarms',
  'declared',
  'compare',
  'shares',
  'notebooks',
  ...ADMIN,
] as const
type Single = (typeof SINGLE)[number]

export function parseRoute(path: string): Route {
  const parts = path.split('/').filter(Boolean)
  if (parts.length === 0 || (parts.length === 1 && parts[0] === 'map')) return { page: 'map' }
  if (parts[0] === 'traces' && parts.length === 1) return { page: 'traces' }
  const [only] = parts
  if (parts.length === 1 && SINGLE.some((page) => page === only)) return { page: only as Single }
  if (parts.length === 2 && (only === 'traces' || only === 'notebooks'))
    return { page: only === 'traces' ? 'trace' : only, id: decodeURIComponent(parts[1] ?? '') }
  return { page: 'unknown', path }
}

/** Whether a page is one of administration. */
export function isAdmin(route: Route): route is Extract<Route, { page: (typeof ADMIN)[number] }> {
  return ADMIN.some((one) => one === route.page)
}

export type Changes = Record<string, string | null>

/** The query text after some words are set, and others (null or empty) taken out. */
export function changed(params: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(params)
  for (const [key, value] of Object.entries(changes)) {
    if (value) next.set(key, value)
    else next.delete(key)
  }
  return next
}

export function href(path: string, params: URLSearchParams | Changes): string {
  const query = params instanceof URLSearchParams ? params : changed(new URLSearchParams(), params)
  const text = query.toString().replaceAll('%3A', ':').replaceAll('%2C', ',')
  return text ? `${path}?${text}` : path
}

/** The words that go along when a link leads to another page. */
export function carried(params: URLSearchParams): Changes {
  return {
    range: params.get('range'),
    from: params.get('from'),
    to: params.get('to'),
    filter: params.get('filter'),
    group_by: params.get('group_by'),
    boxes: params.get('boxes'),
    ...Object.fromEntries(SCOPE_KEYS.map((key) => [key, params.get(key)])),
  }
}

/** The filter of the list of traces, for the way back from one of them. */
export function carriedFilter(params: URLSearchParams): Changes {
  return Object.fromEntries(FILTER_KEYS.map((key) => [key, params.get(key)]))
}

const FILTER_KEYS = ['node', 'work', 'edge', 'status', 'error'] as const

/** An address shows what its sender saw, so a moving range is pinned to the instants on the screen. */
export function fixedLink(address: string, { from, to }: { from: number; to: number }): string {
  const url = new URL(address)
  url.searchParams.delete('range')
  url.searchParams.set('from', String(from))
  url.searchParams.set('to', String(to))
  return url.toString()
}

export interface Viewport {
  x: number
  y: number
  k: number
}

/** `view=x,y,k`: the world point in the middle of the map, and the scale. */
export function parseView(text: string | null): Viewport | null {
  const numbers = (text ?? '').split(',').map(Number)
  const [x, y, k] = numbers
  if (numbers.length !== 3 || !numbers.every(Number.isFinite) || !k || k <= 0) return null
  return { x: x as number, y: y as number, k }
}

export function viewText({ x, y, k }: Viewport): string {
  return `${Math.round(x)},${Math.round(y)},${Number(k.toFixed(3))}`
}

export interface Focus {
  id: string
  hops: number
}

export function parseFocus(params: URLSearchParams): Focus | null {
  const id = params.get('focus')
  if (!id) return null
  const hops = Number(params.get('hops') ?? 1)
  return { id, hops: hops >= 1 && hops <= 3 ? Math.round(hops) : 1 }
}

const STATUSES: readonly string[] = ['ok', 'error', 'throttle', 'fault', 'in_progress']

export function parseStatuses(text: string | null): Status[] {
  return (text ?? '').split(',').filter((word) => STATUSES.includes(word)) as Status[]
}

export function parseWork(text: string | null): Work | undefined {
  return text === 'requests' || text === 'background' ? text : undefined
}

/** `fault:HTTP 503`, the filter of a row of an error breakdown, without its status. */
export function errorLabel(error: string): string {
  return error.slice(error.indexOf(':') + 1)
}

/** An edge's id is its two ends; a node's id has no colon. */
export function edgeEnds(id: string): [source: string, target: string] | null {
  const at = id.indexOf(':')
  return at < 0 ? null : [id.slice(0, at), id.slice(at + 1)]
}
