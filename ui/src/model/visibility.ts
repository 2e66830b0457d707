// Which nodes are unhealthy, which edges fail, and which nodes the options hide.

import type { Graph } from '../api/types'
import { DEFAULT_THRESHOLDS, isFailing, isUnhealthy, traffic, type Thresholds } from './health'

export interface MapOptions {
  /** Functions are drawn with their service, clients beside their entry. */
  fold: boolean
  edgeNumbers: boolean
  hideIdle: boolean
  onlyUnhealthy: boolean
  thresholds: Thresholds
}

export const DEFAULT_OPTIONS: MapOptions = {
  fold: true,
  edgeNumbers: false,
  hideIdle: false,
  onlyUnhealthy: false,
  thresholds: DEFAULT_THRESHOLDS,
}

export interface MapHealth {
  /** Ids of nodes over the thresholds. */
  unhealthy: ReadonlySet<string>
  /** Ids of edges over the thresholds. */
  failing: ReadonlySet<string>
}

export const NO_HEALTH: MapHealth = { unhealthy: new Set(), failing: new Set() }

/** Judges a new answer by the verdicts before it, so that what hovers around a threshold does not flicker. */
export function healthOf({ nodes, edges }: Graph, thresholds: Thresholds, before: MapHealth): MapHealth {
  const unhealthy = nodes.filter((node) => isUnhealthy(node, thresholds, before.unhealthy.has(node.id)))
  const failing = edges.filter((edge) => isFailing(edge, thresholds, before.failing.has(edge.id)))
  return { unhealthy: new Set(unhealthy.map(({ id }) => id)), failing: new Set(failing.map(({ id }) => id)) }
}

/** Ids of the nodes that the options hide; a client hides with the last of the nodes it calls. */
export function hiddenNodes({ nodes, edges }: Graph, options: MapOptions, health: MapHealth): Set<string> {
  const { hideIdle, onlyUnhealthy } = options
  if (!hideIdle && !onlyUnhealthy) return new Set()
  const isClient = new Set(nodes.filter(({ kind }) => kind === 'client').map(({ id }) => id))
  const hidden = new Set<string>()
  for (const node of nodes) {
    if (isClient.has(node.id)) continue
    const idle = hideIdle && traffic(node) === 'none' && !node.declared
    if (idle || (onlyUnhealthy && !health.unhealthy.has(node.id))) hidden.add(node.id)
  }
  const seen = new Set(edges.filter(({ target }) => !hidden.has(target)).map(({ source }) => source))
  for (const id of isClient) if (!seen.has(id)) hidden.add(id)
  return hidden
}
