// A change that the server may refuse.

import { useState } from 'react'
import { ApiError } from '../api/client'

export interface Change {
  busy: boolean
  error: ApiError | null
  /** Whether it was accepted. */
  run(work: () => Promise<unknown>): Promise<boolean>
  forget(): void
}

export function useChange(): Change {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true)
    setError(null)
    try {
      await work()
      return true
    } catch (failure) {
      setError(failure instanceof ApiError ? failure : new ApiError(0, '', String(failure)))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, run, forget: () => setError(null) }
}
