// Which stretch of time, how often it is refreshed, and how old the picture is.

import { useEffect, useState, type ComponentType } from 'react'
import type { TimeWindow } from '../api/client'
import { age, span } from '../model/format'
import type { Range } from '../model/range'
import { Icon } from './Icon'
import { slowWords } from './Loading'
import { Popover } from './Popover'
import type { TimeChoicesProps } from './TimeChoices'

interface Props {
  range: Range
  window: TimeWindow
  refresh: number
  refreshChoices: readonly number[]
  updatedAt: number | null
  stale: boolean
  /** Seconds the current request has taken, when that is longer than usual. */
  slow: number | null
  /** What its button opens. */
  choices: ComponentType<TimeChoicesProps>
  onRange(range: Range): void
  onRefresh(seconds: number): void
}

export function TimePicker(props: Props) {
  const { range, window, refresh, choices: Choices } = props
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
          <Choices range={range} window={window} onRange={(next) => (props.onRange(next), close())} />
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
      <Updated at={props.updatedAt} stale={props.stale} slow={props.slow} />
    </div>
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
