// What a node or an edge says about itself in words: for the buttons over the canvas and for tooltips.

import type { MapEdge, MapNode } from '../api/types'
import { count, duration, percent, rate } from '../model/format'
import { ringShares } from '../model/fold'
import { BANDS, STATE_LABELS, isEstimated, traffic } from '../model/health'
import { KIND_WORDS } from './glyphs'

/** What a node is, and where, if the map has nodes of several accounts or regions. */
export function typeWords(
  node: Pick<
    MapNode,
    'type' | 'kind' | 'location' | 'work' | 'declared' | 'rollout' | 'delta' | 'openEnd' | 'trust'
  >,
): string {
  const kind = node.type || KIND_WORDS[node.kind]
  const parts = [
    kind,
    node.location,
    workWords(node),
    declaredWords(node),
    node.rollout?.words,
    node.delta?.words,
    node.openEnd?.words,
    node.trust?.words,
  ]
  return parts.filter(Boolean).join(' · ')
}

/** That its numbers count work that serves no request; empty of requests. */
export function workWords({ work }: Pick<MapNode, 'work'>): string {
  return work === 'background' ? 'background work' : ''
}

/** Of a function that is drawn with its service, its own numbers; empty of other nodes. */
export function innerWords({ inner }: Pick<MapNode, 'inner'>): string {
  if (!inner || traffic(inner) !== 'finished') return ''
  return ['Function', duration(inner.avg_ms), ...shareWords(inner)].join(' · ')
}

/** What templates say of it, where that differs from what was seen. */
export function declaredWords({ declared }: Pick<MapNode | MapEdge, 'declared'>): string {
  return declared === 'never_seen' ? 'declared, not seen' : declared ? 'not declared' : ''
}

export function nodeLabel(node: MapNode): string {
  const parts = [node.name, typeWords(node)]
  if (node.declared === 'never_seen') return parts.join(', ')
  if (node.kind === 'client') return parts.join(', ')
  if (traffic(node) === 'none') return [...parts, 'no traffic'].join(', ')
  if (traffic(node) === 'in_progress') return [...parts, 'in progress'].join(', ')
  const perMinute = node.traces_per_min === null ? [] : [rate(node.traces_per_min, isEstimated(node))]
  return [...parts, duration(node.avg_ms), ...perMinute, ...shareWords(node)].join(', ')
}

function shareWords(node: MapNode): string[] {
  const part = ringShares(node)
  if (!part) return []
  return BANDS.filter((band) => part[band]).map((band) => `${percent(part[band])} ${STATE_LABELS[band].word}`)
}

/** Where the numbers come from when requests were sampled; null when all were seen. */
export function estimateWords(thing: MapNode | MapEdge): string | null {
  if (!isEstimated(thing)) return null
  return `≈ estimated from ${count(thing.observed)} sampled ${thing.observed === 1 ? 'span' : 'spans'}`
}
