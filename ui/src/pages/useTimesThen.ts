// The response times of a node or an edge that those of now are drawn with: of the earlier period, or of two sides.

import { useQuery } from '@tanstack/react-query'
import { fetchJson } from '../api/client'
import type { EdgeDetail, NodeDetail } from '../api/types'
import { currentScope } from '../model/scope'

/** Where figures are, and what they are of. */
export interface Earlier {
  url: string
  words: string
  /** Instead of the panel's own figures. */
  now?: { url: string; words: string }
}

/** Null without an earlier period, and until the figures are here. */
export function useTimesThen(earlier: Earlier | null | undefined) {
  const then = useHistogram(earlier?.url ?? '')
  const now = useHistogram(earlier?.now?.url ?? '')
  if (!earlier || !then || (earlier.now && !now)) return null
  const own = earlier.now && now && { figure: now, words: earlier.now.words }
  return { figure: then, words: earlier.words, ...(own && { now: own }) }
}

function useHistogram(url: string) {
  const { data } = useQuery({
    queryKey: ['times then', url, currentScope()],
    queryFn: ({ signal }) => fetchJson<NodeDetail | EdgeDetail>(url, signal),
    enabled: url !== '',
    staleTime: Infinity,
    retry: false,
  })
  return data?.histogram
}
