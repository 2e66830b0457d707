// What lies over the map and is not part of its answer. A chunk of its own.

import { useEffect, useState, type ReactNode } from 'react'
import type { TimeWindow } from '../api/client'
import type { Graph, ServiceMap } from '../api/types'
import { MOST, withRollouts } from '../model/rollouts'
import { DeclaredLayer, type DeclaredOverlay } from './DeclaredLayer'
import { RolloutLayer, type Rollouts } from './RolloutLayer'
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
  const [{ rollouts, services }, setFound] = useState<Rollouts>({ rollouts: new Map(), services: 0 })
  useEffect(
    () =>
      onOverlay({
        graph: (graph, part) => withRollouts(declared?.graph(graph, part) ?? graph, rollouts),
        note: (id) => declared?.note(id),
        legend: rollouts.size > 0 && (
          <span
            className="rollout-note"
            title={`What the version deployed last answered, in the ${MOST} services deployed to last within a day`}
          >
            <svg className="rollout-mark" viewBox="0 0 18 18" aria-hidden="true">
              <circle cx="9" cy="9" r="7" />
              <circle cx="9" cy="9" r="3.5" />
            </svg>
            Inner ring{' '}
            <span className="mute">new version{services > MOST && `, ${MOST} of ${services} services`}</span>
          </span>
        ),
      }),
    [declared, rollouts, services, onOverlay],
  )
  return (
    <>
      <DeclaredLayer window={window} shown={data.nodes.length > 0} onOverlay={setDeclared} />
      <RolloutLayer window={window} nodes={data.nodes} onRollouts={setFound} />
    </>
  )
}
