// Deployments that go on: which nodes they are of, and what the map shows of two versions. Pure.

import type { Deployment, Graph, MapNode, Rollout, Version, VersionsByNode } from '../api/types'
import { ringPainter } from '../map/candidateRing'
import { percent } from './format'
import { shares } from './health'
import { versionWords } from './versions'

const DAY = 86_400
/** How often what rarely changes is requested: once in any two minutes, of which an idle map has 15 requests. */
const STEP = 150
/** Nodes whose versions are requested, those deployed last; the legend says of how many. */
export const MOST = 5

/** Deployments that may still go on at the end of a window; anew every two and a half minutes. */
export function markWindow({ to }: { to: number }): { from: number; to: number } {
  const end = Math.ceil(to / STEP) * STEP
  return { from: end - DAY, to: end }
}

/** A node, and the version that was deployed to it last. */
export interface Deployed {
  id: string
  version: string
}

type Named = Pick<MapNode, 'id' | 'name' | 'account' | 'region' | 'state'> & { names: readonly string[] }

/** Whether a name is that of a node's service, with its namespace or without it; not by which its callers know it. */
export function goesBy({ name, names }: Pick<Named, 'name' | 'names'>, given: string): boolean {
  if (given === name) return true
  return names.includes(given) && (given.endsWith(`/${name}`) || name.endsWith(`/${given}`))
}

/** The version that was deployed last to each node, the latest first, in the environment of the page if it has one. Marks are sorted, the latest first. */
export function deployed(
  marks: readonly Deployment[],
  nodes: readonly Named[],
  environment = '',
): Deployed[] {
  const found = new Map<string, string>()
  for (const mark of marks) {
    const elsewhere = environment && mark.environment && mark.environment !== environment
    if (!mark.service || !mark.version || elsewhere) continue
    for (const node of nodes) {
      const isIts =
        goesBy(node, mark.service) &&
        node.state !== 'unknown' &&
        (!mark.account || mark.account === node.account) &&
        (!mark.region || mark.region === node.region)
      if (isIts && !found.has(node.id)) found.set(node.id, mark.version)
    }
  }
  return [...found].map(([id, version]) => ({ id, version }))
}

/** The version deployed last beside the other one with the most requests; null unless both have some. */
export function rolloutOf(versions: readonly Version[], version: string): Rollout | null {
  const candidate = versions.find((one) => one.named && one.version === version)
  const [baseline] = versions
    .filter((one) => one.named && one !== candidate && one.requests)
    .sort((one, other) => other.share - one.share)
  const parts = candidate && shares(candidate)
  if (!parts || !baseline) return null
  const words = [baseline, candidate].map((one) => `${versionWords(one)} ${percent(one.share)}`).join(' · ')
  return { words, paint: ringPainter(parts) }
}

/** The rollouts of those nodes whose new version and another one both have requests. */
export function rolloutsOf(
  nodes: VersionsByNode['nodes'],
  deployments: readonly Deployed[],
): ReadonlyMap<string, Rollout> {
  const found = new Map<string, Rollout>()
  for (const { id, version } of deployments) {
    const versions = nodes.find(({ node }) => node === id)?.versions
    const rollout = versions && rolloutOf(versions, version)
    if (rollout) found.set(id, rollout)
  }
  return found
}

export function withRollouts(graph: Graph, rollouts: ReadonlyMap<string, Rollout>): Graph {
  if (rollouts.size === 0) return graph
  const nodes = graph.nodes.map((node) => {
    const rollout = rollouts.get(node.id)
    return rollout ? { ...node, rollout } : node
  })
  return { ...graph, nodes }
}
