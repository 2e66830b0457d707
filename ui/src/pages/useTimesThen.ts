// The response times of a node or an edge in the period that the map is compared with.

import { useQuery } from '@tanstack/react-query'
import { fetchJson } from '../api/client'
import type { EdgeDetail, NodeDetail } from '../api/types'
import { currentScope } from '../model/scope'

/** Where the earlier figures are, and what they are of. */
export interface Earlier {
  url: string
  words: string
}

/** Null without an earlier period, and until they are here. */
export function useTimesThen(earlier: Earlier | null | undefined) {
  const url = earlier?.url ?? ''
  const { data } = useQuery({
    queryKey: ['times then', url, currentScope()],
    queryFn: ({ signal }) => fetchJson<NodeDetail | EdgeDetail>(url, signal),
    enabled: url !== '',
    staleTime: Infinity,
    retry: false,
  })
  return earlier && data ? { figure: data.histogram, words: earlier.words } : null
}
