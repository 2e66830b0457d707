// The keys that move any map.

import type { RefObject } from 'react'
import type { MapActions } from './ServiceMap'

const STEP = 60
const ZOOM = 1.3

export function mapKeys(actions: RefObject<MapActions | null>): Record<string, () => void> {
  return {
    ArrowLeft: () => actions.current?.pan(STEP, 0),
    ArrowRight: () => actions.current?.pan(-STEP, 0),
    ArrowUp: () => actions.current?.pan(0, STEP),
    ArrowDown: () => actions.current?.pan(0, -STEP),
    '+': () => actions.current?.zoom(ZOOM),
    '-': () => actions.current?.zoom(1 / ZOOM),
    '0': () => actions.current?.fit(),
  }
}
