import type { Graph } from '../api/types'

/** The name of a node in any of some graphs. */
export function nameIn(graphs: readonly Pick<Graph, 'nodes'>[], id: string): string | undefined {
  for (const { nodes } of graphs) {
    const name = nodes.find((node) => node.id === id)?.name
    if (name !== undefined) return name
  }
  return undefined
}
