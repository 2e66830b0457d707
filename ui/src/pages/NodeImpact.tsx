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
type Row = Impact['callers'][number]

const SHOWN = 8
/** Choices; what is farther is in "any distance". */
const MOST_HOPS = 3

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
  const [within, setWithin] = useState(Infinity)
  const { callers, callees, counted, only_through: only, circle } = impact
  const range = counted && rangeParams({ kind: 'fixed', from: counted.from, to: counted.to })
  const isPart = counted && counted.from > impact.from
  const farthest = Math.max(0, ...[...callers, ...callees].map(({ hops }) => hops))
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
  const number = (one: Row) =>
    range && one.through ? link(one.id, range, count(one.through)) : count(one.through)
  return (
    <>
      {farthest > 1 && <HopChoice farthest={farthest} within={within} onChoose={setWithin} />}
      <Dependents
        what="Who needs it"
        none="Nothing calls it."
        title="Requests in traces that it is in, of all its requests"
        rows={callers}
        within={within}
        leftOut={impact.callers_left_out}
        name={withType}
        number={number}
      />
      <Dependents
        what="What it leads to"
        none="It calls nothing."
        title="What would not arrive there: requests in traces that it is in, of all that arrive"
        rows={callees}
        within={within}
        leftOut={impact.callees_left_out}
        name={withType}
        number={number}
      />
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

interface HopProps {
  farthest: number
  within: number
  onChoose(within: number): void
}

function HopChoice({ farthest, within, onChoose }: HopProps) {
  const choices = [...Array(Math.min(farthest, MOST_HOPS)).keys()].map((index) => index + 1)
  return (
    <div className="impact-hops" role="group" aria-label="Hops">
      <span className="mute">Within</span>
      {[...choices.filter((hops) => hops < farthest), Infinity].map((hops) => (
        <button
          key={hops}
          type="button"
          className="link"
          aria-pressed={within === hops}
          onClick={() => onChoose(hops)}
        >
          {hops === Infinity ? 'any distance' : hops === 1 ? '1 hop' : `${hops} hops`}
        </button>
      ))}
    </div>
  )
}

interface DependentsProps {
  what: string
  none: string
  title: string
  rows: readonly Row[]
  within: number
  leftOut: number
  name(row: Row): ReactNode
  number(row: Row): ReactNode
}

function Dependents({ what, none, title, rows, within, leftOut, name, number }: DependentsProps) {
  const [all, setAll] = useState(false)
  const near = rows.filter(({ hops }) => hops <= within)
  const shown = all ? near : near.slice(0, SHOWN)
  if (rows.length === 0) return <p className="mute">{none}</p>
  return (
    <>
      <table className="facts">
        <thead>
          <tr>
            <th>{what}</th>
            <td title={title}>Requests</td>
            <td>Share</td>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.id}>
              <th>{name(one)}</th>
              {one.by === 'messages' ? (
                <td colSpan={2} className="mute" title="Received in other traces: no share is known">
                  by messages
                </td>
              ) : (
                <>
                  <td>{number(one)}</td>
                  <td>{one.share === null ? '–' : percent(one.share)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < near.length && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          {count(near.length - shown.length)} more
        </button>
      )}
      {leftOut > 0 && <p className="mute">{count(leftOut)} more are not listed.</p>}
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
