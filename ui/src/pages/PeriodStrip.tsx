// Compare in time, above the map: which earlier period, what differs in a sentence, and where it begins.

import type { PeriodComparison } from '../api/types'
import { span } from '../model/format'
import { beginnings, PERIODS } from '../model/periods'
import { setParams } from './router'

const LISTED = 3

interface Props {
  against: string
  found: PeriodComparison | null
  error: Error | null
}

export function PeriodStrip({ against, found, error }: Props) {
  return (
    <section className="period-strip" aria-label="Compared in time">
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
        {found ? found.summary : error ? sentence(error.message) : 'Comparing…'}
      </span>
      {found && <Found of={found} />}
    </section>
  )
}

function Found({ of }: { of: PeriodComparison }) {
  const places = beginnings(of)
  return (
    <>
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
      <span className="mute period-then">
        Inner ring: {span(of.then.from, of.then.to)}
        {of.deployment && `, before ${of.deployment.service || 'deployment'} ${of.deployment.version}`}
        {of.problem && ', before the problem'}
      </span>
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
