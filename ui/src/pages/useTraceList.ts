// The rows on the screen. A refresh never moves them: newer traces wait behind a button.

import { useEffect, useMemo, useState } from 'react'
import { ApiError, fetchJson, type TimeWindow } from '../api/client'
import type { TracePageReply, TraceSummary } from '../api/types'

interface Rows {
  key: string
  /** The reply these rows began with. */
  reply: TracePageReply
  traces: TraceSummary[]
  next: string | null
  window: TimeWindow
}

export interface TraceList {
  traces: TraceSummary[]
  next: string | null
  /** How many newer traces the latest refresh has found. */
  fresh: number
  loading: boolean
  error: ApiError | null
  showFresh(): void
  loadMore(): void
}

export function useTraceList(
  latest: TracePageReply | null,
  key: string,
  seen: TimeWindow,
  addressOf: (window: TimeWindow, cursor: string) => string,
): TraceList {
  const [rows, setRows] = useState<Rows | null>(null)
  const [loading, setLoading] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const shown = rows?.key === key ? rows : null

  const show = (reply: TracePageReply) =>
    setRows({ key, reply, traces: reply.traces, next: reply.next, window: seen })
  useEffect(() => {
    if (!latest || shown?.reply === latest) return
    if (!shown || shown.traces.length === 0) show(latest)
  }, [latest, shown])

  const fresh = useMemo(() => {
    if (!latest || !shown) return 0
    const known = new Set(shown.traces.map(({ id }) => id))
    const newest = shown.traces[0]?.start ?? 0
    return latest.traces.filter(({ id, start }) => !known.has(id) && start >= newest).length
  }, [latest, shown])

  const loadMore = () => {
    if (!shown?.next || loading) return
    setLoading(true)
    setError(null)
    fetchJson<TracePageReply>(addressOf(shown.window, shown.next))
      .then((reply) => setRows({ ...shown, traces: [...shown.traces, ...reply.traces], next: reply.next }))
      .catch((failure: unknown) =>
        setError(failure instanceof ApiError ? failure : new ApiError(0, '', String(failure))),
      )
      .finally(() => setLoading(false))
  }
  return {
    traces: shown?.traces ?? [],
    next: shown?.next ?? null,
    fresh,
    loading,
    error,
    showFresh: () => latest && show(latest),
    loadMore,
  }
}
