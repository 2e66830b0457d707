// A share link opens the page /s with a token in the fragment, which the browser sends to no server.
// The console then shows one page, and says with every request which link it acts for.

import { currentScope } from './scope'

const PAGE = '/s'

/** The token of the link that this page was opened by; null on every other page. */
export function shareToken(): string | null {
  if (typeof location === 'undefined' || location.pathname !== PAGE) return null
  return location.hash.slice(1)
}

/** Whether this is what a link shows: one page, to be read only. */
export function isShared(): boolean {
  return shareToken() !== null
}

/** Whether what no filter narrows may be read here: it is not part of a shared map that one does narrow. */
export function readsUnfiltered(filter: string): boolean {
  return !isShared() || !(filter || Object.keys(currentScope()).length > 0)
}

export interface SharedMap {
  from: number
  to: number
  filter?: string
  account?: string
  region?: string
  environment?: string
}

/** What is shared: a trace by its id, or the map of a window. */
export type ShareTarget = { trace: string } | { map: SharedMap }

/** Pixels, or lines and text. */
export type PictureFormat = 'png' | 'svg'

/** What is on a page, and how others can get it. */
export interface Shareable {
  /** What a link may show to people who do not sign in; absent where that is not to be had. */
  target?: ShareTarget
  /** The instants on the screen; absent where there are none. */
  window?: { from: number; to: number }
  /** Where the same is to be had as data. */
  json: string
  /** Saves it as a picture. */
  save?: ((format: PictureFormat) => void) | undefined
}

/** The map on the screen. */
export function sharedMap(window: { from: number; to: number }, filter: string): ShareTarget {
  return { map: { ...window, ...(filter && { filter }), ...currentScope() } }
}

/** The words of an address that select a map. */
export function mapWords({ from, to, ...more }: SharedMap): Record<string, string> {
  return { from: String(from), to: String(to), ...more }
}
