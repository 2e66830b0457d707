// What the rule in the form would have done over the last day.

import { useQuery } from '@tanstack/react-query'
import { previewAlarm, type Alarm } from '../api/alarms'
import { bodyOf, firedWords, previewLines, valueWords, type AlarmForm } from '../model/alarms'
import { clock, dateTime } from '../model/format'
import { useSettled } from './useSettled'
import '../styles/alarmPreview.css'

const PAUSE_MS = 500

type Rule = Pick<Alarm, 'metric' | 'comparison' | 'threshold'>

export function AlarmPreview({ form }: { form: AlarmForm }) {
  const body = useSettled(JSON.stringify({ ...bodyOf(form), webhooks: [] }), PAUSE_MS)
  const { data, isError } = useQuery({
    queryKey: ['alarm preview', body],
    queryFn: ({ signal }) => previewAlarm(JSON.parse(body) as object, signal),
    retry: false,
  })
  if (isError) return null // the form says what is wrong when it is sent
  if (!data) return <p className="mute alarm-preview">Looking at the last 24 hours…</p>
  const { metric, comparison, threshold } = JSON.parse(body) as Rule
  const values = data.values.filter((value) => value !== null)
  const greatest = Math.max(0, ...values)
  const top = Math.max(threshold, greatest) * 1.15 || 1
  const words = values.length > 0 ? firedWords(data.fired.length) : 'No data in the last 24 hours.'
  const limit = `${comparison === '<=' ? '≤' : '≥'} ${valueWords(metric, threshold)}`
  const percentAt = (at: number) => `${((at - data.from) / (data.to - data.from)) * 100}%`
  return (
    <section className="alarm-preview" aria-label="Preview">
      <p role="status">{words}</p>
      <div className="alarm-picture">
        <svg
          viewBox="0 0 1 1"
          preserveAspectRatio="none"
          role="img"
          aria-label={`The metric by minute, at most ${valueWords(metric, greatest)}. ${words}`}
        >
          {previewLines(data.values, top).map((points) => (
            <polyline key={points} points={points} />
          ))}
          <line x1="0" x2="1" y1={1 - threshold / top} y2={1 - threshold / top} />
        </svg>
        <span className="alarm-limit" style={{ bottom: `${(threshold / top) * 100}%` }}>
          {limit}
        </span>
        {data.fired.map((at) => (
          <span
            key={at}
            className="alarm-fired"
            style={{ left: percentAt(at) }}
            title={`It would have fired at ${clock(at)}.`}
          />
        ))}
      </div>
      <p className="alarm-times">
        <span>{dateTime(data.from)}</span>
        {values.length > 0 && <span>highest {valueWords(metric, greatest)}</span>}
        <span>now</span>
      </p>
    </section>
  )
}
