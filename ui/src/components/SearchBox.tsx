import type { Ref } from 'react'
import { Icon } from './Icon'

interface Props {
  query: string
  hits: number | null
  total: number
  field: Ref<HTMLInputElement>
  onQuery(text: string): void
  onNext(backwards: boolean): void
}

export function SearchBox({ query, hits, total, field, onQuery, onNext }: Props) {
  const found = hits === null || !query ? '' : hits === 0 ? 'No service matches' : `${hits} of ${total}`
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
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onNext(event.shiftKey)
          if (event.key === 'Escape') {
            event.stopPropagation()
            if (query) onQuery('')
            else event.currentTarget.blur()
          }
        }}
      />
      <span className={hits === 0 ? 'search-count is-none' : 'search-count'} role="status">
        {found}
      </span>
    </div>
  )
}
