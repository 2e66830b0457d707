import { useQuery, useQueryClient } from '@tanstack/react-query'
import { addresses, ApiError, fetchJson } from '../api/client'
import type { Thresholds } from '../model/health'
import { isShared, type SharedMap } from '../model/share'
import { isTransient } from './useLiveQuery'
import { setThresholds } from './useServerStatus'

const POLL_MS = 30_000

/** What a link shows, as the server reads its token. */
export interface Share {
  trace?: string
  map?: SharedMap
  /** Epoch seconds. */
  until: number
  unhealthy: Thresholds
}

interface Shared {
  share: Share | null
  /** The server does not accept the link, or not any more. */
  ended: boolean
  error: ApiError | null
  retry(): void
}

/** Asks what this page's link shows, again and again, so that its end is seen; nothing on other pages. */
export function useShare(): Shared {
  const client = useQueryClient()
  const { data, error, refetch } = useQuery({
    queryKey: ['share'],
    queryFn: async ({ signal }) => {
      const share = await fetchJson<Share>(addresses.share(), signal)
      setThresholds(client, share.unhealthy)
      return share
    },
    enabled: isShared(),
    refetchInterval: POLL_MS,
    staleTime: POLL_MS,
    retry: false,
  })
  const failure = error instanceof ApiError ? error : null
  return {
    share: data ?? null,
    ended: failure !== null && !isTransient(failure),
    error: failure,
    retry: () => void refetch(),
  }
}
