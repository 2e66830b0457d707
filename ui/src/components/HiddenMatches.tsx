// Services that a search has found and that the map leaves out.

import type { ServiceMatch } from '../api/types'
import { count, percent } from '../model/format'
import { shares } from '../model/health'
import { KindBadge } from './KindBadge'
import '../styles/hiddenMatches.css'

const MOST_SHOWN = 8

interface Props {
  services: readonly ServiceMatch[]
  onChoose(id: string): void
}

/** What the map leaves out: choosing one shows its surroundings. */
export default function HiddenMatches({ services, onChoose }: Props) {
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
