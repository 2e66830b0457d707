// Notebooks: what can be added, the order of entries, and words about them.

import type { KnownEntry, Notebook, NotebookEntry, Subject } from '../api/notebooks'
import type { ShareTarget } from './share'
import { dateTime } from './format'
import { viewOf } from './views'

export const MOST_WORDS = 4000
export const MOST_TITLE = 120

/** What a page shows, for a notebook: a trace, or the page at the instants on the screen. */
export function subjectOf(
  target: ShareTarget | undefined,
  window: { from: number; to: number } | undefined,
  address: Pick<Location, 'pathname' | 'search'>,
  isFolded: boolean,
): Subject | null {
  if (target && 'trace' in target) return { trace: target.trace }
  if (!window) return null
  const params = new URLSearchParams(address.search)
  return viewOf(address.pathname, params, isFolded, { kind: 'fixed', ...window })
}

/** The entries as a change names them. */
export function known(entries: readonly NotebookEntry[]): KnownEntry[] {
  return entries.map(({ id, text, at }) => ({ id, text, at }))
}

/** With another text or time; entries are sorted by the server. */
export function edited(entries: readonly NotebookEntry[], change: KnownEntry): KnownEntry[] {
  return known(entries).map((one) => (one.id === change.id ? change : one))
}

export function without(entries: readonly NotebookEntry[], id: string): KnownEntry[] {
  return known(entries.filter((one) => one.id !== id))
}

const KINDS: Record<NotebookEntry['kind'], string> = {
  words: 'Note',
  view: 'View',
  trace: 'Trace',
  problem: 'Problem',
}

/** What an entry is called. */
export function entryTitle({ kind, figures }: Pick<NotebookEntry, 'kind' | 'figures'>): string {
  return figures?.title || KINDS[kind]
}

export function kindWord(kind: NotebookEntry['kind']): string {
  return KINDS[kind]
}

/** Who changed it last, and when. */
export function savedWords({ by, modified }: Pick<Notebook, 'by' | 'modified'>): string {
  return `changed ${by ? `by ${by}, ` : ''}${dateTime(modified)}`
}

/** The map that an entry shows: the query of its picture; null where there is none to draw. */
export function mapQuery({ kind, path, expired, figures }: NotebookEntry): URLSearchParams | null {
  if (expired || !figures?.states.length || !path.startsWith('/map?') || kind !== 'view') return null
  const params = new URLSearchParams(path.slice(path.indexOf('?')))
  const query = new URLSearchParams()
  for (const key of ['from', 'to', 'filter', 'group_by', 'account', 'region', 'environment', 'inside']) {
    const value = params.get(key)
    if (value) query.set(key, value)
  }
  const focus = params.get('focus')
  if (focus) {
    query.set('node', focus)
    query.set('hops', params.get('hops') ?? '1')
  } else if (!query.has('group_by')) {
    query.set('boxes', params.get('boxes') ?? 'auto')
  }
  if (params.get('fold') !== '0') query.set('fold', 'true')
  return query
}

/** The route of a map's picture. */
export function mapAddress(query: URLSearchParams): string {
  return `/api/map${query.has('node') ? '/focus' : ''}?${query.toString()}`
}
