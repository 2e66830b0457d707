// One side of a comparison: its map, what it counts, and the way to it.

import { useRef } from 'react'
import type { Graph, ServiceMap as ServiceMapData } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { MapSkeleton } from '../components/MapStates'
import { isFilterError } from '../filter/FilterBar'
import { ServiceMap, type MapActions } from '../map/ServiceMap'
import type { Side } from '../model/comparison'
import { count } from '../model/format'
import { Link } from './router'
import { useHealth } from './useHealth'
import type { LiveQuery } from './useLiveQuery'
import { useMapOptions } from './useMapOptions'

interface Props {
  side: Side
  title: string
  answer: LiveQuery<ServiceMapData>
  /** What is drawn of the answer. */
  graph: Graph | null
  mapHref: string
  tracesHref: string
  selection: string | null
  view: string | null
  onSelect(id: string | null): void
  onView(text: string): void
  onDragging(active: boolean): void
}

export function ComparedMap(props: Props) {
  const { side, title, answer, graph, selection } = props
  const { data, error } = answer
  const [options] = useMapOptions()
  const health = useHealth(graph, options.thresholds)
  const actions = useRef<MapActions>(null)
  return (
    <section
      className={`compared-map is-${side}`}
      aria-label={`${side === 'left' ? 'Left' : 'Right'}: ${title}`}
    >
      <div className="compared-head">
        <h2>
          <Link href={props.mapHref} title="Open this map">
            {title}
          </Link>
        </h2>
        {data?.filtered && (
          <p className="mute">
            Counted from{' '}
            <Link href={props.tracesHref}>
              {data.filtered.complete ? '' : 'the newest '}
              {count(data.filtered.traces)} {data.filtered.traces === 1 ? 'trace' : 'traces'}
            </Link>
            {data.filtered.complete ? '' : '; there are more'}
            {data.left_out > 0 && `; ${count(data.nodes.length)} of ${count(data.total_nodes)} services`}.
          </p>
        )}
      </div>
      <div className="map-frame">
        {error && !isFilterError(error) && (
          <FailureBanner
            error={error}
            what={data ? 'Could not refresh' : 'Could not load this map'}
            onRetry={answer.reload}
          />
        )}
        {!data && !error && <MapSkeleton slow={answer.slow} />}
        {data?.nodes.length === 0 && <p className="compared-empty mute">No traces in this range.</p>}
        {graph && graph.nodes.length > 0 && (
          <ServiceMap
            graph={graph}
            name={`compared ${side}`}
            selection={selection}
            hits={null}
            options={options}
            health={health}
            view={props.view}
            actions={actions}
            onSelect={props.onSelect}
            onFocus={props.onSelect}
            onView={props.onView}
            onDragging={props.onDragging}
          />
        )}
      </div>
    </section>
  )
}
