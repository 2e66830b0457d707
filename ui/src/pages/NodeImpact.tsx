// What would stop if a node did, in its panel; fetched when it is opened: its traces are read for that.

import { useState, type ReactNode } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { Impact } from '../api/types'
import { errorWords } from '../components/Banner'
import { slowWords } from '../components/Loading'
import { count, percent } from '../model/format'
import { rangeParams } from '../model/range'
import { useLiveQuery } from './useLiveQuery'
import '../styles/impact.css'

interface Props {
  id: string
  window: TimeWindow
  filter: string
  /** Makes words a link to the requests of a caller in traces that the node is in, of a time range. */
  link(caller: string, range: Record<string, string | null>, words: ReactNode): ReactNode
  onSelect(id: string): void
}

type Named = Impact['circle'][number]

const SHOWN = 8

export function NodeImpact({ id, window, filter, link, onSelect }: Props) {
  const [requested, setRequested] = useState<TimeWindow | null>(null)
  const { data, error, slow } = useLiveQuery<Impact>(requested && addresses.impact(requested, filter, id), {
    key: `impact ${id} ${filter} ${requested?.to}`,
  })
  return (
    <details className="impact" onToggle={(event) => setRequested(event.currentTarget.open ? window : null)}>
      <summary>
        <h3>If it stops</h3>
      </summary>
      {!data && !error && (
        <p className="mute" role="status">
          {slow === null ? 'Counting…' : slowWords(slow)}
        </p>
      )}
      {error && <p role="status">Could not be counted: {errorWords(error)}.</p>}
      {data && <Answer impact={data} link={link} onSelect={onSelect} />}
    </details>
  )
}

function Answer({ impact, link, onSelect }: { impact: Impact } & Pick<Props, 'link' | 'onSelect'>) {
  const [all, setAll] = useState(false)
  const { callers, counted, only_through: only, circle } = impact
  const range = counted && rangeParams({ kind: 'fixed', from: counted.from, to: counted.to })
  const isPart = counted && counted.from > impact.from
  const shown = all ? callers : callers.slice(0, SHOWN)
  const name = (one: Named) => (
    <button type="button" className="link" title={one.type} onClick={() => onSelect(one.id)}>
      {one.name}
    </button>
  )
  const withType = (one: Named) => (
    <>
      {name(one)} {one.type && <span className="mute">{one.type}</span>}
    </>
  )
  return (
    <>
      {callers.length === 0 && <p className="mute">Nothing calls it.</p>}
      {callers.length > 0 && (
        <table className="facts">
          <thead>
            <tr>
              <th>Who needs it</th>
              <td title="Requests in traces that it is in, of all its requests">Requests</td>
              <td>Share</td>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.id}>
                <th>{withType(one)}</th>
                {one.by === 'messages' ? (
                  <td colSpan={2} className="mute" title="Received in other traces: no share is known">
                    by messages
                  </td>
                ) : (
                  <>
                    <td>
                      {range && one.through ? link(one.id, range, count(one.through)) : count(one.through)}
                    </td>
                    <td>{one.share === null ? '–' : percent(one.share)}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {shown.length < callers.length && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          {count(callers.length - shown.length)} more
        </button>
      )}
      {impact.callers_left_out > 0 && (
        <p className="mute">{count(impact.callers_left_out)} more are not listed.</p>
      )}
      {isPart && <p className="mute">Counted in the newest {minutes(counted)} of the range.</p>}
      <p>
        {only.length === 0 ? (
          <span className="mute">Nothing is reached only through it.</span>
        ) : (
          <>Only through it: {listed(only, withType)}</>
        )}
        {impact.only_through_left_out > 0 && ` and ${count(impact.only_through_left_out)} more`}
      </p>
      {circle.length > 0 && <p>In a circle of calls: {listed(circle, withType)}</p>}
    </>
  )
}

function listed(items: readonly Named[], word: (item: Named) => ReactNode): ReactNode {
  return items.map((item, index) => (
    <span key={item.id}>
      {index > 0 && ', '}
      {word(item)}
    </span>
  ))
}

function minutes({ from, to }: { from: number; to: number }): string {
  const number = Math.round((to - from) / 60)
  return number === 1 ? 'minute' : `${count(number)} minutes`
}
