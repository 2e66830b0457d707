// Where the viewer looks: a scale and an offset between world and screen. Pure.

import type { Viewport } from '../model/url'
import type { Box } from './geometry'

export const SMALLEST_SCALE = 0.03
export const LARGEST_SCALE = 3
const LARGEST_FIT = 1.25

export interface Size {
  width: number
  height: number
}

export interface Camera {
  k: number
  tx: number
  ty: number
}

const clamped = (k: number) => Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, k))

/** What lies over the map: tools above, the legend below. */
export interface Margins {
  x: number
  top: number
  bottom: number
}

const TOOLS = { top: 56, bottom: 52 }
const BESIDE: Margins = { x: 24, ...TOOLS }

/** Room for what lies over the map, and on both sides for half a name. */
export function marginsIn({ width }: Size): Margins {
  return { x: Math.min(64, width * 0.08), ...TOOLS }
}

export function fitted(box: Box, size: Size, margins: Margins = marginsIn(size)): Camera {
  const width = Math.max(1, size.width - 2 * margins.x)
  const height = Math.max(1, size.height - margins.top - margins.bottom)
  const wanted = Math.min(width / (box.right - box.left), height / (box.bottom - box.top))
  const k = Math.max(SMALLEST_SCALE, Math.min(LARGEST_FIT, wanted))
  return {
    k,
    tx: (size.width - (box.left + box.right) * k) / 2,
    ty: margins.top + (height - (box.top + box.bottom) * k) / 2,
  }
}

const MOST_FOR_NAMES = 0.28
const NAME_GAP = 4

/** How far names reach over the sides, and over what lies below, in pixels. */
function excess(names: readonly Box[], size: Size): { side: number; bottom: number } {
  const [right, bottom] = [size.width - NAME_GAP, size.height - TOOLS.bottom]
  return {
    side: Math.max(0, ...names.map((name) => Math.max(NAME_GAP - name.left, name.right - right))),
    bottom: Math.max(0, ...names.map((name) => name.bottom - bottom)),
  }
}

type NamesAt = (camera: Camera) => readonly Box[]

/**
 * Fits with as much room as the names need, which do not shrink with the map: at the sides of a phone, and above the
 * legend.
 */
export function fittedWithNames(box: Box, size: Size, namesAt: NamesAt): Camera {
  return withRoomFor(namesAt, size, marginsIn(size), (margins) => fitted(box, size, margins))
}

/** Reveals nodes and, where there is room, the whole of their names. */
export function revealedWithNames(camera: Camera, box: Box, size: Size, namesAt: NamesAt): Camera {
  return withRoomFor(namesAt, size, BESIDE, (margins) => revealed(camera, box, size, margins))
}

function withRoomFor(
  namesAt: NamesAt,
  size: Size,
  least: Margins,
  placed: (margins: Margins) => Camera,
): Camera {
  const margins = { ...least }
  let camera = placed(margins)
  // A smaller scale moves nodes inwards, and gives other names.
  for (let round = 0; round < 3; round++) {
    const { side, bottom } = excess(namesAt(camera), size)
    if (side <= 0 && bottom <= 0) break
    margins.x = Math.min(size.width * MOST_FOR_NAMES, margins.x + side)
    margins.bottom = Math.min(size.height * MOST_FOR_NAMES, margins.bottom + bottom)
    camera = placed(margins)
  }
  return camera
}

export function zoomed(camera: Camera, factor: number, x: number, y: number): Camera {
  const k = clamped(camera.k * factor)
  const ratio = k / camera.k
  return { k, tx: x - (x - camera.tx) * ratio, ty: y - (y - camera.ty) * ratio }
}

export function panned(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, tx: camera.tx + dx, ty: camera.ty + dy }
}

/** Moves only as far as needed to bring a box into view; shrinks when it would not fit. */
export function revealed(camera: Camera, box: Box, size: Size, margins: Margins = BESIDE): Camera {
  const [width, height] = [size.width - 2 * margins.x, size.height - margins.top - margins.bottom]
  const k = Math.min(camera.k, width / (box.right - box.left), height / (box.bottom - box.top))
  const at =
    k < camera.k
      ? zoomed(camera, Math.max(k, SMALLEST_SCALE) / camera.k, size.width / 2, size.height / 2)
      : camera
  return {
    k: at.k,
    tx: at.tx + shift(box.left * at.k + at.tx, box.right * at.k + at.tx, margins.x, size.width - margins.x),
    ty:
      at.ty +
      shift(box.top * at.k + at.ty, box.bottom * at.k + at.ty, margins.top, size.height - margins.bottom),
  }
}

function shift(low: number, high: number, least: number, most: number): number {
  if (low < least) return least - low
  if (high > most) return most - high
  return 0
}

export function viewportOf(camera: Camera, size: Size): Viewport {
  return {
    x: (size.width / 2 - camera.tx) / camera.k,
    y: (size.height / 2 - camera.ty) / camera.k,
    k: camera.k,
  }
}

export function cameraFor(view: Viewport, size: Size): Camera {
  const k = clamped(view.k)
  return { k, tx: size.width / 2 - view.x * k, ty: size.height / 2 - view.y * k }
}

export function worldAt(camera: Camera, x: number, y: number): { x: number; y: number } {
  return { x: (x - camera.tx) / camera.k, y: (y - camera.ty) / camera.k }
}

export function visibleWorld(camera: Camera, size: Size, margin = 90): Box {
  const low = worldAt(camera, 0, 0)
  const high = worldAt(camera, size.width, size.height)
  return { left: low.x - margin, top: low.y - margin, right: high.x + margin, bottom: high.y + margin }
}
