// What the bands mean; a click shows only the services that have that state, the funnel counts only such traces.

import { useState, type ReactNode } from 'react'
import { BANDS, STATE_LABELS, type Band, type State } from '../model/health'
import { Icon } from './Icon'
import { StateSwatch } from './StateSwatch'

const KEY = 'raymap.legend'

interface Props {
  state: Band | null
  counts: Record<Band, number>
  onState(state: Band | null): void
  /** Adds a state to the filter. Absent where that cannot be changed. */
  onFilter: ((state: State) => void) | undefined
  /** Marks that are not on every map. */
  more: ReactNode
}

export function Legend({ state, counts, onState, onFilter, more }: Props) {
  const [open, setOpen] = useState(() => localStorage.getItem(KEY) !== 'closed')
  const toggle = () => {
    localStorage.setItem(KEY, open ? 'closed' : 'open')
    setOpen(!open)
  }
  return (
    <div className="legend" role="group" aria-label="Legend">
      <button
        type="button"
        className="legend-toggle"
        data-legend-toggle
        aria-expanded={open}
        onClick={toggle}
      >
        Legend <Icon name="caret" size={12} />
      </button>
      {open &&
        BANDS.filter((one) => one !== 'unknown' || counts.unknown > 0).map((one) => (
          <div key={one} className="legend-row">
            <button
              type="button"
              className="legend-entry"
              aria-pressed={state === one}
              title={`Show only services with ${STATE_LABELS[one].word} (${STATE_LABELS[one].hint})`}
              onClick={() => onState(state === one ? null : one)}
            >
              <StateSwatch state={one} /> {STATE_LABELS[one].word}{' '}
              <span className="mute">{STATE_LABELS[one].hint}</span>
              <span className="legend-count" aria-label={`${counts[one]} services`}>
                {counts[one]}
              </span>
            </button>
            {onFilter && one !== 'unknown' && (
              <button
                type="button"
                className="icon-button small"
                aria-label={`Add ${one} to the filter`}
                title={`Count only traces with ${STATE_LABELS[one].word}: adds ${one} to the filter`}
                onClick={() => onFilter(one)}
              >
                <Icon name="filter" size={12} />
              </button>
            )}
          </div>
        ))}
      {open && more}
    </div>
  )
}
