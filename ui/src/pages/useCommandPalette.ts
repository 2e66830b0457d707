import { useEffect, useState } from 'react'

/** Ctrl+K opens and closes it, wherever the focus is. */
export function useCommandPalette(): [open: boolean, close: () => void] {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return
      event.preventDefault()
      setOpen((now) => !now)
    }
    document.addEventListener('keydown', press, { capture: true })
    return () => document.removeEventListener('keydown', press, { capture: true })
  }, [])
  return [open, () => setOpen(false)]
}
