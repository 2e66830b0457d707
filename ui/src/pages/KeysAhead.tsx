// What is typed between opening a dialog and its being there: for the dialog, and no shortcut of the page.

import { useLayoutEffect, useRef } from 'react'

/** What its field starts with, and whether Enter was pressed after it. */
export interface Typed {
  text: string
  isEntered: boolean
}

export const NOTHING: Typed = { text: '', isEntered: false }

/** What is typed after one more key; the same for a key that means nothing in a field of one line. */
export function typedAfter(before: Typed, key: string): Typed {
  if (key === 'Enter') return { ...before, isEntered: true }
  if (key === 'Backspace') return { text: [...before.text].slice(0, -1).join(''), isEntered: false }
  return [...key].length === 1 ? { text: before.text + key, isEntered: false } : before
}

interface Props {
  /** Takes all that was typed so far; without it the dialog has no field, and Enter closes it. */
  onTyped?(typed: Typed): void
  onClose(): void
}

/** In the place of a modal dialog that is being loaded: keys go to it, and Esc closes it. */
export function KeysAhead(props: Props) {
  const latest = useRef(props)
  latest.current = props
  useLayoutEffect(() => {
    let typed = NOTHING
    const take = (event: Event) => {
      event.preventDefault()
      event.stopPropagation()
    }
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /^F\d+$/.test(event.key)) return
      take(event)
      const { onTyped, onClose } = latest.current
      if (event.key === 'Escape' || (event.key === 'Enter' && !onTyped)) return onClose()
      typed = typedAfter(typed, event.key)
      onTyped?.(typed)
    }
    const paste = (event: ClipboardEvent) => {
      take(event)
      typed = { text: typed.text + (event.clipboardData?.getData('text') ?? ''), isEntered: false }
      latest.current.onTyped?.(typed)
    }
    document.addEventListener('keydown', press, { capture: true })
    document.addEventListener('paste', paste, { capture: true })
    return () => {
      document.removeEventListener('keydown', press, { capture: true })
      document.removeEventListener('paste', paste, { capture: true })
    }
  }, [])
  return null
}
