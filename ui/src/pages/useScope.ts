import { useQuery } from '@tanstack/react-query'
import { addresses, fetchJson, type ApiError } from '../api/client'
import type { PlaceList } from '../api/types'
import { parseRange, windowOf } from '../model/range'
import { choices, scopeOf, type Choice, type Scope } from '../model/scope'
import { asApiError } from './useLiveQuery'
import { rangeKey } from './useTimeWindow'

export interface ScopeChoices {
  scope: Scope
  choices: Choice[]
  /** Whether the choices are those of the time range, and not only what is selected. */
  known: boolean
  /** Why they are not known. */
  failure: ApiError | null
  reload(): void
}

/** Accounts, regions and environments rarely change. */
const FRESH_MS = 300_000
const NONE = { accounts: [], regions: [], environments: [] }

/** What the address selects of account, region and environment, and what its time range offers. */
export function useScope(params: URLSearchParams, enabled: boolean): ScopeChoices {
  const range = parseRange(params)
  const { data, error, refetch } = useQuery({
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
  const failure = data || !error ? null : asApiError(error)
  return { scope, choices: choices(data ?? NONE, scope), known: data !== undefined, failure, reload: refetch }
}
