// The same map as everywhere, of one trace only.

import { useMemo, useRef, useState } from 'react'
import type { Graph, Trace, TraceRow } from '../api/types'
import { Icon } from '../components/Icon'
import { mapKeys } from '../map/keys'
import { ServiceMap, type MapActions } from '../map/ServiceMap'
import { DEFAULT_OPTIONS, type MapOptions } from '../model/visibility'
import { mainRow, nodeOf, rowsOf } from '../model/traceNodes'
import { useHealth } from './useHealth'
import { useKeys } from './useKeys'

/** One request: a single failure counts. */
const OPTIONS: MapOptions = { ...DEFAULT_OPTIONS, thresholds: { share: 0.01, count: 1 } }

/** One trace has no rate. */
function withoutRates({ nodes, edges }: Graph): Graph {
  return {
    nodes: nodes.map((node) => ({ ...node, traces_per_min: null })),
    edges: edges.map((edge) => ({ ...edge, requests_per_min: null })),
  }
}

interface Props {
  trace: Trace
  /** The row that is open: its node is selected. */
  row: TraceRow | null
  onRow(id: string | null): void
}

export function TraceMap({ trace, row, onRow }: Props) {
  const selection = row ? (nodeOf(row, trace)?.id ?? null) : null
  const select = (id: string | null) => {
    const node = trace.map.nodes.find((one) => one.id === id) ?? null
    onRow(mainRow(rowsOf(node, trace.rows))?.id ?? null)
  }
  const [view, setView] = useState<string | null>(null)
  const actions = useRef<MapActions>(null)
  const graph = useMemo(() => withoutRates(trace.map), [trace])
  const health = useHealth(graph, OPTIONS.thresholds)
  useKeys(mapKeys(actions))
  return (
    <div className="map-frame">
      <ServiceMap
        graph={graph}
        name=""
        selection={selection}
        hits={null}
        options={OPTIONS}
        health={health}
        view={view}
        actions={actions}
        onSelect={select}
        onFocus={select}
        onView={setView}
      />
      <div className="toolbar" role="toolbar" aria-label="Map tools">
        <button
          type="button"
          className="tool"
          aria-label="Zoom in"
          title="Zoom in (+)"
          onClick={() => actions.current?.zoom(1.3)}
        >
          <Icon name="plus" />
        </button>
        <button
          type="button"
          className="tool"
          aria-label="Zoom out"
          title="Zoom out (−)"
          onClick={() => actions.current?.zoom(1 / 1.3)}
        >
          <Icon name="minus" />
        </button>
        <button
          type="button"
          className="tool"
          aria-label="Fit to window"
          title="Fit to window (0)"
          onClick={() => actions.current?.fit()}
        >
          <Icon name="fit" />
        </button>
      </div>
    </div>
  )
}
