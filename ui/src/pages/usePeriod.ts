// The comparison of the shown window with an earlier period, or of two sides of it, anew every two and a half minutes.

import { useQuery } from '@tanstack/react-query'
import { fetchJson, type TimeWindow } from '../api/client'
import type { PeriodComparison } from '../api/types'
import { parseRange } from '../model/range'
import { markWindow } from '../model/rollouts'
import { currentScope } from '../model/scope'
import { areGiven, sidesOf, type Sides } from '../model/sides'
import { useAddress } from './router'
import { rangeKey } from './useTimeWindow'

/** `against`: what it is compared with; null: nothing. */
export function usePeriod(
  window: TimeWindow,
  filter: string,
  against: string | null,
  { shown, isBoxed }: { shown: boolean; isBoxed: boolean },
) {
  const { params } = useAddress()
  const sides = sidesOf(params)
  const level = isBoxed ? { boxes: params.get('boxes') ?? 'auto', inside: params.get('inside') } : {}
  return useQuery({
    queryKey: [
      'periods',
      against,
      sides?.side,
      sides?.other,
      ...Object.values(level),
      rangeKey(parseRange(params)),
      markWindow(window).to,
      filter,
      currentScope(),
    ],
    queryFn: ({ signal }) =>
      fetchJson<PeriodComparison>(addressOf(window, filter, sides ?? against ?? '', level), signal),
    enabled: against !== null && shown && (sides === null || areGiven(sides)),
    retry: false,
    placeholderData: (before, query) => (query?.queryKey[1] === against ? before : undefined),
  })
}

function addressOf({ from, to }: TimeWindow, filter: string, against: string | Sides, level: object): string {
  const scope = Object.entries(currentScope()).filter(([, value]) => value)
  const narrowed = filter ? [['filter', filter], ...scope] : scope
  const compared = typeof against === 'string' ? [['then', against]] : Object.entries(against)
  const given = [...compared, ...Object.entries(level)].filter(([, value]) => value)
  const words = [['from', String(from)], ['to', String(to)], ...given, ...narrowed]
  return `/api/v1/compare?${new URLSearchParams(words as string[][]).toString()}`
}
