import type { Ref } from 'react'
import type { ServiceMatch } from '../api/types'
import { count, percent } from '../model/format'
import { shares } from '../model/health'
import { Icon } from './Icon'
import { KindBadge } from './KindBadge'

const MOST_SHOWN = 8

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
  const { query, hits, hidden, field, onQuery, onNext, onHidden } = props
  const isNone = hits === 0 && hidden.length === 0 && !props.searching
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
          if (event.key === 'Enter') {
            if (hits === 0 && hidden[0]) onHidden(hidden[0].id)
            else onNext(event.shiftKey)
          }
          if (event.key === 'Escape') {
            event.stopPropagation()
            if (query) onQuery('')
            else event.currentTarget.blur()
          }
        }}
      />
      <span className={isNone ? 'search-count is-none' : 'search-count'} role="status">
        {foundWords(props)}
      </span>
      {query && hidden.length > 0 && <HiddenMatches services={hidden} onChoose={onHidden} />}
    </div>
  )
}

function foundWords({ query, hits, hidden, matches, total, searching }: Props): string {
  if (hits === null || !query) return ''
  const found = Math.max(hits + hidden.length, matches ?? 0)
  if (found === 0) return searching ? 'Searching…' : 'No service matches'
  return `${count(found)} of ${count(total)}`
}

interface HiddenProps {
  services: readonly ServiceMatch[]
  onChoose(id: string): void
}

/** What the map leaves out: choosing one shows its surroundings. */
function HiddenMatches({ services, onChoose }: HiddenProps) {
  return (
    <div className="hidden-matches">
      <p className="mute">Not drawn on the map:</p>
      <ul>
        {services.slice(0, MOST_SHOWN).map((one) => (
          <li key={one.id}>
            <button type="button" title="Show its surroundings" onClick={() => onChoose(one.id)}>
              <KindBadge kind={one.kind} size={20} />
              <span className="hidden-name">{one.name}</span>
              {one.location && <span className="mute">{one.location}</span>}
              <FaultShare match={one} />
            </button>
          </li>
        ))}
      </ul>
      {services.length > MOST_SHOWN && (
        <p className="mute">{count(services.length - MOST_SHOWN)} more: type more of the name.</p>
      )}
    </div>
  )
}

function FaultShare({ match }: { match: ServiceMatch }) {
  const fault = shares(match)?.fault ?? 0
  if (fault === 0) return null
  return <span className="status-fault">{percent(fault)} faults</span>
}
