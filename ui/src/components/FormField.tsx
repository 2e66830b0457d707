// One field of a form: its name, what it means, and what the server says is wrong with it.

import { useId, type ReactNode } from 'react'

interface Props {
  label: string
  hint?: ReactNode
  /** What is wrong, in the server's words. */
  error?: string | null | undefined
  children(attributes: FieldAttributes): ReactNode
}

export interface FieldAttributes {
  id: string
  'aria-invalid': boolean
  'aria-describedby': string | undefined
}

export function FormField({ label, hint, error, children }: Props) {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-invalid': Boolean(error), 'aria-describedby': described || undefined })}
      {hint && (
        <p className="mute" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}
