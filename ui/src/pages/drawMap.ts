// Draws a map that is on no page, as an SVG.

import type { ServiceMap } from '../api/types'
import type { Size } from '../map/camera'
import { groupingOf, withValues } from '../model/grouping'
import { DEFAULT_THRESHOLDS } from '../model/health'
import type { MapHealth, MapOptions } from '../model/visibility'
import { readPalette } from '../styles/theme'

const OPTIONS: MapOptions = {
  fold: true,
  edgeNumbers: false,
  hideIdle: false,
  onlyUnhealthy: false,
  thresholds: DEFAULT_THRESHOLDS,
}
const NOTHING_BEFORE: MapHealth = { unhealthy: new Set(), failing: new Set() }

/** Of what an address answers; null of a map that is empty, or drawn in boxes. */
export async function drawMap(data: ServiceMap, query: string): Promise<{ text: string; size: Size } | null> {
  if (data.boxes?.by) return null
  const { folded, healthOf, MapView, pictures } = await import('./MapPage')
  const { svgOf } = await pictures()
  const { graph, health } = folded(withValues(data, groupingOf(new URLSearchParams(query))))
  const listener = { onCamera: () => undefined, onIdle: () => undefined }
  const view = new MapView(document.createElement('canvas'), readPalette(), listener)
  view.setGraph(graph, {}, OPTIONS, health(healthOf(data, OPTIONS.thresholds, NOTHING_BEFORE)))
  const drawn = svgOf(view)
  view.dispose()
  return drawn
}
