// The whole map as a picture file, at twice the screen's density.

import { readPalette } from '../styles/theme'
import { fitted } from './camera'
import { paint } from './paint'
import type { MapView } from './view'

const DENSITY = 2
const LONGEST_SIDE = 8000

export function savePng(view: MapView): void {
  const box = view.contents
  if (!box) return
  const shrink = Math.min(1, LONGEST_SIDE / DENSITY / Math.max(box.right - box.left, box.bottom - box.top))
  const size = { width: (box.right - box.left) * shrink + 48, height: (box.bottom - box.top) * shrink + 48 }
  const canvas = document.createElement('canvas')
  canvas.width = size.width * DENSITY
  canvas.height = size.height * DENSITY
  const g = canvas.getContext('2d', { alpha: false })
  if (!g) return
  const camera = fitted(box, size, { x: 24, top: 24, bottom: 24 })
  paint(g, view.frameFor(camera, size, DENSITY, readPalette()))
  canvas.toBlob((blob) => blob && download(blob, 'service-map.png'))
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
