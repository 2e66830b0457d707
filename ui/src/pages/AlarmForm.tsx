// The form of an alarm: only the fields that its kind has.

import { useState, type FormEvent } from 'react'
import { putAlarm, type Alarm, type AlarmState } from '../api/alarms'
import { memberOf } from '../api/xray'
import { FormEnd } from '../components/FormEnd'
import { FormField } from '../components/FormField'
import {
  bodyOf,
  formOf,
  KINDS,
  MEMBERS,
  METRICS,
  MISSING,
  OF_KIND,
  PLATFORM,
  STATES,
  type AlarmForm as Form,
} from '../model/alarms'
import { AlarmPreview } from './AlarmPreview'
import { useChange } from './useChange'

interface Props {
  /** Null for a new one. */
  alarm: Alarm | null
  /** What a new one begins with. */
  initial: Form
  onSaved(): void
  onCancel(): void
}

/** Members that are texts. */
type Text = { [K in keyof Form]: Form[K] extends string ? K : never }[keyof Form]

interface Words {
  label: string
  hint?: string
  numeric?: boolean
}

export function AlarmForm({ alarm, initial, onSaved, onCancel }: Props) {
  const [form, setForm] = useState<Form>(() => (alarm ? formOf(alarm) : initial))
  const { busy, error, run, forget } = useChange()
  const member = error ? memberOf(error.message, MEMBERS) : null
  const set = (change: Partial<Form>) => {
    setForm({ ...form, ...change })
    forget()
  }
  const wrong = (one: string) => (member === one ? error?.message : null)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (await run(() => putAlarm(form.name.trim(), bodyOf(form)))) onSaved()
  }
  const text = (one: Text, { label, hint, numeric }: Words) => (
    <FormField key={one} label={label} hint={hint} error={wrong(one)}>
      {(attributes) => (
        <input
          {...attributes}
          value={form[one]}
          inputMode={numeric ? 'decimal' : undefined}
          className={numeric ? 'is-number' : one === 'selector' ? 'mono' : undefined}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => set({ [one]: event.target.value })}
        />
      )}
    </FormField>
  )
  const choice = (
    one: Text,
    label: string,
    words: Record<string, string>,
    more?: (value: string) => object,
  ) => (
    <FormField key={one} label={label} error={wrong(one)}>
      {(attributes) => (
        <select
          {...attributes}
          value={form[one]}
          onChange={({ target: { value } }) => set({ [one]: value, ...more?.(value) })}
        >
          {Object.entries(words).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      )}
    </FormField>
  )
  const isMetric = form.kind === 'metric'
  const title = alarm ? `Edit ${alarm.name}` : 'New alarm'
  return (
    <form className="settings-form" aria-label={title} onSubmit={submit}>
      <h2>{title}</h2>
      <div className="form-row">
        {!alarm && text('name', { label: 'Name', hint: 'It cannot be changed later.' })}
        {choice('kind', 'When', KINDS, (value) => OF_KIND[value as Form['kind']])}
      </div>
      {text('selector', { label: 'Of', hint: HINTS[form.kind] })}
      {isMetric && (
        <div className="form-row">
          {choice('metric', 'Metric', METRICS)}
          {form.metric === PLATFORM &&
            text('platform', { label: 'Platform metric', hint: 'as in the panel of the node: Throttles' })}
          {form.metric !== PLATFORM &&
            text('version', { label: 'Version', hint: 'of the service; empty: all' })}
          {choice('comparison', 'Is', { '>=': 'at or above', '<=': 'at or below' })}
          {text('threshold', { label: 'Threshold', numeric: true })}
          {text('datapoints', { label: 'For minutes', numeric: true })}
          {text('periods', { label: 'Of the last minutes', numeric: true })}
          {text('minimum', {
            label: 'Requests at least',
            hint: 'a minute with fewer is missing',
            numeric: true,
          })}
          {choice('missing', 'Treat missing minutes as', MISSING)}
        </div>
      )}
      {isMetric && <AlarmPreview form={form} />}
      {!isMetric && (
        <div className="form-row">
          {text('periods', { label: 'Minutes', hint: PERIODS[form.kind], numeric: true })}
          {form.kind === 'vanished_edge' &&
            text('minimum', { label: 'Calls expected', hint: 'in these minutes, at least', numeric: true })}
          {text('baseline', {
            label: 'Compared with minutes before',
            hint: '1,440 are a day',
            numeric: true,
          })}
        </div>
      )}
      <Notify form={form} set={set} error={wrong('notify')} />
      <FormField
        label="Webhooks"
        hint={
          <>
            One a line: URL, a space, secret (<code>whsec_…</code>). One that is saved keeps its secret.
          </>
        }
        error={wrong('webhooks')}
      >
        {(attributes) => (
          <textarea
            {...attributes}
            className="mono"
            rows={2}
            spellCheck={false}
            value={form.webhooks}
            onChange={(event) => set({ webhooks: event.target.value })}
          />
        )}
      </FormField>
      {text('note', { label: 'Note' })}
      <FormEnd
        words={alarm ? 'Save' : 'Create alarm'}
        busy={busy}
        error={member === null ? error : null}
        onCancel={onCancel}
      />
    </form>
  )
}

const HINTS: Record<Form['kind'], string> = {
  metric: 'service("checkout") or edge("checkout", "orders"); empty: all requests that enter',
  new_edge: 'edge("checkout", "orders"); empty: every edge',
  vanished_edge: 'edge("checkout", "orders"); empty: every edge',
  new_caller: 'service("orders")',
}
const PERIODS: Record<Form['kind'], string> = {
  metric: '',
  new_edge: 'for which it counts as new',
  new_caller: 'for which it counts as new',
  vanished_edge: 'without a call',
}

interface NotifyProps {
  form: Form
  set(change: Partial<Form>): void
  error: string | null | undefined
}

function Notify({ form, set, error }: NotifyProps) {
  const states = Object.entries(STATES) as [AlarmState, string][]
  return (
    <fieldset>
      <legend>Notify webhooks of</legend>
      <div className="choices">
        {states.map(([state, words]) => (
          <label key={state}>
            <input
              type="checkbox"
              checked={form.notify.includes(state)}
              onChange={({ target }) =>
                set({
                  notify: target.checked
                    ? [...form.notify, state]
                    : form.notify.filter((other) => other !== state),
                })
              }
            />{' '}
            {words}
          </label>
        ))}
      </div>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  )
}
