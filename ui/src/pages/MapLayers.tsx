// What lies over the map and is not part of its answer. A chunk of its own.

import { useEffect, useState, type ReactNode } from 'react'
import type { TimeWindow } from '../api/client'
import type { Graph, Rollout, ServiceMap } from '../api/types'
import { withRollouts } from '../model/rollouts'
import { DeclaredLayer, type DeclaredOverlay } from './DeclaredLayer'
import { RolloutLayer } from './RolloutLayer'
import '../styles/rollout.css'

/** What the layers add to the map's page. */
export interface Overlay {
  graph(graph: Graph, part: boolean): Graph
  /** What there is to say of a node or an edge. */
  note(id: string): ReactNode
  legend: ReactNode
}

interface Props {
  window: TimeWindow
  data: ServiceMap
  onOverlay(overlay: Overlay): void
}

export function MapLayers({ window, data, onOverlay }: Props) {
  const [declared, setDeclared] = useState<DeclaredOverlay | null>(null)
  const [rollouts, setRollouts] = useState<ReadonlyMap<string, Rollout>>(new Map())
  useEffect(
    () =>
      onOverlay({
        graph: (graph, part) => withRollouts(declared?.graph(graph, part) ?? graph, rollouts),
        note: (id) => declared?.note(id),
        legend: rollouts.size > 0 && (
          <span className="rollout-note">
            <svg className="rollout-mark" viewBox="0 0 18 18" aria-hidden="true">
              <circle cx="9" cy="9" r="7" />
              <circle cx="9" cy="9" r="3.5" />
            </svg>
            Inner ring <span className="mute">new version</span>
          </span>
        ),
      }),
    [declared, rollouts, onOverlay],
  )
  return (
    <>
      <DeclaredLayer window={window} shown={data.nodes.length > 0} onOverlay={setDeclared} />
      <RolloutLayer window={window} nodes={data.nodes} onRollouts={setRollouts} />
    </>
  )
}
