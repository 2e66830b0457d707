// Deployments that go on: of each service that one was reported for lately, the versions.

import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { addresses, fetchJson, type TimeWindow } from '../api/client'
import type { DeploymentList, MapNode, Rollout, VersionsByNode } from '../api/types'
import { parseRange } from '../model/range'
import { deployed, markWindow, MOST, rolloutsOf, type Deployed } from '../model/rollouts'
import { currentScope } from '../model/scope'
import { useAddress } from './router'
import { rangeKey } from './useTimeWindow'

const FRESH_MS = 60_000
/** Longer windows take long to count by version, and show no deployment. */
const LONGEST = 3 * 3600

/** By node, and to how many services of the map something was deployed: `MOST` of them are looked at. */
export interface Rollouts {
  rollouts: ReadonlyMap<string, Rollout>
  services: number
}

interface Props {
  window: TimeWindow
  nodes: readonly MapNode[]
  onRollouts(found: Rollouts): void
}

export function RolloutLayer({ window, nodes, onRollouts }: Props) {
  const { params } = useAddress()
  const counted = !params.get('filter') && window.to - window.from <= LONGEST
  const { from, to } = markWindow(window)
  const url = `/api/v1/deployments?from=${from}&to=${to}`
  const { data } = useQuery({
    queryKey: ['deployments', url],
    queryFn: ({ signal }) => fetchJson<DeploymentList>(url, signal),
    enabled: counted,
    staleTime: FRESH_MS,
    retry: false,
    placeholderData: (before) => before,
  })
  const all = counted && data ? deployed(data.deployments, nodes, currentScope().environment) : []
  const rollouts = useVersions(window, all.slice(0, MOST))
  const services = all.length
  useEffect(() => onRollouts({ rollouts, services }), [rollouts, services, onRollouts])
  return null
}

const NONE: ReadonlyMap<string, Rollout> = new Map()

/** The rollouts of all nodes in one request a minute: a panel's own list is newer by that at most. */
function useVersions(window: TimeWindow, nodes: readonly Deployed[]): ReadonlyMap<string, Rollout> {
  const { params } = useAddress()
  const ids = nodes.map(({ id }) => id)
  const deployments = JSON.stringify(nodes)
  const { data } = useQuery({
    queryKey: ['versions', rangeKey(parseRange(params)), markWindow(window).to, ids, currentScope()],
    queryFn: ({ signal }) => fetchJson<VersionsByNode>(addresses.versionsOf(window, ids), signal),
    enabled: ids.length > 0,
    retry: false,
    placeholderData: (before) => before,
  })
  return useMemo(
    () => (data ? rolloutsOf(data.nodes, JSON.parse(deployments) as Deployed[]) : NONE),
    [data, deployments],
  )
}
