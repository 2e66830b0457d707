import type { NodeKind } from '../api/types'
import { glyphOf } from '../map/glyphs'

export function KindBadge({ kind, size = 24 }: { kind: NodeKind; size?: number }) {
  return (
    <span className="kind-badge" style={{ width: size, height: size }} aria-hidden="true">
      <svg width={size * 0.58} height={size * 0.58} viewBox="0 0 10 10">
        <path d={glyphOf(kind)} />
      </svg>
    </span>
  )
}
