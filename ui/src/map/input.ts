// Pointer and wheel on the map, turned into what the user means: pan, zoom, drag a node, choose, point at.

import type { SceneEdge, SceneNode } from './scene'
import type { MapView } from './view'

const DRAG_THRESHOLD = 4

export interface Target {
  node: SceneNode | null
  edge: SceneEdge | null
}

export interface Intent {
  point(target: Target, x: number, y: number): void
  choose(target: Target): void
  focus(node: SceneNode): void
  dragging(active: boolean): void
  dropped(node: SceneNode): void
  moved(): void
}

interface Press {
  id: number
  x: number
  y: number
  dragged: boolean
  node: SceneNode | null
}

/** Listens on `surface` until the returned function is called. */
export function listen(surface: HTMLElement, view: MapView, intent: Intent): () => void {
  let press: Press | null = null
  const fingers = new Map<number, { x: number; y: number }>()

  const local = (event: MouseEvent) => {
    const box = surface.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const under = (x: number, y: number): Target => {
    const node = view.nodeAt(x, y)
    return { node, edge: node ? null : view.edgeAt(x, y) }
  }

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    const { x, y } = local(event)
    fingers.set(event.pointerId, { x, y })
    press = fingers.size > 1 ? null : { id: event.pointerId, x, y, dragged: false, node: view.nodeAt(x, y) }
  }

  const move = (event: PointerEvent) => {
    const { x, y } = local(event)
    if (fingers.size === 2 && fingers.has(event.pointerId)) return pinch(event.pointerId, x, y)
    if (!press || press.id !== event.pointerId) {
      if (event.pointerType === 'mouse') intent.point(under(x, y), x, y)
      return
    }
    const dx = x - press.x
    const dy = y - press.y
    if (!press.dragged && Math.hypot(dx, dy) < DRAG_THRESHOLD) return
    if (!press.dragged) begin(event.pointerId, press)
    if (press.node) view.moveNode(press.node, dx, dy)
    else view.pan(dx, dy)
    press.x = x
    press.y = y
  }

  const begin = (pointer: number, started: Press) => {
    started.dragged = true
    surface.setPointerCapture(pointer)
    intent.dragging(true)
  }

  const pinch = (pointer: number, x: number, y: number) => {
    const other = [...fingers].find(([id]) => id !== pointer)?.[1]
    const before = fingers.get(pointer)
    if (!other || !before) return
    const ratio =
      Math.hypot(x - other.x, y - other.y) / (Math.hypot(before.x - other.x, before.y - other.y) || 1)
    view.zoom(ratio, (x + other.x) / 2, (y + other.y) / 2)
    fingers.set(pointer, { x, y })
    intent.moved()
  }

  const up = (event: PointerEvent) => {
    fingers.delete(event.pointerId)
    if (!press || press.id !== event.pointerId) return
    const ended = press
    press = null
    if (ended.dragged) {
      intent.dragging(false)
      if (ended.node) intent.dropped(ended.node)
      else intent.moved()
    } else if (event.type === 'pointerup') {
      intent.choose(under(ended.x, ended.y))
    }
  }

  const leave = () => intent.point({ node: null, edge: null }, 0, 0)

  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const { x, y } = local(event)
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1
    const speed = event.ctrlKey ? 0.01 : 0.0016
    view.zoom(Math.exp(-event.deltaY * lines * speed), x, y)
    intent.moved()
  }

  const doubleClick = (event: MouseEvent) => {
    const { x, y } = local(event)
    const node = view.nodeAt(x, y)
    if (node) intent.focus(node)
  }

  surface.addEventListener('pointerdown', down)
  surface.addEventListener('pointermove', move)
  surface.addEventListener('pointerup', up)
  surface.addEventListener('pointercancel', up)
  surface.addEventListener('pointerleave', leave)
  surface.addEventListener('wheel', wheel, { passive: false })
  surface.addEventListener('dblclick', doubleClick)
  return () => {
    surface.removeEventListener('pointerdown', down)
    surface.removeEventListener('pointermove', move)
    surface.removeEventListener('pointerup', up)
    surface.removeEventListener('pointercancel', up)
    surface.removeEventListener('pointerleave', leave)
    surface.removeEventListener('wheel', wheel)
    surface.removeEventListener('dblclick', doubleClick)
  }
}
