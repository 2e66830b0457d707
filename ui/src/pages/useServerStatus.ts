import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { addresses, ApiError, fetchJson } from '../api/client'
import type { ServerStatus } from '../api/types'
import { serverState, type Probes } from '../model/serverState'
import { isShared } from '../model/share'

const POLL_MS = 10_000
const KEY = ['status']
/** Of a server that is well: a page's own requests show sooner if it ends. */
const WELL_MS = 60_000

interface Probed extends Probes {
  /** Whether it refuses to answer until someone signs in. */
  signedOut: boolean
}

const NOTHING_KNOWN: Probed = {
  status: null,
  reachable: true,
  failed: 0,
  dataAge: Infinity,
  signedOut: false,
}

/** The state of the server, polled while the page is visible. */
export function useServerStatus(): Probed {
  const client = useQueryClient()
  const { data = NOTHING_KNOWN } = useQuery({
    queryKey: KEY,
    enabled: !isShared(),
    queryFn: ({ signal }) => probed(client, signal),
    refetchInterval: isShared() ? false : ({ state }) => (isWell(state.data) ? WELL_MS : POLL_MS),
    staleTime: 0,
    retry: false,
  })
  return data
}

function isWell(probes: Probes | undefined): boolean {
  return probes !== undefined && serverState(probes).tone === 'ok'
}

/** All that a map needs of a status, where a page is shared and has none. */
export function setThresholds(client: QueryClient, unhealthy: ServerStatus['unhealthy']): void {
  client.setQueryData(KEY, { ...NOTHING_KNOWN, status: { unhealthy } })
}

/** A probe that fails is an answer, too. */
async function probed(client: QueryClient, signal: AbortSignal): Promise<Probed> {
  const before = client.getQueryData<Probed>(KEY) ?? NOTHING_KNOWN
  try {
    const status = await fetchJson<ServerStatus>(addresses.status(), signal)
    const failed = status.ready ? 0 : before.failed + 1
    return { status, reachable: true, failed, dataAge: dataAge(client), signedOut: false }
  } catch (error) {
    if (signal.aborted) throw error
    const signedOut = error instanceof ApiError && error.status === 401
    const failed = signedOut ? 0 : before.failed + 1
    const reachable = error instanceof ApiError && error.status !== 0
    return { ...before, reachable, failed, dataAge: dataAge(client), signedOut }
  }
}

function dataAge(client: QueryClient): number {
  const shown = client.getQueryCache().findAll({ queryKey: ['live'] })
  const newest = Math.max(0, ...shown.map(({ state }) => state.dataUpdatedAt))
  return newest === 0 ? Infinity : (Date.now() - newest) / 1000
}
