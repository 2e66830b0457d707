// How far figures are to be trusted; anew every two and a half minutes, as traces are read for it.

import { useQuery } from '@tanstack/react-query'
import { addresses, fetchJson, type TimeWindow } from '../api/client'
import type { TrustReply } from '../api/types'
import { parseRange } from '../model/range'
import { markWindow } from '../model/rollouts'
import { currentScope } from '../model/scope'
import { useAddress } from './router'
import { rangeKey } from './useTimeWindow'

/** `place`: the id of a node or an edge; empty: of the whole map what is not exact. */
export function useTrust(window: TimeWindow, filter: string, place = '', enabled = true) {
  const { params } = useAddress()
  return useQuery({
    queryKey: ['trust', rangeKey(parseRange(params)), markWindow(window).to, filter, place, currentScope()],
    queryFn: ({ signal }) => fetchJson<TrustReply>(addresses.trust(window, filter, place), signal),
    enabled,
    retry: false,
    placeholderData: (before, query) => (query?.queryKey[4] === place ? before : undefined),
  }).data
}
