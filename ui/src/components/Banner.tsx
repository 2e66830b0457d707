import { useEffect, useState } from 'react'
import type { ApiError } from '../api/client'

interface Props {
  error: ApiError
  what: string
  onRetry(): void
}

const RETRY_SECONDS = 10

export function errorWords(error: ApiError): string {
  return error.status === 0 ? error.message : `${error.status} ${error.message}`
}

/** A refresh failed: the last good picture stays, this says why and when the next try comes. */
export function FailureBanner({ error, what, onRetry }: Props) {
  const [left, setLeft] = useState(RETRY_SECONDS)
  useEffect(() => {
    setLeft(RETRY_SECONDS)
    const timer = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000)
    return () => clearInterval(timer)
  }, [error])
  return (
    <div className="banner is-bad" role="alert">
      <span>
        {what}: {errorWords(error)}.
      </span>
      <span aria-hidden="true">{left > 0 ? `Retrying in ${left} s` : 'Retrying…'}</span>
      <button type="button" className="button" onClick={onRetry}>
        Retry now
      </button>
    </div>
  )
}
