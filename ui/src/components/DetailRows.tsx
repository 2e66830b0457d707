// The panel's numbers, each beside how it changed against the period of equal length before.

import type { ReactNode } from 'react'
import type { PlaceFilter } from '../api/client'
import type { Before, MapEdge, MapNode } from '../api/types'
import { change, count, duration, percent, rate } from '../model/format'
import { STATE_LABELS, isEstimated, shares, type State } from '../model/health'
import { StateSwatch } from './StateSwatch'
import '../styles/panel.css'

interface Props {
  thing: MapNode | MapEdge
  perMinute: number | null
  rateWords: string
  before: Before | null
  /** A link to the traces in which a request ended so here. */
  tracesLink(filter: PlaceFilter, words: ReactNode): ReactNode
}

const TIMES = [
  ['avg_ms', 'Average'],
  ['p50_ms', 'p50'],
  ['p95_ms', 'p95'],
  ['p99_ms', 'p99'],
] as const
/** Of the error breakdown: of which nothing says how they ended. */
const UNKNOWN = 'ok:outcome unknown'
const BAD: State[] = ['fault', 'error', 'throttle']

export function DetailRows({ thing, perMinute, rateWords, before, tracesLink }: Props) {
  const now = shares(thing)
  const then = before && shares(before)
  const slowLink = (key: (typeof TIMES)[number][0]) => {
    const time = thing[key]
    return time === null ? duration(time) : tracesLink({ slowerThan: time }, duration(time))
  }
  const unknown = 'unknown' in thing && thing.unknown
  return (
    <table className="facts">
      <thead className="visually-hidden">
        <tr>
          <th>Measure</th>
          <th>Value</th>
          <th>Share</th>
          <th>Change to the period before</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th>{rateWords}</th>
          <td>{tracesLink({}, rate(perMinute, isEstimated(thing)))}</td>
          <td />
          <Change
            text={change(thing.requests, before?.requests)}
            title={`${count(before?.requests)} requests before`}
          />
        </tr>
        {TIMES.map(([key, words]) => (
          <tr key={key}>
            <th>{words}</th>
            <td>{slowLink(key)}</td>
            <td />
            <Change text={change(thing[key], before?.[key])} title={`${duration(before?.[key])} before`} />
          </tr>
        ))}
        {unknown ? (
          <tr>
            <th>
              <StateSwatch state="unknown" width={14} /> {STATE_LABELS.unknown.word}
            </th>
            <td>
              {tracesLink(thing.state === 'active' ? { error: UNKNOWN } : { status: 'ok' }, count(unknown))}
            </td>
            <td>{now && percent(now.unknown)}</td>
            <td />
          </tr>
        ) : null}
        {BAD.map((state) => (
          <tr key={state} className={now && now[state] > 0 ? `status-${state}` : undefined}>
            <th>
              <StateSwatch state={state} width={14} /> {STATE_LABELS[state].word}s
            </th>
            <td>{thing[state] ? tracesLink({ status: state }, count(thing[state])) : count(thing[state])}</td>
            <td>{now ? percent(now[state]) : '–'}</td>
            <Change
              text={changeOfShare(now?.[state], then?.[state])}
              title={`${count(before?.[state])} before`}
            />
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function changeOfShare(now: number | undefined, then: number | undefined): string | null {
  if (now === undefined || then === undefined) return null
  const points = (now - then) * 100
  if (Math.abs(points) < 0.05) return '±0 pp'
  return `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(1)} pp`
}

function Change({ text, title }: { text: string | null; title: string }) {
  return (
    <td className="change" title={text === null ? undefined : title}>
      {text ?? ''}
    </td>
  )
}
