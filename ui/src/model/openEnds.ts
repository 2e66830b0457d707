// Nodes at which an edge is missing: a dashed stub with a question mark, on the side where the edge would be.

import type { Graph, OpenEnd, ServiceMap } from '../api/types'
import { R } from '../map/geometry'
import { count } from './format'

type Ends = ServiceMap['open_ends'][number]

const STUB = 26
const MARK = 14
/** Down from the horizontal: an edge that is there keeps the middle. */
const SLANT = Math.PI / 5

/** The graph with the stubs of those of its nodes that have one. */
export function withOpenEnds(graph: Graph, ends: readonly Ends[]): Graph {
  if (ends.length === 0) return graph
  const byNode = new Map(ends.map((each) => [each.node, each]))
  const nodes = graph.nodes.map((node) => {
    const found = byNode.get(node.id)
    return found ? { ...node, openEnd: openEnd(found) } : node
  })
  return { ...graph, nodes }
}

function openEnd({ calls, requests }: Ends): OpenEnd {
  const words =
    calls > 0
      ? `${counted(calls, 'call')} end${calls === 1 ? 's' : ''} here`
      : `${counted(requests, 'request')} without the parent`
  return { words, paint: stubPainter(calls > 0 ? 1 : -1) }
}

const counted = (number: number, word: string) => `${count(number)} ${word}${number === 1 ? '' : 's'}`

/** `side`: 1 at the right, where calls leave; -1 at the left, where requests arrive. */
function stubPainter(side: 1 | -1): OpenEnd['paint'] {
  const [dx, dy] = [side * Math.cos(SLANT), Math.sin(SLANT)]
  return ({ g, palette, detail }, x, y) => {
    g.strokeStyle = palette.ink
    g.lineWidth = detail === 'far' ? 3 : 1.5
    g.setLineDash([4, 3])
    g.beginPath()
    g.moveTo(x + dx * (R + 3), y + dy * (R + 3))
    g.lineTo(x + dx * (R + STUB), y + dy * (R + STUB))
    g.stroke()
    g.setLineDash([])
    if (detail === 'far') return
    g.font = `700 ${MARK}px ${palette.sans}`
    g.textAlign = 'center'
    g.fillStyle = palette.ink
    g.fillText('?', x + dx * (R + STUB + 8), y + dy * (R + STUB + 8) + MARK / 3)
  }
}
