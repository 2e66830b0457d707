// What the listed traces have in common, and those that could have been listed have not; fetched when it is
// opened.

import { useState } from 'react'
import { addresses, type TimeWindow, type TraceFilter } from '../api/client'
import type { TraceDifferences } from '../api/types'
import { errorWords } from '../components/Banner'
import { Loading } from '../components/Loading'
import { count, percent } from '../model/format'
import { useLiveQuery } from './useLiveQuery'
import '../styles/tables.css'

interface Props {
  window: TimeWindow
  filter: TraceFilter
  /** Names the list: another one closes what was opened. */
  name: string
  onAdd(term: string): void
}

export function Differences({ window, filter, name, onAdd }: Props) {
  // The window in which it was opened stays: the comparison must not change under the reader's eyes.
  const [opened, setOpened] = useState<{ name: string; window: TimeWindow } | null>(null)
  const isOpen = opened?.name === name
  const url = isOpen ? addresses.differences(opened.window, filter) : null
  const { data, error, slow } = useLiveQuery<TraceDifferences>(url, { key: `differences ${name}` })
  return (
    <section className="differences" aria-label="What sets these traces apart">
      <button
        type="button"
        className="button"
        aria-expanded={isOpen}
        onClick={() => setOpened(isOpen ? null : { name, window })}
      >
        What sets these apart?
      </button>
      {isOpen && error && <p className="mute">No comparison: {errorWords(error)}.</p>}
      {isOpen && !data && !error && <Loading what="comparison" slow={slow} />}
      {isOpen && data && <Comparison data={data} onAdd={onAdd} />}
    </section>
  )
}

interface ComparisonProps {
  data: TraceDifferences
  onAdd(term: string): void
}

function Comparison({ data, onAdd }: ComparisonProps) {
  const { attributes, distinct, words } = data
  return (
    <>
      <p className="compared-sets">{words.charAt(0).toUpperCase() + words.slice(1)}.</p>
      {attributes.length > 0 ? (
        <Table data={data} onAdd={onAdd} />
      ) : (
        <p className="mute">Nothing sets these apart that chance would not explain.</p>
      )}
      {distinct.length > 0 && (
        <ul className="mute" aria-label="Fields whose values hardly ever repeat">
          {distinct.map(({ field, values }) => (
            <li key={field}>
              <span className="mono">{field}</span>: {count(values)} distinct values
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Table({ data, onAdd }: ComparisonProps) {
  const { selected, rest, attributes } = data
  return (
    <table className="table" aria-label="Attributes that differ">
      <thead>
        <tr>
          <th>Attribute</th>
          <th className="numeric">These ({count(selected)})</th>
          <th className="numeric">Others ({count(rest)})</th>
        </tr>
      </thead>
      <tbody>
        {attributes.map((one) => (
          <tr key={one.filter}>
            <td>
              <Term term={one.filter} onAdd={onAdd} />
              <SameTraces terms={one.same} onAdd={onAdd} />
            </td>
            <Share number={one.selected} of={selected} />
            <Share number={one.rest} of={rest} />
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Term({ term, onAdd }: { term: string; onAdd(term: string): void }) {
  return (
    <button type="button" className="link mono" title="Add to the filter" onClick={() => onAdd(term)}>
      {term}
    </button>
  )
}

/** Attributes that select the same traces: they tell nothing more. */
function SameTraces({ terms, onAdd }: { terms: readonly string[]; onAdd(term: string): void }) {
  if (terms.length === 0) return null
  return (
    <details className="same-traces">
      <summary className="mute">
        {count(terms.length)} more {terms.length === 1 ? 'attribute' : 'attributes'} of the same traces
      </summary>
      <ul>
        {terms.map((term) => (
          <li key={term}>
            <Term term={term} onAdd={onAdd} />
          </li>
        ))}
      </ul>
    </details>
  )
}

function Share({ number, of }: { number: number; of: number }) {
  return (
    <td className="numeric" title={`${count(number)} of ${count(of)}`}>
      {of > 0 ? percent(number / of) : '–'} <span className="mute">{count(number)}</span>
    </td>
  )
}
