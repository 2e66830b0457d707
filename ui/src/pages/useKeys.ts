// The map's keys, wherever the focus is, except in fields, tables, panels and open dialogs.

import { useLayoutEffect, useRef } from 'react'

export type KeyHandlers = Record<string, (event: KeyboardEvent) => void>

const ELSEWHERE =
  'input, select, textarea, [contenteditable], dialog, [role=dialog], [role=treegrid], [role=separator], table'

/** Chromium moves the focus out of a dialog only in the frame after its closing. */
function isElsewhere(target: HTMLElement): boolean {
  return Boolean(target.closest?.(ELSEWHERE)) && !target.closest('dialog:not([open])')
}

export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers)
  latest.current = handlers
  // Not after the paint: a key pressed as soon as the map is there would be lost.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.defaultPrevented) return
      if (event.key !== 'Escape' && isElsewhere(event.target as HTMLElement)) return
      const handler = latest.current[event.key] ?? latest.current[event.key.toLowerCase()]
      if (!handler || document.querySelector('dialog[open]')) return
      event.preventDefault()
      handler(event)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}
