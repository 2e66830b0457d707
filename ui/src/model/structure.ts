// How a map hangs together: marks at the services that others are reached through alone.

import type { Graph, Rollout, Structure } from '../api/types'
import { R } from '../map/geometry'
import { count } from './format'

export type SinglePoint = Structure['single_points'][number]

const RING = R + 15

/** Those worth a look, the heaviest first: nearly every service has a table, or the like, of its own. */
export function singlePoints({ single_points: points }: Structure): SinglePoint[] {
  return points.filter(({ only_through: behind }) => behind > 1)
}

export function pointWords({ only_through: behind, requests_lost: lost }: SinglePoint): string {
  return `${count(behind)} services are reached through it alone, with ${count(lost)} requests`
}

/** The graph with a ring around those services. */
export function withPoints(graph: Graph, points: readonly SinglePoint[]): Graph {
  if (points.length === 0) return graph
  const behind = new Map(points.map((point) => [point.id, point.only_through]))
  const nodes = graph.nodes.map((node) => {
    const number = behind.get(node.id)
    return number ? { ...node, rollout: marked(number, node.rollout) } : node
  })
  return { ...graph, nodes }
}

function marked(behind: number, other: Rollout | undefined): Rollout {
  const words = `${count(behind)} services through it alone`
  return {
    words: other ? `${words} · ${other.words}` : words,
    paint(brush, x, y) {
      other?.paint(brush, x, y)
      const { g, palette } = brush
      g.setLineDash([])
      g.strokeStyle = palette.ink
      g.lineWidth = 2.5
      g.beginPath()
      for (const quarter of [0, 1, 2, 3]) {
        const from = quarter * (Math.PI / 2) + 0.35
        g.moveTo(x + RING * Math.cos(from), y + RING * Math.sin(from))
        g.arc(x, y, RING, from, from + Math.PI / 2 - 0.7)
      }
      g.stroke()
    },
  }
}
