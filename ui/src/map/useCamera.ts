// Pan and zoom of a map that is made of elements: the same gestures as on the canvas (`map/input`).

import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import { cameraFor, fitted, panned, viewportOf, zoomed, type Camera, type Size } from './camera'
import type { Box } from './geometry'
import { parseView, viewText } from '../model/url'

const VIEW_MS = 300
const MARGINS = { x: 16, top: 56, bottom: 56 }
const DRAG_THRESHOLD = 4
/** The smallest scale that a map begins with. */
const LEAST = 0.56
/** As of the tools that lie over the map, which then take two lines. */
const NARROW = 760

interface Wanted {
  surface: RefObject<HTMLElement | null>
  /** What is fitted into the window. */
  contents: Box
  view: string | null
  /** Whether a gesture is meant for something else that lies over the map. */
  isElsewhere(target: Element): boolean
  onView(text: string): void
  onDragging(active: boolean): void
}

export interface Moves {
  pan(dx: number, dy: number): void
  zoom(factor: number): void
  fit(): void
  show(x: number, y: number): void
}

/** The camera is null until the map's size is known. */
export function useCamera(wanted: Wanted): { camera: Camera | null; size: Size; moves: Moves } {
  const latest = useRef(wanted)
  latest.current = wanted
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [camera, setCamera] = useState<Camera | null>(null)
  const timer = useRef(0)
  const written = useRef(wanted.view)
  const measured = useRef(size)
  const shown = useRef<Camera>({ k: 1, tx: 0, ty: 0 })
  if (camera) shown.current = camera

  const moveTo = useCallback((next: Camera) => {
    shown.current = next
    setCamera(next)
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => {
      written.current = viewText(viewportOf(next, measured.current))
      latest.current.onView(written.current)
    }, VIEW_MS)
  }, [])

  useLayoutEffect(() => {
    const place = wanted.surface.current as HTMLElement
    const measure = () => {
      measured.current = { width: place.clientWidth, height: place.clientHeight }
      setSize(measured.current)
    }
    measure()
    setCamera(cameraOf(latest.current.view, measured.current, latest.current.contents))
    const watcher = new ResizeObserver(measure)
    watcher.observe(place)
    const at = (event: MouseEvent) => {
      const box = place.getBoundingClientRect()
      return [event.clientX - box.left, event.clientY - box.top] as const
    }
    const other = (event: Event) => latest.current.isElsewhere(event.target as Element)
    const wheel = (event: WheelEvent) => {
      if (other(event)) return
      event.preventDefault()
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1
      const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016))
      moveTo(zoomed(shown.current, factor, ...at(event)))
    }
    let pressed: { x: number; y: number; dragged: boolean } | null = null
    const fingers = new Map<number, readonly [number, number]>()
    const down = (event: PointerEvent) => {
      if (event.button !== 0 || other(event)) return
      const [x, y] = at(event)
      fingers.set(event.pointerId, [x, y])
      pressed = fingers.size > 1 ? null : { x, y, dragged: false }
    }
    const move = (event: PointerEvent) => {
      const before = fingers.get(event.pointerId)
      if (!before) return
      const [x, y] = at(event)
      const second = [...fingers].find(([id]) => id !== event.pointerId)?.[1]
      if (second) {
        const gap = (a: readonly [number, number]) => Math.hypot(a[0] - second[0], a[1] - second[1]) || 1
        const middle = [(x + second[0]) / 2, (y + second[1]) / 2] as const
        moveTo(zoomed(shown.current, gap([x, y]) / gap(before), ...middle))
      } else if (pressed) {
        const [dx, dy] = [x - pressed.x, y - pressed.y]
        if (!pressed.dragged && Math.hypot(dx, dy) < DRAG_THRESHOLD) return
        if (!pressed.dragged) {
          place.setPointerCapture(event.pointerId)
          latest.current.onDragging(true)
        }
        pressed = { x, y, dragged: true }
        moveTo(panned(shown.current, dx, dy))
      }
      fingers.set(event.pointerId, [x, y])
    }
    const up = (event: PointerEvent) => {
      fingers.delete(event.pointerId)
      if (pressed?.dragged) latest.current.onDragging(false)
      pressed = null
    }
    place.addEventListener('wheel', wheel, { passive: false })
    place.addEventListener('pointerdown', down)
    place.addEventListener('pointermove', move)
    place.addEventListener('pointerup', up)
    place.addEventListener('pointercancel', up)
    return () => {
      clearTimeout(timer.current)
      watcher.disconnect()
      place.removeEventListener('wheel', wheel)
      place.removeEventListener('pointerdown', down)
      place.removeEventListener('pointermove', move)
      place.removeEventListener('pointerup', up)
      place.removeEventListener('pointercancel', up)
    }
  }, [wanted.surface, moveTo])

  // Back and forward restore the viewport they left.
  useLayoutEffect(() => {
    if (wanted.view === written.current) return
    written.current = wanted.view
    setCamera(cameraOf(wanted.view, measured.current, latest.current.contents))
  }, [wanted.view])

  const moves: Moves = {
    pan: (dx, dy) => moveTo(panned(shown.current, dx, dy)),
    zoom: (factor) => moveTo(zoomed(shown.current, factor, size.width / 2, size.height / 2)),
    fit: () => moveTo(fitted(latest.current.contents, size, MARGINS)),
    show: (x, y) => moveTo(cameraFor({ x, y, k: Math.max(shown.current.k, 0.8) }, size)),
  }
  return { camera, size, moves }
}

/** As an address has it, else all of the map; later nothing moves by itself. */
function cameraOf(view: string | null, size: Size, contents: Box): Camera {
  const wanted = parseView(view)
  return wanted ? cameraFor(wanted, size) : readable(contents, size)
}

/** All of the map, or where that could not be read, its beginning. */
function readable(contents: Box, size: Size): Camera {
  const whole = fitted(contents, size, MARGINS)
  if (whole.k >= LEAST) return whole
  const top = size.width < NARROW ? MARGINS.top * 2 : MARGINS.top
  return { k: LEAST, tx: MARGINS.x - contents.left * LEAST, ty: top - contents.top * LEAST }
}
