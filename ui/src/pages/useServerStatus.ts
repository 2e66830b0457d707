import { useQuery } from '@tanstack/react-query'
import { addresses, fetchJson } from '../api/client'
import type { ServerStatus } from '../api/types'

const POLL_MS = 10_000

/** The state of the server, polled while the page is visible. */
export function useServerStatus(): { status: ServerStatus | null; reachable: boolean } {
  const { data, error } = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => fetchJson<ServerStatus>(addresses.status(), signal),
    refetchInterval: POLL_MS,
    staleTime: 0,
    retry: false,
  })
  return { status: data ?? null, reachable: error === null }
}
