// Which stretch of time, how often it is refreshed, and how old the picture is.

import { useEffect, useState } from 'react'
import type { TimeWindow } from '../api/client'
import { age, clock, span } from '../model/format'
import { inputValue, parseInstant, PRESETS, type Range } from '../model/range'
import { Icon } from './Icon'
import { slowWords } from './Loading'
import { Popover } from './Popover'

interface Props {
  range: Range
  window: TimeWindow
  refresh: number
  refreshChoices: readonly number[]
  updatedAt: number | null
  /** From when on received data may not be counted yet; null when all of it is. */
  dataUntil?: number | null
  stale: boolean
  /** Seconds the current request has taken, when that is longer than usual. */
  slow: number | null
  onRange(range: Range): void
  onRefresh(seconds: number): void
}

export function TimePicker(props: Props) {
  const { range, window, refresh } = props
  const words = range.kind === 'live' ? range.preset.words : span(range.from, range.to)
  return (
    <div className="time-picker">
      <Popover
        label={`Time range: ${words}`}
        button={
          <>
            <span>{words}</span>
            <Icon name="caret" size={14} />
          </>
        }
      >
        {(close) => (
          <div className="time-choices">
            <Presets {...props} onRange={(next) => (props.onRange(next), close())} />
            <Absolute window={window} onRange={(next) => (props.onRange(next), close())} />
          </div>
        )}
      </Popover>
      {range.kind === 'live' && (
        <label className="refresh">
          <span className="visually-hidden">Refresh</span>
          <select value={refresh} onChange={(event) => props.onRefresh(Number(event.target.value))}>
            {props.refreshChoices.map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds === 0 ? 'Refresh off' : `Every ${seconds} s`}
              </option>
            ))}
          </select>
        </label>
      )}
      {props.dataUntil && (
        <span className="data-until" title="Newer traces are being counted">
          data until {clock(props.dataUntil)}
        </span>
      )}
      <Updated at={props.updatedAt} stale={props.stale} slow={props.slow} />
    </div>
  )
}

function Presets({ range, onRange }: Props) {
  return (
    <ul className="presets" aria-label="Presets">
      {PRESETS.map((preset) => (
        <li key={preset.key}>
          <button
            type="button"
            aria-pressed={range.kind === 'live' && range.preset === preset}
            onClick={() => onRange({ kind: 'live', preset })}
          >
            {preset.words}
          </button>
        </li>
      ))}
    </ul>
  )
}

function Absolute({ window, onRange }: { window: TimeWindow; onRange(range: Range): void }) {
  const [utc, setUtc] = useState(false)
  const [from, setFrom] = useState(() => inputValue(window.from, false))
  const [to, setTo] = useState(() => inputValue(window.to, false))
  const start = parseInstant(from, utc)
  const end = parseInstant(to, utc)
  const valid = start !== null && end !== null && start < end

  const switchZone = (next: boolean) => {
    if (start !== null) setFrom(inputValue(start, next))
    if (end !== null) setTo(inputValue(end, next))
    setUtc(next)
  }
  return (
    <form
      className="absolute"
      onSubmit={(event) => {
        event.preventDefault()
        if (valid) onRange({ kind: 'fixed', from: start, to: end })
      }}
    >
      <label>
        From
        <input
          type="datetime-local"
          step="1"
          value={from}
          onChange={(event) => setFrom(event.target.value)}
        />
      </label>
      <label>
        To
        <input type="datetime-local" step="1" value={to} onChange={(event) => setTo(event.target.value)} />
      </label>
      <label className="check">
        <input type="checkbox" checked={utc} onChange={(event) => switchZone(event.target.checked)} /> UTC
      </label>
      {!valid && <p className="field-error">The start must lie before the end.</p>}
      <button type="submit" className="button primary" disabled={!valid}>
        Apply
      </button>
    </form>
  )
}

function Updated({ at, stale, slow }: { at: number | null; stale: boolean; slow: number | null }) {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    setNow(Date.now() / 1000)
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000)
    return () => clearInterval(timer)
  }, [at])
  if (at === null) return null
  return (
    <span className={stale ? 'updated is-stale' : 'updated'}>
      updated {age(now - at)}
      {slow !== null && <span role="status">, {slowWords(slow)}</span>}
    </span>
  )
}
