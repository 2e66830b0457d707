// Node positions set by dragging, stored in this browser, one set per map.

import type { Point } from '../api/types'

const storageKey = (map: string) => `raymap.nodePositions.${map}`

/** Stored positions by node id; a map without a name has none. */
export function readNodePositions(map: string): Record<string, Point> {
  if (!map) return {}
  try {
    return JSON.parse(localStorage.getItem(storageKey(map)) ?? '{}') as Record<string, Point>
  } catch {
    return {}
  }
}

export function saveNodePosition(map: string, id: string, position: Point): void {
  if (!map) return
  localStorage.setItem(storageKey(map), JSON.stringify({ ...readNodePositions(map), [id]: position }))
}

export function clearNodePositions(map: string): void {
  localStorage.removeItem(storageKey(map))
}
