// The whole map as a picture file: pixels at twice the screen's density, or lines and text that stay sharp.

import type { PictureFormat } from '../model/share'
import { readPalette } from '../styles/theme'
import { fitted } from './camera'
import { paint } from './paint'
import { SvgContext } from './svgContext'
import type { MapView } from './view'

const DENSITY = 2
const LONGEST_SIDE = 8000
const MARGIN = 24

export function savePicture(view: MapView, format: PictureFormat): void {
  const box = view.contents
  const canvas = document.createElement('canvas')
  const g = canvas.getContext('2d', { alpha: false })
  if (!box || !g) return
  const shrink = Math.min(1, LONGEST_SIDE / DENSITY / Math.max(box.right - box.left, box.bottom - box.top))
  const size = {
    width: Math.ceil((box.right - box.left) * shrink + 2 * MARGIN),
    height: Math.ceil((box.bottom - box.top) * shrink + 2 * MARGIN),
  }
  const camera = fitted(box, size, { x: MARGIN, top: MARGIN, bottom: MARGIN })
  const frame = (ratio: number) => view.frameFor(camera, size, ratio, readPalette())
  if (format === 'svg') {
    const svg = new SvgContext(g)
    paint(svg as unknown as CanvasRenderingContext2D, frame(1))
    download(new Blob([svg.document(size, 'Service map')], { type: 'image/svg+xml' }), 'service-map.svg')
    return
  }
  canvas.width = size.width * DENSITY
  canvas.height = size.height * DENSITY
  paint(g, frame(DENSITY))
  canvas.toBlob((blob) => blob && download(blob, 'service-map.png'))
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
