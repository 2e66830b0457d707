// The ring of a version inside the ring of its node: the same states in the same order, growing inwards.

import type { Rollout } from '../api/types'
import type { Shares } from '../model/health'
import { ARC_GAP, BAND, INNER, arcs } from './geometry'

/** Between both rings. */
export const GAP = 2
/** Of the outer ring's widths: the number in the hole keeps its room. */
export const WIDTH = 0.4

export function ringPainter(shares: Shares): Rollout['paint'] {
  const bands = arcs(shares)
  const gap = bands.length > 1 ? ARC_GAP : 0
  return ({ g, palette, detail }, x, y) => {
    if (detail === 'far') return
    // The worst is drawn last, as on the outer ring.
    for (const { state, from, to } of bands.toReversed()) {
      const width = BAND[state] * WIDTH
      g.strokeStyle = palette[state]
      g.lineWidth = width
      g.setLineDash(state === 'throttle' ? [3, 1.6] : [])
      g.beginPath()
      g.arc(x, y, INNER - GAP - width / 2, from + gap, to - gap)
      g.stroke()
    }
    g.setLineDash([])
  }
}
