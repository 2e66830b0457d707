import { useEffect, useRef, type RefObject } from 'react'

/** A panel that was opened by keyboard takes the focus, and gives it back when it closes. */
export function usePanelFocus<E extends HTMLElement>(): RefObject<E | null> {
  const panel = useRef<E>(null)
  useEffect(() => {
    const opened = panel.current
    const opener = document.activeElement
    if (!opened || !(opener instanceof HTMLElement) || !opener.matches(':focus-visible')) return
    opened.focus({ preventScroll: true })
    return () => {
      const focus = document.activeElement
      const lost = focus === document.body || focus === null || opened.contains(focus)
      if (lost && opener.isConnected) opener.focus({ preventScroll: true })
    }
  }, [])
  return panel
}
