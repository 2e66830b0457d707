// Which label layout serves which scale: the exact one at rest; while the scale changes, one per quarter of an octave.

import type { Label } from './labels'

export type PlacedLabels = ReadonlyMap<string, Label>

const STEPS_PER_OCTAVE = 4

export class LabelCache {
  private key = ''
  private exact: { k: number; labels: PlacedLabels } | null = null
  private readonly steps = new Map<number, PlacedLabels>()

  constructor(private readonly layout: (k: number) => PlacedLabels) {}

  /** `key` is everything that labels depend on apart from the scale. */
  at(k: number, key: string, changing: boolean): PlacedLabels {
    if (key !== this.key) {
      this.key = key
      this.exact = null
      this.steps.clear()
    }
    if (this.exact?.k === k) return this.exact.labels
    if (changing) return this.nearest(k)
    this.exact = { k, labels: this.layout(k) }
    return this.exact.labels
  }

  private nearest(k: number): PlacedLabels {
    const step = Math.round(Math.log2(k) * STEPS_PER_OCTAVE)
    let labels = this.steps.get(step)
    if (!labels) this.steps.set(step, (labels = this.layout(2 ** (step / STEPS_PER_OCTAVE))))
    return labels
  }
}
