// The stretches of time to choose from: those that move with the clock, and any two instants.

import { useState } from 'react'
import type { TimeWindow } from '../api/client'
import { inputValue, parseInstant, PRESETS, type Range } from '../model/range'
import '../styles/timeChoices.css'

export interface TimeChoicesProps {
  range: Range
  window: TimeWindow
  onRange(range: Range): void
}

export function TimeChoices({ range, window, onRange }: TimeChoicesProps) {
  return (
    <div className="time-choices">
      <Presets range={range} onRange={onRange} />
      <Absolute window={window} onRange={onRange} />
    </div>
  )
}

function Presets({ range, onRange }: Omit<TimeChoicesProps, 'window'>) {
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

function Absolute({ window, onRange }: Omit<TimeChoicesProps, 'range'>) {
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
