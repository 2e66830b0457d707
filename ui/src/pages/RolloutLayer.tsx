// Deployments that go on: of each service that one was reported for lately, the versions, as its panel requests them.

import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { addresses, fetchJson, type TimeWindow } from '../api/client'
import type { DeploymentList, MapNode, Rollout, VersionList } from '../api/types'
import { parseRange } from '../model/range'
import { deployed, markWindow, MOST, rolloutOf } from '../model/rollouts'
import { currentScope } from '../model/scope'
import { useAddress } from './router'
import { useLiveQuery } from './useLiveQuery'
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
  const [found, setFound] = useState<ReadonlyMap<string, Rollout>>(new Map())
  const all = counted && data ? deployed(data.deployments, nodes, currentScope().environment) : []
  const services = all.length
  useEffect(() => onRollouts({ rollouts: found, services }), [found, services, onRollouts])
  const key = rangeKey(parseRange(params))
  return all
    .slice(0, MOST)
    .map(({ id, version }) => (
      <NodeRollout key={id} id={id} version={version} window={window} rangeKey={key} onFound={setFound} />
    ))
}

interface NodeProps {
  id: string
  version: string
  window: TimeWindow
  rangeKey: string
  onFound(change: (found: ReadonlyMap<string, Rollout>) => ReadonlyMap<string, Rollout>): void
}

/** One node's. Its versions are the panel's own answer, so that both always say the same. */
function NodeRollout({ id, version, window, rangeKey: variant, onFound }: NodeProps) {
  const { data } = useLiveQuery<VersionList>(addresses.versions(window, id), {
    key: `versions ${id}`,
    variant,
  })
  useEffect(() => {
    const rollout = data && rolloutOf(data.versions, version)
    if (!rollout) return
    onFound((found) => new Map([...found, [id, rollout]]))
    return () => onFound((found) => new Map([...found].filter(([other]) => other !== id)))
  }, [id, data, version, onFound])
  return null
}
