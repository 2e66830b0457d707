import { useLayoutEffect, useRef, useState, type RefObject } from 'react'
import { NOTHING, type Typed } from './KeysAhead'

interface Palette {
  isOpen: boolean
  /** What was typed before the palette was there. */
  typed: RefObject<Typed>
  close(): void
}

/** Ctrl+K opens and closes it, wherever the focus is. */
export function useCommandPalette(): Palette {
  const [isOpen, setOpen] = useState(false)
  const typed = useRef(NOTHING)
  useLayoutEffect(() => {
    const press = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return
      event.preventDefault()
      typed.current = NOTHING
      setOpen((now) => !now)
    }
    document.addEventListener('keydown', press, { capture: true })
    return () => document.removeEventListener('keydown', press, { capture: true })
  }, [])
  return { isOpen, typed, close: () => setOpen(false) }
}
