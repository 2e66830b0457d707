// The services of a group where its box is, over what lies around it: nothing else moves.

import { useEffect, useMemo, useRef } from 'react'
import type { Graph, ServiceMap as ServiceMapData } from '../api/types'
import { Icon } from '../components/Icon'
import { fitted, viewportOf } from '../map/camera'
import { bounds } from '../map/geometry'
import { ServiceMap } from '../map/ServiceMap'
import type { Rect } from '../model/boxes'
import { folded } from '../model/fold'
import { count } from '../model/format'
import { viewText } from '../model/url'
import type { MapOptions } from '../model/visibility'
import { useHealth } from '../pages/useHealth'

const HEAD = 36
const MARGINS = { x: 110, top: 22, bottom: 22 }

interface Props {
  id: string
  name: string
  rect: Rect
  /** Null until it is here. */
  data: ServiceMapData | null
  error: string | null
  options: MapOptions
  overlay: ((graph: Graph, part: boolean) => Graph) | undefined
  selection: string | null
  /** By keyboard: the focus goes along. */
  takesFocus: boolean
  onSelect(id: string | null): void
  onFocus(id: string): void
  onEnter(): void
  onClose(): void
}

export function BoxFrame(props: Props) {
  const { id, name, rect, data, error, options, overlay, selection, takesFocus } = props
  const close = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (takesFocus) close.current?.focus()
  }, [takesFocus])
  const drawn = useMemo(() => data && folded(overlay?.(data, true) ?? data), [data, overlay])
  const health = useHealth(data, options.thresholds)
  const { width, height } = rect
  // Fitted when it opens and when it becomes larger; what a refresh adds moves nothing.
  const isHere = drawn !== null
  const view = useMemo(() => {
    const box = drawn && bounds(drawn.graph.nodes)
    if (!box) return null
    const size = { width, height: height - HEAD }
    return viewText(viewportOf(fitted(box, size, MARGINS), size))
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- not of every refresh
  }, [isHere, id, width, height])
  const left = data ? data.left_out : 0
  return (
    <section className="box-frame" style={rect} aria-label={`Services of ${name}`}>
      <header>
        <strong>{name}</strong>
        <span className="mute">
          {data &&
            (left > 0
              ? `${count(data.nodes.length)} of ${count(data.total_nodes)} nodes, the unhealthy and the busiest`
              : `${count(data.total_nodes)} nodes`)}
        </span>
        <button type="button" className="button" title="Show this group alone" onClick={props.onEnter}>
          Go into
        </button>
        <button
          ref={close}
          type="button"
          className="icon-button"
          aria-label={`Close ${name}`}
          title="Close (Esc)"
          onClick={props.onClose}
        >
          <Icon name="close" size={14} />
        </button>
      </header>
      <div className="box-inside">
        {drawn && (
          <ServiceMap
            key={id}
            name={`box ${id}`}
            graph={drawn.graph}
            selection={selection && drawn.drawnId(selection)}
            hits={null}
            options={options}
            health={drawn.health(health)}
            view={view}
            actions={null}
            onSelect={props.onSelect}
            onFocus={props.onFocus}
            onView={ignore}
          />
        )}
        {!drawn && (
          <p className="mute" role="status">
            {error ?? 'Loading…'}
          </p>
        )}
      </div>
    </section>
  )
}

const ignore = () => undefined
