import { useQuery } from '@tanstack/react-query'
import { addresses, ApiError, fetchJson } from '../api/client'
import type { ServerStatus } from '../api/types'
import { isShared } from '../model/share'

const POLL_MS = 10_000

interface Server {
  status: ServerStatus | null
  reachable: boolean
  /** Whether it refuses to answer until someone signs in. */
  signedOut: boolean
}

/** The state of the server, polled while the page is visible. */
export function useServerStatus(): Server {
  const { data, error } = useQuery({
    queryKey: ['status'],
    enabled: !isShared(),
    queryFn: ({ signal }) => fetchJson<ServerStatus>(addresses.status(), signal),
    refetchInterval: POLL_MS,
    staleTime: 0,
    retry: false,
  })
  const signedOut = error instanceof ApiError && error.status === 401
  return { status: data ?? null, reachable: error === null || signedOut, signedOut }
}
