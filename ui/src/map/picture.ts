// What one frame is painted from, shared by the painters of nodes, edges and labels.

import type { MapHealth, MapOptions } from '../model/visibility'
import type { Brush, Detail } from '../styles/brush'
import type { Palette } from '../styles/theme'
import type { Camera, Size } from './camera'
import { CLOSE } from './geometry'
import type { Label } from './labels'
import type { Scene, SceneEdge, SceneNode } from './scene'

/** What the user points at, has chosen or searches for, in the scene's own terms. */
export interface Emphasis {
  hoverNode: string | null
  hoverEdge: string | null
  selectedNode: string | null
  selectedEdge: string | null
  /** Nodes at full strength; null: all of them. */
  lit: ReadonlySet<string> | null
}

export const NO_EMPHASIS: Emphasis = {
  hoverNode: null,
  hoverEdge: null,
  selectedNode: null,
  selectedEdge: null,
  lit: null,
}

export function detailAt(k: number): Detail {
  return k >= CLOSE ? 'full' : k >= 0.3 ? 'near' : 'far'
}

/** Everything a frame depends on. */
export interface Frame {
  scene: Scene
  camera: Camera
  size: Size
  /** Device pixels per CSS pixel. */
  ratio: number
  palette: Palette
  options: MapOptions
  health: MapHealth
  hidden: ReadonlySet<string>
  emphasis: Emphasis
  labels: ReadonlyMap<string, Label>
  now: number
}

/** The frame as painters see it: only what lies in the view. */
export interface Picture extends Frame, Brush {
  nodes: SceneNode[]
  edges: SceneEdge[]
  isLit: (node: SceneNode) => boolean
  isEdgeHot: (edge: SceneEdge) => boolean
  isEdgeLit: (edge: SceneEdge) => boolean
}
