// The whole map as a picture file: pixels at twice the screen's density, or lines and text that stay sharp.

import type { PictureFormat } from '../model/share'
import { readPalette } from '../styles/theme'
import { fitted, type Size } from './camera'
import { download } from './download'
import { paint } from './paint'
import type { Frame } from './picture'
import { SvgContext } from './svgContext'
import type { MapView } from './view'

const DENSITY = 2
const LONGEST_SIDE = 8000
const MARGIN = 24

export function savePicture(view: MapView, format: PictureFormat): void {
  if (format === 'svg') {
    const svg = svgOf(view)
    if (svg) download(new Blob([svg.text], { type: 'image/svg+xml' }), 'service-map.svg')
    return
  }
  const canvas = document.createElement('canvas')
  const g = canvas.getContext('2d', { alpha: false })
  const whole = wholeOf(view)
  if (!whole || !g) return
  canvas.width = whole.size.width * DENSITY
  canvas.height = whole.size.height * DENSITY
  paint(g, whole.frame(DENSITY))
  canvas.toBlob((blob) => blob && download(blob, 'service-map.png'))
}

/** The whole map as an SVG document; null of an empty one. */
export function svgOf(view: MapView): { text: string; size: Size } | null {
  const g = document.createElement('canvas').getContext('2d', { alpha: false })
  const whole = wholeOf(view)
  if (!whole || !g) return null
  const svg = new SvgContext(g)
  paint(svg as unknown as CanvasRenderingContext2D, whole.frame(1))
  return { text: svg.document(whole.size, 'Service map'), size: whole.size }
}

function wholeOf(view: MapView): { size: Size; frame(ratio: number): Frame } | null {
  const box = view.contents
  if (!box) return null
  const shrink = Math.min(1, LONGEST_SIDE / DENSITY / Math.max(box.right - box.left, box.bottom - box.top))
  const size = {
    width: Math.ceil((box.right - box.left) * shrink + 2 * MARGIN),
    height: Math.ceil((box.bottom - box.top) * shrink + 2 * MARGIN),
  }
  const camera = fitted(box, size, { x: MARGIN, top: MARGIN, bottom: MARGIN })
  return { size, frame: (ratio) => view.frameFor(camera, size, ratio, readPalette()) }
}
