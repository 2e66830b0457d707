// What the lists of administration share: the head with its button, what went wrong, and fields of forms.

import type { ReactNode } from 'react'
import type { ApiError } from '../api/client'
import { errorWords, FailureBanner } from '../components/Banner'
import { FormField } from '../components/FormField'
import { Loading } from '../components/Loading'
import type { LiveQuery } from './useLiveQuery'

interface HeadProps {
  title: string
  intro: ReactNode
  /** What is listed: `keys`. */
  what: string
  query: LiveQuery<unknown>
  /** A change that was refused outside of a form. */
  refused?: ApiError | null
  /** The button that opens the form; absent while one is open. */
  add?: { words: string; onClick(): void } | null
}

export function AdminHead({ title, intro, what, query, refused, add }: HeadProps) {
  const { data, error, slow, reload } = query
  return (
    <>
      <div className="settings-head">
        <h1>{title}</h1>
        {add && data !== null && (
          <button type="button" className="button primary" onClick={add.onClick}>
            {add.words}
          </button>
        )}
      </div>
      <p className="mute settings-intro">{intro}</p>
      {error && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : `Could not load the ${what}`}
          onRetry={reload}
        />
      )}
      {!data && !error && <Loading what={what} slow={slow} />}
      {refused && (
        <p className="field-error" role="alert">
          {errorWords(refused)}.
        </p>
      )}
    </>
  )
}

interface TextProps {
  label: string
  value: string
  hint?: ReactNode
  error?: string | null | undefined
  numeric?: boolean
  isFirst?: boolean
  onChange(value: string): void
}

export function TextField({ label, value, hint, error, numeric, isFirst, onChange }: TextProps) {
  return (
    <FormField label={label} hint={hint} error={error}>
      {(attributes) => (
        <input
          {...attributes}
          value={value}
          ref={isFirst ? focused : undefined}
          inputMode={numeric ? 'decimal' : undefined}
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </FormField>
  )
}

interface ChoiceProps {
  label: string
  value: string
  /** Words by value. */
  choices: Readonly<Record<string, string>>
  hint?: ReactNode
  error?: string | null | undefined
  isFirst?: boolean
  onChange(value: string): void
}

export function ChoiceField({ label, value, choices, hint, error, isFirst, onChange }: ChoiceProps) {
  return (
    <FormField label={label} hint={hint} error={error}>
      {(attributes) => (
        <select
          {...attributes}
          value={value}
          ref={isFirst ? focused : undefined}
          onChange={(event) => onChange(event.target.value)}
        >
          {Object.entries(choices).map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </FormField>
  )
}

const focused = (field: HTMLElement | null) => field?.focus()

/** Names of tenants to choose from; null where there is no choice. */
export function tenantChoices(names: readonly string[]): Record<string, string> | null {
  if (names.length === 0) return null
  return { '': 'default', ...Object.fromEntries(names.map((name) => [name, name])) }
}
