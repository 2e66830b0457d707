// What lies over the map: tools, legend, notes, and the words for screen readers.

import type { ReactNode, RefObject } from 'react'
import type { ServiceMap } from '../api/types'
import { Legend } from '../components/Legend'
import { Toolbar } from '../components/Toolbar'
import type { MapActions } from '../map/ServiceMap'
import type { Band, State } from '../model/health'
import type { MapOptions } from '../model/visibility'
import { lazily } from './lazily'

const ToolbarOptions = lazily('options', () =>
  import('../components/ToolbarOptions').then((part) => part.ToolbarOptions),
)

interface Props {
  data: ServiceMap
  as: 'map' | 'list'
  state: Band | null
  options: MapOptions
  outdated: boolean
  actions: RefObject<MapActions | null>
  onState(state: Band | null): void
  onFilter: ((state: State) => void) | undefined
  onView(view: 'map' | 'list'): void
  onOptions(options: MapOptions): void
  /** Absent where the layout cannot be changed. */
  onArrange: (() => void) | undefined
  share: ReactNode
  onSavePng: (() => void) | undefined
  legend: ReactNode
  onKeys(): void
}

export function MapOverlays(props: Props) {
  const { data, as, actions } = props
  return (
    <>
      <Toolbar
        view={as}
        options={(close) => (
          <ToolbarOptions
            view={as}
            options={props.options}
            onOptions={props.onOptions}
            onResetPositions={() => {
              actions.current?.resetPositions()
              close()
            }}
          />
        )}
        outdated={props.outdated}
        onZoom={(factor) => actions.current?.zoom(factor)}
        onFit={() => actions.current?.fit()}
        onArrange={props.onArrange}
        onView={props.onView}
        onKeys={props.onKeys}
        share={props.share}
        onSavePng={props.onSavePng}
      />
      <Legend
        state={props.state}
        counts={data.state_counts}
        onState={props.onState}
        onFilter={props.onFilter}
        more={props.legend}
      />
    </>
  )
}
