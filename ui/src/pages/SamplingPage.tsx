// Sampling rules: which requests SDKs record, and what they reported of it.

import { useState, type FormEvent } from 'react'
import {
  createRule,
  deleteRule,
  memberOf,
  operations,
  updateRule,
  type RulesReply,
  type SamplingRule,
} from '../api/xray'
import { errorWords, FailureBanner } from '../components/Banner'
import { FormEnd } from '../components/FormEnd'
import { FormField } from '../components/FormField'
import { Loading } from '../components/Loading'
import { RuleTable } from '../components/RuleTable'
import {
  formOf,
  MEMBERS,
  NEW_RULE,
  ruleOf,
  updateOf,
  type Member,
  type RuleForm,
} from '../model/samplingRules'
import { setParams, useAddress } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import { useSamplingCounts } from './useSamplingCounts'
import '../styles/tables.css'
import '../styles/forms.css'

export function SamplingPage() {
  const { params } = useAddress()
  const rules = useLiveQuery<RulesReply>(operations.rules, { key: 'rules', isOperation: true })
  const sampling = useSamplingCounts()
  const removal = useChange()
  const { data, error } = rules
  const known = (data?.SamplingRuleRecords ?? []).flatMap(({ SamplingRule: rule }) => rule ?? [])
  const edited = known.find(({ RuleName }) => RuleName === params.get('edit')) ?? null
  const isNew = params.get('new') !== null
  const close = () => setParams({ edit: null, new: null })
  const saved = () => {
    close()
    rules.reload()
  }
  return (
    <main className="settings-page" tabIndex={-1} aria-label="Sampling rules">
      <div className="settings-head">
        <h1>Sampling rules</h1>
        {!isNew && !edited && data && (
          <button
            type="button"
            className="button primary"
            onClick={() => setParams({ new: '1', edit: null })}
          >
            New rule
          </button>
        )}
      </div>
      <p className="mute settings-intro">
        SDKs take the first rule that fits a request: the reservoir is recorded in full each second, of what
        is beyond it the rate. Changes reach them within ten seconds or their next poll.
      </p>
      {error && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : 'Could not load the rules'}
          onRetry={rules.reload}
        />
      )}
      {!data && !error && <Loading what="rules" slow={rules.slow} />}
      {(isNew || edited) && data && (
        <RuleEditor key={edited?.RuleName ?? ''} rule={edited} onSaved={saved} onCancel={close} />
      )}
      {removal.error && (
        <p className="field-error" role="alert">
          {errorWords(removal.error)}.
        </p>
      )}
      {data && (
        <RuleTable
          rules={known}
          counts={sampling.counts}
          problem={sampling.error && !sampling.counts ? errorWords(sampling.error) : null}
          onEdit={(name) => setParams({ edit: name, new: null })}
          onDelete={async (name) => {
            if (await removal.run(() => deleteRule(name))) rules.reload()
          }}
        />
      )}
    </main>
  )
}

interface EditorProps {
  /** Null for a new one. */
  rule: SamplingRule | null
  onSaved(): void
  onCancel(): void
}

interface FieldWords {
  member: Member
  label: string
  hint?: string
  numeric?: boolean
}

const NUMBERS: readonly FieldWords[] = [
  { member: 'Priority', label: 'Priority', hint: '1 to 9,999, the smallest first', numeric: true },
  { member: 'ReservoirSize', label: 'Reservoir', hint: 'requests a second, of all clients', numeric: true },
  { member: 'FixedRate', label: 'Rate beyond it, %', numeric: true },
]
const CONDITIONS: readonly FieldWords[] = [
  { member: 'ServiceName', label: 'Service name' },
  { member: 'ServiceType', label: 'Service type', hint: 'such as AWS::EC2::Instance' },
  { member: 'Host', label: 'Host' },
  { member: 'HTTPMethod', label: 'HTTP method' },
  { member: 'URLPath', label: 'URL path', hint: 'such as /pay/*' },
  { member: 'ResourceARN', label: 'Resource ARN' },
]
const BOOST: readonly FieldWords[] = [
  { member: 'MaxRate', label: 'Raise the rate to, %', hint: 'while anomalies are missed', numeric: true },
  { member: 'CooldownWindowMinutes', label: 'At most every, minutes', numeric: true },
]

function RuleEditor({ rule, onSaved, onCancel }: EditorProps) {
  const [form, setForm] = useState<RuleForm>(() => (rule ? formOf(rule) : NEW_RULE))
  const { busy, error, run, forget } = useChange()
  const isDefault = rule?.RuleName === 'Default'
  const member = error ? memberOf(error.message, MEMBERS) : null
  const set = (one: Member, text: string) => {
    setForm({ ...form, [one]: text })
    forget()
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (await run(() => (rule ? updateRule(updateOf(form, rule)) : createRule(ruleOf(form))))) onSaved()
  }
  const field = ({ member: one, label, hint, numeric }: FieldWords) => (
    <FormField key={one} label={label} hint={hint} error={member === one ? error?.message : null}>
      {(attributes) => (
        <input
          {...attributes}
          value={form[one]}
          inputMode={numeric ? 'decimal' : undefined}
          className={numeric ? 'is-number' : 'mono'}
          spellCheck={false}
          autoComplete="off"
          disabled={isDefault && one !== 'ReservoirSize' && one !== 'FixedRate'}
          onChange={(event) => set(one, event.target.value)}
        />
      )}
    </FormField>
  )
  const title = rule ? `Edit ${rule.RuleName}` : 'New rule'
  return (
    <form className="settings-form" aria-label={title} onSubmit={submit}>
      <h2>{title}</h2>
      {!rule && (
        <FormField
          label="Name"
          hint="At most 32 characters. It cannot be changed later."
          error={member === 'RuleName' ? error?.message : null}
        >
          {(attributes) => (
            <input
              {...attributes}
              ref={focused}
              value={form.RuleName}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => set('RuleName', event.target.value)}
            />
          )}
        </FormField>
      )}
      <div className="form-row">{NUMBERS.map(field)}</div>
      {isDefault ? (
        <p className="mute">Default is for every request that no other rule fits.</p>
      ) : (
        <>
          <fieldset>
            <legend>
              For requests whose <span className="mute">(* any text, ? any character)</span>
            </legend>
            <div className="form-row">{CONDITIONS.map(field)}</div>
            <FormField
              label="Attributes"
              hint="key=value, one a line, at most five; patterns, too"
              error={member === 'Attributes' ? error?.message : null}
            >
              {(attributes) => (
                <textarea
                  {...attributes}
                  className="mono"
                  rows={2}
                  spellCheck={false}
                  value={form.Attributes}
                  onChange={(event) => set('Attributes', event.target.value)}
                />
              )}
            </FormField>
          </fieldset>
          <fieldset>
            <legend>
              Boost <span className="mute">(optional)</span>
            </legend>
            <div className="form-row">{BOOST.map(field)}</div>
          </fieldset>
        </>
      )}
      <FormEnd
        words={rule ? 'Save' : 'Create rule'}
        busy={busy}
        error={member === null ? error : null}
        onCancel={onCancel}
      />
    </form>
  )
}

const focused = (input: HTMLInputElement | null) => input?.focus()
