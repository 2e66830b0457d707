// A picture of the map somewhat larger than the view, to be shifted while the camera moves: a big map is then
// painted once per half screen of movement and not once per frame.

import type { Camera, Size } from './camera'
import { paint } from './paint'
import type { Frame } from './picture'

/** Beyond an octave the picture would look blurred, or have too few names, even for the moment that a zoom takes. */
const LEAST_ZOOM = 0.5
const MOST_ZOOM = 2

export interface Shift {
  x: number
  y: number
  scale: number
}

/** Where a picture taken with one camera lies under another; null when it would not fill the view. Pure. */
export function shiftOf(taken: Camera, pictured: Size, camera: Camera, view: Size): Shift | null {
  const scale = camera.k / taken.k
  const x = camera.tx - taken.tx * scale
  const y = camera.ty - taken.ty * scale
  const fills =
    x <= 0 && y <= 0 && x + pictured.width * scale >= view.width && y + pictured.height * scale >= view.height
  return fills && scale >= LEAST_ZOOM && scale <= MOST_ZOOM ? { x, y, scale } : null
}

/** A camera that sees the same, with half a screen more on each side. */
export function widened({ k, tx, ty }: Camera, { width, height }: Size): { camera: Camera; size: Size } {
  return {
    camera: { k, tx: tx + width / 2, ty: ty + height / 2 },
    size: { width: width * 2, height: height * 2 },
  }
}

/** A frame whose labels need not be laid out when the last picture serves. */
type Unlabelled = Omit<Frame, 'labels'>

export class PanBuffer {
  private readonly canvas = document.createElement('canvas')
  private readonly g = this.canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D
  private taken: { camera: Camera; size: Size } | null = null

  /** To be called when anything but the camera has changed. */
  invalidate(): void {
    this.taken = null
  }

  /** Draws a frame by shifting the last picture, and takes a new one when that does not reach. */
  draw(target: CanvasRenderingContext2D, frame: Unlabelled, labels: () => Frame['labels']): void {
    const { camera, size, ratio } = frame
    const { x, y, scale } = this.shift(frame) ?? this.take({ ...frame, labels: labels() })
    const [left, top] = scale === 1 ? [Math.round(x), Math.round(y)] : [x, y]
    target.setTransform(ratio, 0, 0, ratio, 0, 0)
    target.globalAlpha = 1
    const pictured = (this.taken ?? widened(camera, size)).size
    target.drawImage(this.canvas, left, top, pictured.width * scale, pictured.height * scale)
  }

  private shift({ camera, size }: Unlabelled): Shift | null {
    return this.taken && shiftOf(this.taken.camera, this.taken.size, camera, size)
  }

  private take(frame: Frame): Shift {
    this.taken = widened(frame.camera, frame.size)
    this.canvas.width = this.taken.size.width
    this.canvas.height = this.taken.size.height
    paint(this.g, { ...frame, ...this.taken, ratio: 1 })
    return { x: -frame.size.width / 2, y: -frame.size.height / 2, scale: 1 }
  }
}
