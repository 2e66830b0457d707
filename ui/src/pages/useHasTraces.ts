import { useQuery } from '@tanstack/react-query'
import { addresses, fetchJson } from '../api/client'
import type { ServerStatus } from '../api/types'

/** Whether the store has ever received a trace; null until known. Requested only when `wanted`. */
export function useHasTraces(wanted: boolean): boolean | null {
  const { data } = useQuery({
    queryKey: ['has traces'],
    queryFn: ({ signal }) => fetchJson<ServerStatus>(addresses.status(), signal),
    enabled: wanted,
    staleTime: 0,
    retry: false,
  })
  return wanted ? (data?.has_traces ?? null) : null
}
