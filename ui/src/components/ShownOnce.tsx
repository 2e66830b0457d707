// Secrets that the server has made: they can be copied until the box is closed, and never again.

import { useEffect, useId, useRef, type ReactNode } from 'react'
import { CopyButton } from './CopyButton'
import '../styles/admin.css'

export interface Secret {
  label: string
  value: string
}

interface Props {
  title: string
  secrets: readonly Secret[]
  children: ReactNode
  onDone(): void
}

export function ShownOnce({ title, secrets, children, onDone }: Props) {
  const box = useRef<HTMLElement>(null)
  const id = useId()
  useEffect(() => box.current?.focus(), [])
  return (
    <section className="settings-form shown-once" ref={box} tabIndex={-1} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <p>
        <strong>Copy it now: it is not shown again.</strong> {children}
      </p>
      {secrets.map(({ label, value }, index) => (
        <div className="form-field" key={label}>
          <label htmlFor={`${id}-${index}`}>{label}</label>
          <div className="shown-secret">
            <input
              id={`${id}-${index}`}
              className="mono"
              readOnly
              spellCheck={false}
              value={value}
              onFocus={(event) => event.target.select()}
            />
            <CopyButton text={value} label={`Copy: ${label}`} words="Copy" />
          </div>
        </div>
      ))}
      <div className="form-actions">
        <button type="button" className="button primary" onClick={onDone}>
          Done
        </button>
      </div>
    </section>
  )
}
