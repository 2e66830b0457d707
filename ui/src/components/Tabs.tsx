// A row of tabs: one stop of the Tab key, arrows move between them and choose.

import { useRef, type KeyboardEvent, type ReactNode } from 'react'
import '../styles/tabs.css'

export interface TabItem<K extends string> {
  key: K
  label: ReactNode
}

interface Props<K extends string> {
  label: string
  /** Ids of the tabs begin with it; the panel is labelled by `${idPrefix}-${active}`. */
  idPrefix: string
  /** Id of the panel that the tabs switch. */
  panel: string
  items: readonly TabItem<K>[]
  active: K
  onChoose(key: K): void
}

const MOVES: Record<string, (index: number, count: number) => number> = {
  ArrowRight: (index, count) => (index + 1) % count,
  ArrowLeft: (index, count) => (index + count - 1) % count,
  Home: () => 0,
  End: (_index, count) => count - 1,
}

export function Tabs<K extends string>({ label, idPrefix, panel, items, active, onChoose }: Props<K>) {
  const list = useRef<HTMLDivElement>(null)
  const press = (event: KeyboardEvent) => {
    const move = MOVES[event.key]
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    const index = items.findIndex(({ key }) => key === active)
    const next = move(index, items.length)
    onChoose((items[next] as TabItem<K>).key)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus()
  }
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- its tabs take the focus
    <div className="tabs" ref={list} role="tablist" aria-label={label} onKeyDown={press}>
      {items.map((item) => (
        <button
          key={item.key}
          type="button"
          role="tab"
          id={`${idPrefix}-${item.key}`}
          aria-selected={item.key === active}
          aria-controls={panel}
          tabIndex={item.key === active ? 0 : -1}
          onClick={() => onChoose(item.key)}
        >
          {item.label}
        </button>
      ))}
    </div>
  )
}
