// The end of a form: what was refused as a whole, and its two buttons.

import type { ApiError } from '../api/client'
import { errorWords } from './Banner'

interface Props {
  /** The button that submits. */
  words: string
  busy: boolean
  busyWords?: string
  /** What it does cannot be undone. */
  danger?: boolean
  disabled?: boolean
  /** What no single field is to blame for. */
  error: ApiError | null
  onCancel(): void
}

export function FormEnd({
  words,
  busy,
  busyWords = 'Saving…',
  danger = false,
  disabled = false,
  error,
  onCancel,
}: Props) {
  return (
    <>
      {error && (
        <p className="field-error" role="alert">
          {errorWords(error)}.
        </p>
      )}
      <div className="form-actions">
        <button
          type="submit"
          className={danger ? 'button danger' : 'button primary'}
          disabled={busy || disabled}
        >
          {busy ? busyWords : words}
        </button>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </>
  )
}
