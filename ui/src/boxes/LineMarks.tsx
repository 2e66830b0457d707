// Δ at the lines between groups that differ from an earlier period, as at edges.

import type { MapEdge } from '../api/types'
import type { Route } from '../map/geometry'
import { edgeWords, markPlaces, type BoxNode } from '../model/boxes'

interface Props {
  lines: readonly { edge: MapEdge; route: Route; source: BoxNode; target: BoxNode }[]
  boxes: readonly BoxNode[]
  /** Lights the line: several may lie behind one another. */
  onPoint(id: string | null): void
}

export function LineMarks({ lines, boxes, onPoint }: Props) {
  const differing = lines.filter(({ edge }) => edge.delta)
  const places = markPlaces(
    differing.map(({ route }) => route),
    boxes,
  )
  return differing.map(({ edge, source, target }, index) => {
    const [x, y] = places[index] as [number, number]
    const words = edgeWords(edge, source.name, target.name)
    return (
      <span
        key={edge.id}
        className="line-delta"
        role="img"
        aria-label={words}
        title={words}
        onPointerEnter={() => onPoint(edge.id)}
        onPointerLeave={() => onPoint(null)}
        style={{ left: `calc(var(--k) * ${x}px)`, top: `calc(var(--k) * ${y}px)` }}
      >
        Δ
      </span>
    )
  })
}
