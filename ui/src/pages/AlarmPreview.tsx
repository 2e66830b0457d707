// What the rule in the form would have done over the last day.

import { useQuery } from '@tanstack/react-query'
import { previewAlarm } from '../api/alarms'
import { bodyOf, firedWords, previewLines, type AlarmForm } from '../model/alarms'
import { useSettled } from './useSettled'
import '../styles/alarmPreview.css'

const PAUSE_MS = 500

export function AlarmPreview({ form }: { form: AlarmForm }) {
  const body = useSettled(JSON.stringify({ ...bodyOf(form), webhooks: [] }), PAUSE_MS)
  const { data, isError } = useQuery({
    queryKey: ['alarm preview', body],
    queryFn: ({ signal }) => previewAlarm(JSON.parse(body) as object, signal),
    retry: false,
  })
  if (isError) return null // the form says what is wrong when it is sent
  if (!data) return <p className="mute alarm-preview">Looking at the last 24 hours…</p>
  const { threshold } = JSON.parse(body) as { threshold: number }
  const values = data.values.filter((value) => value !== null)
  const top = Math.max(threshold, ...values) * 1.1 || 1
  const words = values.length > 0 ? firedWords(data.fired.length) : 'No data in the last 24 hours.'
  return (
    <section className="alarm-preview" aria-label="Preview">
      <svg
        viewBox="0 0 1 1"
        preserveAspectRatio="none"
        role="img"
        aria-label={`The metric by minute. ${words}`}
      >
        {previewLines(data.values, top).map((points) => (
          <polyline key={points} points={points} />
        ))}
        <line x1="0" x2="1" y1={1 - threshold / top} y2={1 - threshold / top} />
      </svg>
      <p role="status">{words}</p>
    </section>
  )
}
