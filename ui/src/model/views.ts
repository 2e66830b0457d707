// Saved views: what of an address is one, and what it says in words.

import type { Session } from '../api/client'
import type { SavedView } from '../api/views'
import { span } from './format'
import { parseRange, rangeParams, type Range } from './range'
import { savedOptions } from './savedOptions'
import { SCOPE_KEYS } from './scope'
import { changed, href, parseRoute } from './url'

/** A page, and the words of its address. */
export type View = Pick<SavedView, 'page' | 'query'>

const PAGES: Record<SavedView['page'], string> = {
  map: 'Service map',
  traces: 'Traces',
  compare: 'Comparison',
}
/** Of a moment: a problem that will have ended. */
const PASSING = ['problem']
/** Where one looks, rather than at what: two views may differ in these and show the same. */
const LOOSE = ['view', 'sel', 'q']

/**
 * What an address shows, as a view: in the time that goes on, or at the instants of `fixed`. Null of a page that is none.
 * `folds`: whether the map is folded, which only the address of a view says: the browser remembers it.
 */
export function viewOf(path: string, params: URLSearchParams, folds: boolean, fixed?: Range): View | null {
  const { page } = parseRoute(path)
  if (page !== 'map' && page !== 'traces' && page !== 'compare') return null
  const nothing = Object.fromEntries(PASSING.map((key) => [key, null]))
  const fold = params.get('fold') ?? (folds ? '1' : '0')
  const next = changed(params, {
    ...rangeParams(fixed ?? parseRange(params)),
    ...nothing,
    fold: page === 'map' ? fold : null,
  })
  return { page, query: href('', next).slice(1) }
}

/** Whether two views show the same, wherever one looks at. */
export function isSame(one: View, other: View): boolean {
  const loose = [one, other].every(({ query }) => new URLSearchParams(query).has('fold'))
    ? LOOSE
    : [...LOOSE, 'fold']
  return one.page === other.page && words(one, loose) === words(other, loose)
}

function words({ query }: View, loose: readonly string[]): string {
  const params = new URLSearchParams(query)
  for (const key of loose) params.delete(key)
  params.sort()
  return params.toString()
}

/** What a view shows, without its filter: the page, its time, and what else is chosen. */
export function describe({ page, query }: View): string {
  const params = new URLSearchParams(query)
  const range = parseRange(params)
  const by = params.get('group_by')
  const sides = [params.get('left'), params.get('right')].filter(Boolean)
  const statuses = params.get('status')?.replaceAll(',', ', ')
  return [
    PAGES[page],
    range.kind === 'live' ? range.preset.words.toLowerCase() : span(range.from, range.to),
    ...SCOPE_KEYS.map((key) => params.get(key)),
    sides.join(' and '),
    by && `by ${by}`,
    params.get('fold') === '0' && 'not folded',
    params.has('focus') && 'one service and its neighbours',
    params.has('boxes') && params.get('boxes') !== 'auto' && `boxes by ${params.get('boxes')}`,
    params.get('as') === 'list' && 'as a list',
    params.has('declared') && 'with what is declared',
    statuses,
    params.has('kiosk') && 'wall screen',
  ]
    .filter(Boolean)
    .join(' · ')
}

/** Whether this browser folds maps. */
export function isFolded(): boolean {
  return savedOptions().fold !== false
}

/** Whether someone may save views; where no one signs in, everyone. */
export function savesViews(session: Session | null): boolean {
  return session !== null && (session.name === null || session.role === 'editor' || session.role === 'admin')
}
