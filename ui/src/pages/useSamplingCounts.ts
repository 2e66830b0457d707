// What SDKs reported about sampling in the last half hour, read anew every ten seconds.

import { useQuery } from '@tanstack/react-query'
import { ApiError, fetchJson } from '../api/client'
import { operations, type SamplingReply, type SamplingSummary } from '../api/xray'
import { countsByRule, type RuleCounts } from '../model/samplingRules'

const REFRESH_MS = 10_000
/** Of 1,000 summaries each: 25 rules report 180 times in half an hour. */
const MOST_PAGES = 10

interface SamplingCounts {
  counts: ReadonlyMap<string, RuleCounts> | null
  error: ApiError | null
}

export function useSamplingCounts(): SamplingCounts {
  const { data, error } = useQuery<ReadonlyMap<string, RuleCounts>, Error>({
    queryKey: ['sampling'],
    queryFn: async ({ signal }) => countsByRule(await summaries(signal), Date.now() / 1000),
    refetchInterval: REFRESH_MS,
    retry: false,
  })
  return { counts: data ?? null, error: error instanceof ApiError ? error : null }
}

async function summaries(signal: AbortSignal): Promise<SamplingSummary[]> {
  const found: SamplingSummary[] = []
  let token: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const body = token ? { NextToken: token } : {}
    const reply: SamplingReply = await fetchJson(operations.samplingSummaries, signal, body)
    found.push(...(reply.SamplingStatisticSummaries ?? []))
    token = reply.NextToken
    if (!token) break
  }
  return found
}
