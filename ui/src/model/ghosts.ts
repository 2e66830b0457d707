// What the map draws although the window has no request of it. Pure.

import type { MapEdge } from '../api/types'

/** The figures of a node or an edge without requests. */
export const NO_REQUESTS = {
  requests: 0,
  ok: 0,
  error: 0,
  throttle: 0,
  fault: 0,
  in_progress: 0,
  observed: 0,
  unknown: 0,
  avg_ms: null,
  p50_ms: null,
  p95_ms: null,
  p99_ms: null,
} as const

type Ends = Pick<MapEdge, 'id' | 'source' | 'target'>

export function ghostEdge({ id, source, target }: Ends): MapEdge {
  return {
    ...NO_REQUESTS,
    id,
    source,
    target,
    requests_per_min: null,
    kind: 'call',
    back: false,
    bends: [],
  }
}
