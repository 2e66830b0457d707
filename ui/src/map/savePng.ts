// The whole map as a picture file, at twice the screen's density.

import { fitted } from './camera'
import { bounds } from './geometry'
import { paint } from './paint'
import { isHidden, type MapOptions } from './picture'
import { readPalette } from '../styles/theme'
import type { MapView } from './view'

const DENSITY = 2
const LONGEST_SIDE = 8000

export function savePng(view: MapView, options: MapOptions): void {
  const nodes = [...view.scene.nodes.values()].filter((node) => !isHidden(node, options))
  const box = bounds(nodes)
  if (!box) return
  const shrink = Math.min(1, LONGEST_SIDE / DENSITY / Math.max(box.right - box.left, box.bottom - box.top))
  const size = { width: (box.right - box.left) * shrink + 48, height: (box.bottom - box.top) * shrink + 48 }
  const canvas = document.createElement('canvas')
  canvas.width = size.width * DENSITY
  canvas.height = size.height * DENSITY
  const g = canvas.getContext('2d', { alpha: false })
  if (!g) return
  paint(g, {
    scene: view.scene,
    camera: fitted(box, size, { x: 24, top: 24, bottom: 24 }),
    size,
    ratio: DENSITY,
    palette: readPalette(),
    options,
    emphasis: { hoverNode: null, hoverEdge: null, selectedNode: null, selectedEdge: null, lit: null },
    now: performance.now(),
  })
  canvas.toBlob((blob) => blob && download(blob, 'service-map.png'))
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
