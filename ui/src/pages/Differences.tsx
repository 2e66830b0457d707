// What the listed traces have in common and the others of the range have not; fetched when it is opened.

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
      {isOpen && data && <Table data={data} onAdd={onAdd} />}
    </section>
  )
}

function Table({ data, onAdd }: { data: TraceDifferences; onAdd(term: string): void }) {
  const { selected, rest, attributes } = data
  if (attributes.length === 0) {
    return (
      <p className="mute">
        Nothing that chance would not explain: {count(selected)} of these against {count(rest)} others.
      </p>
    )
  }
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
              <button
                type="button"
                className="link mono"
                title="Add to the filter"
                onClick={() => onAdd(one.filter)}
              >
                {one.filter}
              </button>
            </td>
            <Share number={one.selected} of={selected} />
            <Share number={one.rest} of={rest} />
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Share({ number, of }: { number: number; of: number }) {
  return (
    <td className="numeric" title={`${count(number)} of ${count(of)}`}>
      {of > 0 ? percent(number / of) : '–'} <span className="mute">{count(number)}</span>
    </td>
  )
}
