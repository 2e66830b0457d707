// Compare in time, over the map: which earlier period, what differs in a sentence, and where it begins.

import { useEffect } from 'react'
import type { TimeWindow } from '../api/client'
import type { PeriodComparison } from '../api/types'
import { span } from '../model/format'
import { beginnings, nextPeriod, periodOf, PERIODS } from '../model/periods'
import { setParams, useAddress } from './router'
import { useKeys } from './useKeys'
import { usePeriod } from './usePeriod'
import '../styles/periods.css'

const LISTED = 3
/** What Escape clears first. */
const BEFORE = ['sel', 'focus', 'q', 'state', 'problem']

interface Props {
  window: TimeWindow
  filter: string
  /** Whether there is a map, or its list, on the screen. */
  shown: boolean
  onComparison(found: PeriodComparison | null): void
}

export function PeriodLayer({ window, filter, shown, onComparison }: Props) {
  const { params } = useAddress()
  const against = periodOf(params)
  const { data, error } = usePeriod(window, filter, against, shown)
  const found = (against !== null && data) || null
  useEffect(() => onComparison(found), [found, onComparison])
  useKeys({ c: () => shown && setParams({ against: nextPeriod(against) }) })
  useEscape(against !== null && !BEFORE.some((word) => params.has(word)))
  if (!shown) return null
  return (
    <div
      className={`declared-switch period-switch${against === null ? '' : ' is-on'}`}
      role="group"
      aria-label="Compare in time"
    >
      <button
        type="button"
        className="legend-entry"
        aria-pressed={against !== null}
        title="With an earlier period (C)"
        onClick={() => setParams({ against: against === null ? nextPeriod(null) : null })}
      >
        Compare in time
      </button>
      {against !== null && (
        <>
          <select
            aria-label="Earlier period"
            value={against}
            onChange={(event) => setParams({ against: event.target.value })}
          >
            {Object.entries(against in PERIODS ? PERIODS : { ...PERIODS, [against]: against }).map(
              ([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ),
            )}
          </select>
          <span role="status" className="period-summary">
            {error && !data ? sentence(error.message) : found ? found.summary : 'Comparing…'}
          </span>
          {found && <Found of={found} />}
        </>
      )}
    </div>
  )
}

function Found({ of }: { of: PeriodComparison }) {
  const places = beginnings(of)
  return (
    <>
      <span className="mute period-then" title="The inner ring">
        inner ring {span(of.then.from, of.then.to)}
        {of.deployment && ` (before ${of.deployment.service || 'deployment'} ${of.deployment.version})`}
      </span>
      {places.slice(0, LISTED).map(({ id, name, text }) => (
        <span key={id} className="period-place">
          <button type="button" className="link" title={name} onClick={() => setParams({ sel: id })}>
            {name}
          </button>{' '}
          {text}
        </span>
      ))}
      {places.length > LISTED && (
        <span className="mute period-more">{places.length - LISTED} more, marked Δ</span>
      )}
      {of.notes.map((note) => (
        <span key={note} className="mute period-note">
          {note}
        </span>
      ))}
    </>
  )
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Before the map's own Escape, which would clear something else, or nothing. */
function useEscape(active: boolean): void {
  useEffect(() => {
    if (!active) return
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return
      event.preventDefault()
      event.stopPropagation()
      setParams({ against: null })
    }
    document.addEventListener('keydown', press, { capture: true })
    return () => document.removeEventListener('keydown', press, { capture: true })
  }, [active])
}
