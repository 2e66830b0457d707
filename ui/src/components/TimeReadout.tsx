// Beside the lanes of the time scrubber: what they show, and the numbers of the step under the pointer; else the peaks.

import type { TimeWindow } from '../api/client'
import type { History } from '../api/types'
import { count, date, duration, percent, short } from '../model/format'
import { between, DAY, peaks, reading, usualFrom, type Point } from '../model/scrubber'

interface Props {
  name: string
  /** What the numbers leave aside. */
  note: string
  day: TimeWindow
  history: History | null
  /** The step under the pointer. */
  point: Point | null
  onTime(at: number): void
}

export function TimeReadout({ name, note, day, history, point, onTime }: Props) {
  if (history && point) {
    const { time, requests, faults, times, usual } = reading(history, point)
    return (
      <dl className="scrubber-readout" title={usual.full}>
        <Row name={<strong>{time}</strong>}>
          <span className="mute">{usual.short}</span>
        </Row>
        <Row name="Requests">{requests}</Row>
        <Row name="Faults">{faults}</Row>
        <Row name="p50 · p95">{times}</Row>
      </dl>
    )
  }
  const top = peaks(history?.points ?? [])
  const step = history?.step ?? 0
  const young = history && usualFrom(history)
  const peak = (one: Point | null, words: string, full: (point: Point) => string) =>
    one && (
      <button
        type="button"
        className="link"
        title={`Highest: ${full(one)}, ${between(one.start, one.start + step)}. Show the map of then`}
        onClick={() => onTime(one.start + step / 2)}
      >
        {words}
      </button>
    )
  const share = top.faults ? percent(top.faults.fault / top.faults.requests) : ''
  const perMinute = top.requests ? (top.requests.requests * 60) / step : 0
  return (
    <dl className="scrubber-readout">
      <Row
        name={
          <>
            <strong title={name}>{name}</strong>{' '}
            <span title={young?.full}>{note || young?.short || dayWords(day)}</span>
          </>
        }
      />
      <Row name="Requests">
        {peak(top.requests, `≤ ${short(perMinute)}/min`, (one) => `${count(one.requests)} requests`)}
      </Row>
      <Row name="Faults">
        {history && !top.faults
          ? 'none'
          : peak(top.faults, `≤ ${share}`, (one) => `${count(one.fault)} of ${count(one.requests)} requests`)}
      </Row>
      <Row name="p95">
        {peak(top.p95, `≤ ${duration(top.p95?.p95_ms)}`, (one) => `p95 ${duration(one.p95_ms)}`)}
      </Row>
    </dl>
  )
}

function Row({ name, children }: { name: React.ReactNode; children?: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function dayWords({ from, to }: TimeWindow): string {
  if (to - from > DAY) return `${date(from).slice(5)} to ${date(to).slice(5)}`
  return to > Date.now() / 1000 - 120 ? 'last 24 h' : `to ${date(to).slice(5)}`
}
