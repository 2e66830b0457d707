// What lies over the map: tools, legend, notes, and the words for screen readers.

import type { RefObject } from 'react'
import type { ServiceMap } from '../api/types'
import { Legend } from '../components/Legend'
import { Toolbar } from '../components/Toolbar'
import type { MapActions } from '../map/ServiceMap'
import type { State } from '../model/health'
import type { MapOptions } from '../model/visibility'

interface Props {
  data: ServiceMap
  as: 'map' | 'list'
  state: State | null
  options: MapOptions
  outdated: boolean
  actions: RefObject<MapActions | null>
  onState(state: State | null): void
  onFilter(state: State): void
  onView(view: 'map' | 'list'): void
  onOptions(options: MapOptions): void
  onArrange(): void
  onKeys(): void
}

export function MapOverlays(props: Props) {
  const { data, as, actions } = props
  return (
    <>
      <Toolbar
        view={as}
        options={props.options}
        outdated={props.outdated}
        onZoom={(factor) => actions.current?.zoom(factor)}
        onFit={() => actions.current?.fit()}
        onArrange={props.onArrange}
        onResetPositions={() => actions.current?.resetPositions()}
        onSavePng={() => actions.current?.savePng()}
        onView={props.onView}
        onOptions={props.onOptions}
        onKeys={props.onKeys}
      />
      <Legend
        state={props.state}
        counts={data.state_counts}
        onState={props.onState}
        onFilter={props.onFilter}
      />
    </>
  )
}
