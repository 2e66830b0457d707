// Keeps a trace for ever, or lets it expire like any other.

import { useState } from 'react'
import { addresses, ApiError, send } from '../api/client'
import type { Pin } from '../api/types'
import { Icon } from './Icon'

interface Props {
  trace: string
  pin: Pin | null
  onPin(pin: Pin | null): void
}

export function PinButton({ trace, pin, onPin }: Props) {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)

  const toggle = async () => {
    if (busy) return
    setBusy(true)
    setFailure(null)
    try {
      onPin(await send<Pin | null>(pin ? 'DELETE' : 'PUT', addresses.pin(trace)))
    } catch (error) {
      const why = error instanceof ApiError ? error.message : String(error)
      setFailure(`Could not ${pin ? 'unpin' : 'pin'}: ${why}`)
    } finally {
      setBusy(false)
    }
  }
  return (
    <span className="pin">
      <button
        type="button"
        className="button pin-toggle"
        aria-pressed={pin !== null}
        aria-busy={busy}
        title={pin ? 'Unpin: keep this trace no longer than any other' : 'Pin: keep this trace for ever'}
        onClick={toggle}
      >
        <Icon name="pin" size={14} /> Pin
      </button>
      <span className="field-error" role="alert">
        {failure}
      </span>
    </span>
  )
}
