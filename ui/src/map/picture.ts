// What one frame is painted from, shared by the painters of nodes and edges.

import { isUnhealthy, traffic } from '../model/health'
import type { Palette } from '../styles/theme'
import type { Camera, Size } from './camera'
import type { Scene, SceneEdge, SceneNode } from './scene'

export interface MapOptions {
  edgeNumbers: boolean
  hideIdle: boolean
  onlyUnhealthy: boolean
}

/** What the user points at, has chosen or searches for, in the scene's own terms. */
export interface Emphasis {
  hoverNode: string | null
  hoverEdge: string | null
  selectedNode: string | null
  selectedEdge: string | null
  /** Nodes at full strength; null: all of them. */
  lit: ReadonlySet<string> | null
}

export type Detail = 'full' | 'name' | 'far'

export interface Picture {
  g: CanvasRenderingContext2D
  scene: Scene
  palette: Palette
  options: MapOptions
  k: number
  detail: Detail
  isHidden: (node: SceneNode) => boolean
  isHot: (edge: SceneEdge) => boolean
  isLit: (edge: SceneEdge) => boolean
  write: (text: string, x: number, y: number, font: string, colour: 'ink' | 'mute') => void
}

export function detailAt(k: number): Detail {
  return k >= 0.5 ? 'full' : k >= 0.3 ? 'name' : 'far'
}

export function isHidden(node: Pick<SceneNode, 'data'>, options: MapOptions): boolean {
  if (node.data.kind === 'client') return false
  if (options.hideIdle && traffic(node.data) === 'none') return true
  return options.onlyUnhealthy && !isUnhealthy(node.data)
}

export interface Frame {
  scene: Scene
  camera: Camera
  size: Size
  ratio: number
  palette: Palette
  options: MapOptions
  emphasis: Emphasis
  now: number
}
