import { useEffect, useRef } from 'react'

let wanted = false

/** After a change of page the focus is on its content, so that keyboards and screen readers go on from there. */
export function usePageFocus(path: string): void {
  const shown = useRef(path)
  useEffect(() => {
    if (shown.current === path) return
    shown.current = path
    wanted = true
    focusContent()
  }, [path])
}

/** Does what `usePageFocus` could not do yet, for a page that had to be loaded first. */
export function focusContent(): void {
  const content = document.querySelector<HTMLElement>('main')
  if (!wanted || !content) return
  wanted = false
  content.focus({ preventScroll: true })
}
