// A uniform grid over boxes: what lies near a point or inside the view, without looking at everything. Pure.

import { overlap, type Box } from './geometry'

const OFFSET = 32_768
const ROW = 65_536

export class SpatialIndex<T> {
  private readonly cells = new Map<number, Set<T>>()
  private readonly cellsOf = new Map<T, number[]>()

  /** `cell`: side of a grid cell, in the unit of the boxes. */
  constructor(private readonly cell: number) {}

  /** Puts an item where its boxes are, and only there. */
  set(item: T, boxes: readonly Box[]): void {
    this.delete(item)
    const keys = new Set<number>()
    for (const box of boxes) for (const key of this.keysOf(box)) keys.add(key)
    for (const key of keys) {
      const found = this.cells.get(key)
      if (found) found.add(item)
      else this.cells.set(key, new Set([item]))
    }
    this.cellsOf.set(item, [...keys])
  }

  delete(item: T): void {
    for (const key of this.cellsOf.get(item) ?? []) this.cells.get(key)?.delete(item)
    this.cellsOf.delete(item)
  }

  clear(): void {
    this.cells.clear()
    this.cellsOf.clear()
  }

  /** Items in the cells that a box touches: all that overlap it, and a few that are only near. */
  near(box: Box): Set<T> {
    const found = new Set<T>()
    if (this.spans(box) > this.cells.size) {
      for (const items of this.cells.values()) for (const item of items) found.add(item)
      return found
    }
    for (const key of this.keysOf(box)) for (const item of this.cells.get(key) ?? []) found.add(item)
    return found
  }

  private spans({ left, top, right, bottom }: Box): number {
    return ((right - left) / this.cell + 1) * ((bottom - top) / this.cell + 1)
  }

  private *keysOf({ left, top, right, bottom }: Box): Generator<number> {
    const [x0, x1] = [this.at(left), this.at(right)]
    const [y0, y1] = [this.at(top), this.at(bottom)]
    for (let x = x0; x <= x1; x++) for (let y = y0; y <= y1; y++) yield x * ROW + y
  }

  private at(value: number): number {
    const cell = Math.floor(value / this.cell) + OFFSET
    return Math.min(ROW - 1, Math.max(0, cell))
  }
}

/** Boxes that are taken; `isFree` is how labels avoid one another. */
export class BoxIndex {
  private readonly index: SpatialIndex<Box>

  constructor(cell: number) {
    this.index = new SpatialIndex(cell)
  }

  add(box: Box): void {
    this.index.set(box, [box])
  }

  remove(box: Box): void {
    this.index.delete(box)
  }

  isFree(box: Box, except: readonly Box[] = []): boolean {
    for (const other of this.index.near(box)) if (!except.includes(other) && overlap(box, other)) return false
    return true
  }
}
