// Which account, region and environment the pages show.

import type { ReactNode } from 'react'
import type { Choice, Scope, ScopeKey } from '../model/scope'

interface Props {
  choices: readonly Choice[]
  scope: Scope
  /** Leads to two of them beside each other. */
  compare?: ReactNode
  onChoose(key: ScopeKey, value: string | null): void
}

export function ScopePicker({ choices, scope, compare, onChoose }: Props) {
  if (choices.length === 0) return null
  return (
    <div className="scope-picker" role="group" aria-label="Scope">
      {choices.map(({ key, label, values }) => (
        <select
          key={key}
          aria-label={label}
          title={label}
          className={scope[key] ? 'is-on' : undefined}
          value={scope[key] ?? ''}
          onChange={(event) => onChoose(key, event.target.value || null)}
        >
          <option value="">{`Every ${label.toLowerCase()}`}</option>
          {values.map((value) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
        </select>
      ))}
      {choices.some(({ values }) => values.length > 1) && compare}
    </div>
  )
}
