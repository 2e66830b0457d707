// A request that is repeated while time moves on. A refresh never aborts the one before it, so that
// a server slower than the refresh interval still gets its answer shown.

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef } from 'react'
import { ApiError, fetchJson } from '../api/client'
import { currentGrouping } from '../model/grouping'
import { currentScope } from '../model/scope'
import { useSecondsSince } from './useSecondsSince'

const RETRY_MS = 10_000
/** Seconds after which a request is announced as slow. */
const SLOW_AFTER = 5

export interface LiveQuery<T> {
  data: T | null
  /** The address that `data` answers; older than the latest one while a request is in flight. */
  answeredUrl: string | null
  error: ApiError | null
  loading: boolean
  /** Seconds the current request has taken, once that is longer than usual; else null. */
  slow: number | null
  /** When the shown answer came, in epoch seconds. */
  at: number | null
  reload: () => void
}

interface Identity {
  /** What is queried: another key never shows this one's answer. */
  key: string
  /** A change aborts the request in flight and starts anew, while the old answer stays on the screen. */
  variant?: string
  /** An operation of X-Ray, which is a POST. */
  isOperation?: boolean
}

/** While only `url` changes, a request in flight is left alone: the next change after it fetches again. */
export function useLiveQuery<T>(
  url: string | null,
  { key, variant = '', isOperation = false }: Identity,
): LiveQuery<T> {
  const scoped = `${variant} ${JSON.stringify(currentScope())} ${currentGrouping()}`
  const latestUrl = useRef(url)
  latestUrl.current = url
  const query = useQuery({
    queryKey: ['live', key],
    enabled: url !== null,
    queryFn: ({ signal }) => answer<T>(latestUrl.current as string, signal, isOperation),
    retry: (_count, error) => isTransient(error),
    retryDelay: RETRY_MS,
  })
  const { refetch } = query
  const client = useQueryClient()
  // refetch({ cancelRefetch }) would only cancel a query that has data.
  const restart = useCallback(async () => {
    await client.cancelQueries({ queryKey: ['live', key], exact: true })
    await refetch()
  }, [client, key, refetch])

  const shownVariant = useRef(scoped)
  useEffect(() => {
    if (url === null) return
    if (shownVariant.current === scoped) void refetch({ cancelRefetch: false })
    else void restart()
    shownVariant.current = scoped
  }, [url, scoped, refetch, restart])

  const failure = query.error ?? query.failureReason
  const running = query.fetchStatus === 'fetching' && query.failureCount === 0
  const seconds = useSecondsSince(running, query.dataUpdatedAt)
  return {
    data: query.data?.body ?? null,
    answeredUrl: query.data?.url ?? null,
    error: failure && asApiError(failure),
    loading: running,
    slow: seconds >= SLOW_AFTER ? seconds : null,
    at: query.dataUpdatedAt ? query.dataUpdatedAt / 1000 : null,
    reload: useCallback(() => void restart(), [restart]),
  }
}

async function answer<T>(
  url: string,
  signal: AbortSignal,
  isOperation: boolean,
): Promise<{ url: string; body: T }> {
  return { url, body: await fetchJson<T>(url, signal, isOperation ? {} : undefined) }
}

/** What failed; an unexpected error as one without a status. */
export function asApiError(error: Error): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, '', String(error))
}

/** A request that the server rejected as wrong is not repeated. */
export function isTransient(error: Error): boolean {
  const { status } = asApiError(error)
  return status === 0 || status >= 500 || status === 429
}
