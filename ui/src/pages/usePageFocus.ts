import { useEffect, useRef } from 'react'

/** After a change of page the focus is on its content, so that keyboards and screen readers go on from there. */
export function usePageFocus(path: string): void {
  const shown = useRef(path)
  useEffect(() => {
    if (shown.current === path) return
    shown.current = path
    document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true })
  }, [path])
}
