// The rows on the screen. A refresh never moves them: newer traces are counted on a button.

import { useMemo, useState } from 'react'
import { addresses, ApiError, fetchJson } from '../api/client'
import type { TracePageReply, TraceSummary } from '../api/types'

interface Rows {
  key: string
  /** The reply these rows began with. */
  reply: TracePageReply
  traces: TraceSummary[]
  next: string | null
  /** The address that `reply` answers. */
  url: string
}

export interface TraceList {
  traces: TraceSummary[]
  next: string | null
  /** What the first of these pages says of all of them. */
  counts: Pick<TracePageReply, 'total' | 'matching_units' | 'sorted'>
  /** How many newer traces the latest refresh has found. */
  fresh: number
  /** All of the newest page are new, so there may be more. */
  freshIsPage: boolean
  loading: boolean
  error: ApiError | null
  showFresh(): void
  loadMore(): void
}

export function useTraceList(latest: TracePageReply | null, key: string, url: string | null): TraceList {
  const [rows, setRows] = useState<Rows | null>(null)
  const [loading, setLoading] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const shown = rows?.key === key ? rows : null

  const show = (reply: TracePageReply) =>
    setRows({ key, reply, traces: reply.traces, next: reply.next, url: url ?? '' })
  if (latest && shown?.reply !== latest && !shown?.traces.length) show(latest)

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
    fetchJson<TracePageReply>(addresses.nextPage(shown.url, shown.next))
      .then((reply) => setRows({ ...shown, traces: [...shown.traces, ...reply.traces], next: reply.next }))
      .catch((failure: unknown) =>
        setError(failure instanceof ApiError ? failure : new ApiError(0, '', String(failure))),
      )
      .finally(() => setLoading(false))
  }
  return {
    traces: shown?.traces ?? [],
    next: shown?.next ?? null,
    counts: shown?.reply ?? { total: null, matching_units: null, sorted: null },
    fresh,
    freshIsPage: latest !== null && latest.next !== null && fresh === latest.traces.length,
    loading,
    error,
    showFresh: () => latest && show(latest),
    loadMore,
  }
}
