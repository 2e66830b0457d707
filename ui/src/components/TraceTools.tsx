// Over the timeline: search inside the trace, and whether the critical path is drawn.

import type { KeyboardEvent } from 'react'
import { count } from '../model/format'
import { Icon } from './Icon'

interface Props {
  query: string
  /** How many rows match; null without a query. */
  hits: number | null
  showPath: boolean
  onQuery(text: string): void
  onNext(backwards: boolean): void
  onPath(show: boolean): void
}

export function TraceTools({ query, hits, showPath, onQuery, onNext, onPath }: Props) {
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter') onNext(event.shiftKey)
    else if (event.key === 'Escape' && query) onQuery('')
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className="trace-tools">
      <span className="search-box">
        <Icon name="search" size={14} />
        <input
          aria-label="Find in this trace"
          placeholder="Find in this trace"
          value={query}
          spellCheck={false}
          onChange={(event) => onQuery(event.target.value)}
          onKeyDown={press}
        />
        {hits !== null && (
          <span className="search-count" role="status">
            {hits === 0 ? 'No match' : count(hits)}
          </span>
        )}
      </span>
      <label className="check">
        <input type="checkbox" checked={showPath} onChange={(event) => onPath(event.target.checked)} />
        Critical path
      </label>
    </div>
  )
}
