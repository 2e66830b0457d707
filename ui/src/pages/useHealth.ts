import { useRef } from 'react'
import type { Graph } from '../api/types'
import type { Thresholds } from '../model/health'
import { healthOf, NO_HEALTH, type MapHealth } from '../model/visibility'

interface Judged {
  graph: Graph | null
  thresholds: Thresholds
  health: MapHealth
}

/** Which nodes are unhealthy and which edges fail; each answer is judged once, after the one before it. */
export function useHealth(graph: Graph | null, thresholds: Thresholds): MapHealth {
  const judged = useRef<Judged>({ graph: null, thresholds, health: NO_HEALTH })
  const { current } = judged
  if (graph !== current.graph || thresholds !== current.thresholds) {
    const before = thresholds === current.thresholds ? current.health : NO_HEALTH
    judged.current = { graph, thresholds, health: graph ? healthOf(graph, thresholds, before) : NO_HEALTH }
  }
  return judged.current.health
}
