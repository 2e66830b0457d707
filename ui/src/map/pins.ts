// Places the user gave to nodes by hand, kept in this browser, one set per map.

import type { Point } from '../api/types'

const key = (map: string) => `raymap.pins.${map}`

/** A map without a name forgets. */
export function readPins(map: string): Record<string, Point> {
  if (!map) return {}
  try {
    return JSON.parse(localStorage.getItem(key(map)) ?? '{}') as Record<string, Point>
  } catch {
    return {}
  }
}

export function savePin(map: string, id: string, place: Point): void {
  if (!map) return
  localStorage.setItem(key(map), JSON.stringify({ ...readPins(map), [id]: place }))
}

export function clearPins(map: string): void {
  localStorage.removeItem(key(map))
}
