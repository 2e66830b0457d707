// The routes of saved views (docs/console-api.md).

import { send } from './client'
import type { components } from './types.gen'

export type SavedView = components['schemas']['SavedViewLine']
export type SavedViews = components['schemas']['SavedViewList']

const ALL = '/api/v1/views'

export const viewAddresses = {
  all: ALL,
  one: (name: string) => `${ALL}/${encodeURIComponent(name)}`,
} as const

/** What a change is of: of what others have saved meanwhile nothing is lost. */
type Known = Pick<SavedView, 'name' | 'revision'>

/** Saves a view: a new one, or in place of one that is known. `name`: what it is called from now on. */
export function saveView(
  { name, revision }: Known,
  view: Pick<SavedView, 'page' | 'query'> & { name?: string },
): Promise<SavedView | null> {
  return send<SavedView>('PUT', viewAddresses.one(name), { ...view, revision })
}

export function deleteView({ name, revision }: Known): Promise<unknown> {
  return send('DELETE', `${viewAddresses.one(name)}?revision=${revision}`)
}
