// Fetches a URL and keeps the last good answer while the next one is under way or failing.

import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError, fetchJson } from '../api/client'

const RETRY_SECONDS = 10

export interface Fetched<T> {
  data: T | null
  error: ApiError | null
  loading: boolean
  /** When the shown answer came, in epoch seconds. */
  at: number | null
  reload: () => void
}

interface Held<T> {
  key: string
  data: T | null
  error: ApiError | null
  at: number | null
}

const nothing = <T>(key: string): Held<T> => ({ key, data: null, error: null, at: null })

/** `key` names what is asked about: while it stays, an older answer stands in for the one on its way. */
export function useFetched<T>(url: string | null, key: string): Fetched<T> {
  const [held, setHeld] = useState<Held<T>>(() => nothing(key))
  const [busy, setBusy] = useState(false)
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound((value) => value + 1), [])
  const keyNow = useRef(key)
  keyNow.current = key

  useEffect(() => {
    if (!url) return
    const stop = new AbortController()
    let retry = 0
    setBusy(true)
    fetchJson<T>(url, stop.signal)
      .then((data) => setHeld({ key, data, error: null, at: Date.now() / 1000 }))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return
        const shown = error instanceof ApiError ? error : new ApiError(0, '', String(error))
        setHeld((old) => ({ ...(old.key === key ? old : nothing<T>(key)), error: shown }))
        if (isPassing(shown)) retry = window.setTimeout(reload, RETRY_SECONDS * 1000)
      })
      .finally(() => !stop.signal.aborted && setBusy(false))
    return () => {
      stop.abort()
      clearTimeout(retry)
    }
  }, [url, key, round, reload])

  const shown = held.key === key ? held : nothing<T>(key)
  const waiting = url !== null && (busy || (shown.data === null && shown.error === null))
  return { data: shown.data, error: shown.error, at: shown.at, loading: waiting, reload }
}

/** A refusal of the question itself will not get better by asking again. */
function isPassing(error: ApiError): boolean {
  return error.status === 0 || error.status >= 500 || error.status === 429
}
