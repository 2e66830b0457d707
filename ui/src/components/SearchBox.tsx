import { lazy, Suspense, useEffect, useRef, useState, type Ref } from 'react'
import type { ServiceMatch } from '../api/types'
import { foundWords } from '../model/search'
import { Icon } from './Icon'

const HiddenMatches = lazy(() => import('./HiddenMatches'))

interface Props {
  query: string
  /** Matches on the map; null without a search, and until there is a map to search. */
  hits: number | null
  /** Matches that are not on the map. */
  hidden: readonly ServiceMatch[]
  /** Matches altogether, as the server counts them; null when it was not queried. */
  matches: number | null
  /** Of how many services. */
  total: number
  searching: boolean
  field: Ref<HTMLInputElement>
  onQuery(text: string): void
  onNext(backwards: boolean): void
  onHidden(id: string): void
}

export function SearchBox(props: Props) {
  const { query, hits, hidden, searching, field, onQuery, onNext, onHidden } = props
  // Enter before the answer is of that answer, and not of the one to the letters before.
  const [isEntered, setEntered] = useState(false)
  const enter = useRef(() => {})
  enter.current = () => hidden[0] && onHidden(hidden[0].id)
  useEffect(() => {
    if (!isEntered || searching) return
    setEntered(false)
    enter.current()
  }, [isEntered, searching])
  const isNone = hits === 0 && hidden.length === 0 && !searching
  const countClass = ['search-count', isNone && 'is-none', searching && 'is-searching']
    .filter(Boolean)
    .join(' ')
  return (
    <div className="search-box">
      <Icon name="search" size={14} />
      <input
        ref={field}
        type="search"
        aria-label="Find a service"
        placeholder="Find a service"
        spellCheck={false}
        value={query}
        onChange={(event) => {
          setEntered(false)
          onQuery(event.target.value)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            if (hits === 0) setEntered(true)
            else onNext(event.shiftKey)
          }
          if (event.key === 'Escape') {
            event.stopPropagation()
            if (query) onQuery('')
            else event.currentTarget.blur()
          }
        }}
      />
      <span className={countClass} role="status">
        {foundWords({ ...props, hidden: hidden.length })}
      </span>
      {query && hidden.length > 0 && (
        <Suspense>
          <HiddenMatches services={hidden} onChoose={onHidden} />
        </Suspense>
      )}
    </div>
  )
}
