import type { Graph } from '../api/types'
import { shownName } from './grouping'

/** The name of a node in any of some graphs. */
export function nameIn(graphs: readonly Pick<Graph, 'nodes'>[], id: string): string | undefined {
  for (const { nodes } of graphs) {
    const found = nodes.find((node) => node.id === id)
    if (found) return shownName(found)
  }
  return undefined
}
