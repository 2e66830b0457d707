// The comparison, above the map: with which earlier period, or of which two sides, what differs in a sentence, and where it
// begins.

import type { PeriodComparison } from '../api/types'
import { span } from '../model/format'
import { beginnings, PERIODS } from '../model/periods'
import { against as compared, SIDES, sidesOf, type By, type Sides } from '../model/sides'
import { setParams, useAddress } from './router'

const LISTED = 3

interface Props {
  against: string
  found: PeriodComparison | null
  error: Error | null
}

export function PeriodStrip({ against, found, error }: Props) {
  const { params } = useAddress()
  const sides = sidesOf(params)
  const isKnown = sides !== null || against in PERIODS
  return (
    <section className="period-strip" aria-label="Compared in time">
      <select
        aria-label="Earlier period, or two sides"
        value={against}
        onChange={({ target }) => setParams({ against: target.value, side: null, other: null })}
      >
        <optgroup label="An earlier period">
          {Object.entries(isKnown ? PERIODS : { ...PERIODS, [against]: against }).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </optgroup>
        <optgroup label="Two sides of this time">
          {Object.entries(SIDES).map(([by, words]) => (
            <option key={by} value={compared(by as By)}>
              {words}
            </option>
          ))}
        </optgroup>
      </select>
      {sides?.by === 'filter' && <TwoFilters key={`${sides.side}\0${sides.other}`} of={sides} />}
      {sides && sides.by !== 'filter' && found?.by === sides.by && <TwoValues of={sides} found={found} />}
      <span role="status" className="period-summary">
        {wordsOf(found, error, sides)}
      </span>
      {found && <Found of={found} />}
    </section>
  )
}

function wordsOf(found: PeriodComparison | null, error: Error | null, sides: Sides | null): string {
  if (error) return sentence(error.message)
  if (sides?.by === 'filter' && !(sides.side && sides.other)) return 'Write two filters'
  return found ? found.summary : 'Comparing…'
}

/** Which value each ring has. */
function TwoValues({ of, found }: { of: Sides; found: PeriodComparison }) {
  const chosen = { side: of.side || found.now.side || '', other: of.other || found.then.side || '' }
  const values = [...new Set([chosen.side, chosen.other, ...found.values.map(({ value }) => value)])].sort()
  const choice = (ring: 'side' | 'other', words: string) => (
    <label className="period-side">
      {words}
      <select
        value={chosen[ring]}
        onChange={({ target }) => {
          const taken = ring === 'side' ? chosen.other : chosen.side
          const next = { ...chosen, [ring]: target.value }
          // The value of the other ring: they change places.
          setParams(target.value === taken ? { side: chosen.other, other: chosen.side } : next)
        }}
      >
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </label>
  )
  return (
    <>
      {choice('side', 'Outer ring')}
      {choice('other', 'Inner ring')}
    </>
  )
}

function TwoFilters({ of }: { of: Sides }) {
  const field = (name: 'side' | 'other', words: string) => (
    <label className="period-side">
      {words}
      <input name={name} className="mono" defaultValue={of[name]} placeholder="A filter" spellCheck={false} />
    </label>
  )
  return (
    <form
      className="period-filters"
      onSubmit={(event) => {
        event.preventDefault()
        const given = new FormData(event.currentTarget)
        const textOf = (name: string) => String(given.get(name) ?? '').trim() || null
        setParams({ side: textOf('side'), other: textOf('other') })
      }}
    >
      {field('side', 'Outer ring')}
      {field('other', 'Inner ring')}
      <button type="submit" className="button">
        Compare
      </button>
    </form>
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
      {!of.by && (
        <span className="mute period-then">
          Inner ring: {span(of.then.from, of.then.to)}
          {of.deployment && `, before ${of.deployment.service || 'deployment'} ${of.deployment.version}`}
          {of.problem && ', before the problem'}
        </span>
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
