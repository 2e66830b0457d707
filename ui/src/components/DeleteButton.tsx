// Deleting asks once more, in place.

import { useState } from 'react'

interface Props {
  /** What is deleted: `the group checkout`. */
  what: string
  /** Another word for it: `Revoke`. */
  verb?: string
  /** What leaves everything as it is. */
  keep?: string
  onDelete(): Promise<void>
}

export function DeleteButton({ what, verb = 'Delete', keep = 'Keep', onDelete }: Props) {
  const [armed, setArmed] = useState(false)
  const [busy, setBusy] = useState(false)
  if (!armed) {
    return (
      <button type="button" className="link" aria-label={`${verb} ${what}`} onClick={() => setArmed(true)}>
        {verb}
      </button>
    )
  }
  return (
    <span className="confirm" role="group" aria-label={`${verb} ${what}?`}>
      <button
        type="button"
        className="button small danger"
        ref={focused}
        disabled={busy}
        aria-label={`Yes, ${verb.toLowerCase()} ${what}`}
        onClick={() => {
          setBusy(true)
          void onDelete().finally(() => (setBusy(false), setArmed(false)))
        }}
      >
        {verb}
      </button>
      <button type="button" className="button small" onClick={() => setArmed(false)}>
        {keep}
      </button>
    </span>
  )
}

const focused = (button: HTMLButtonElement | null) => button?.focus()
