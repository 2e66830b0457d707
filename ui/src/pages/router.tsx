// The address bar as state. Push for navigation, replace for what should leave no trace in the history.

import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react'
import { SCOPE_KEYS } from '../model/scope'
import { isShared } from '../model/share'
import { changed, href, type Changes } from '../model/url'

const MOVED = 'raymap:moved'

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener)
  window.addEventListener(MOVED, listener)
  return () => {
    window.removeEventListener('popstate', listener)
    window.removeEventListener(MOVED, listener)
  }
}

export interface Address {
  path: string
  params: URLSearchParams
}

let last: { text: string; address: Address } | null = null

function current(): Address {
  const text = location.pathname + location.search
  if (last?.text !== text) {
    last = { text, address: { path: location.pathname, params: new URLSearchParams(location.search) } }
  }
  return last.address
}

export function useAddress(): Address {
  return useSyncExternalStore(subscribe, current)
}

/** A shared view has no other pages: there, what leads to one does nothing. */
export function go(target: string, options: { replace?: boolean } = {}): void {
  if (target === location.pathname + location.search + location.hash) return
  if (isShared() && target.split(/[?#]/)[0] !== location.pathname) return
  if (options.replace) history.replaceState(null, '', target)
  else history.pushState(null, '', target)
  window.dispatchEvent(new Event(MOVED))
}

/** Changes words of the query on the page that is open now; of a shared one not what is shared. */
export function setParams(changes: Changes, options: { replace?: boolean } = {}): void {
  const allowed = isShared() ? withoutShared(changes) : changes
  const target = href(location.pathname, changed(new URLSearchParams(location.search), allowed))
  go(target + location.hash, options)
}

const SHARED: readonly string[] = ['range', 'from', 'to', 'filter', ...SCOPE_KEYS]

function withoutShared(changes: Changes): Changes {
  return Object.fromEntries(Object.entries(changes).filter(([key]) => !SHARED.includes(key)))
}

export function Link({ href: target = '', onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0
    if (event.defaultPrevented || elsewhere) return
    event.preventDefault()
    go(target)
  }
  if (isShared()) return <span className={rest.className}>{rest.children}</span>
  // oxlint-disable-next-line jsx-a11y/anchor-has-content -- the content is among the properties
  return <a href={target} onClick={follow} {...rest} />
}
