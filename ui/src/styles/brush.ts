// What a mark on the map is drawn with; of neither the map nor the API, which both refer to it.

import type { Palette } from './theme'

export type Detail = 'full' | 'near' | 'far'

export interface Brush {
  g: CanvasRenderingContext2D
  palette: Palette
  detail: Detail
  /** The scale: pixels per unit. */
  k: number
}
