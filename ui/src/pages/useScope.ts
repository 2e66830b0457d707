import { useQuery } from '@tanstack/react-query'
import { addresses, fetchJson } from '../api/client'
import type { PlaceList } from '../api/types'
import { parseRange, windowOf } from '../model/range'
import { choices, scopeOf, type Choice, type Scope } from '../model/scope'
import { rangeKey } from './useTimeWindow'

const FRESH_MS = 60_000
const NONE = { accounts: [], regions: [], environments: [] }

/** What the address selects of account, region and environment, and what its time range offers. */
export function useScope(params: URLSearchParams, enabled: boolean): { scope: Scope; choices: Choice[] } {
  const range = parseRange(params)
  const { data } = useQuery({
    queryKey: ['places', rangeKey(range)],
    queryFn: ({ signal }) =>
      fetchJson<PlaceList>(addresses.places(windowOf(range, Date.now() / 1000)), signal),
    enabled,
    staleTime: FRESH_MS,
    refetchInterval: FRESH_MS,
    retry: false,
    placeholderData: (before) => before,
  })
  const scope = scopeOf(params)
  return { scope, choices: choices(data ?? NONE, scope) }
}
