// The map as a React component: a canvas, and over it a layer of real buttons that moves along with the camera.

import {
  lazy,
  Suspense,
  useEffect,
  useEffectEvent,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type Ref,
} from 'react'
import type { Graph } from '../api/types'
import type { PictureFormat } from '../model/share'
import { parseView, viewText } from '../model/url'
import type { MapHealth, MapOptions } from '../model/visibility'
import { nodeLabel } from './describe'
import { listen, type Target } from './input'
import { clearNodePositions, readNodePositions, saveNodePosition } from './nodePositions'
import type { SceneNode } from './scene'
import { usePalette } from '../styles/theme'
import type { Pointed } from './MapTooltip'
import { MapView, type Sight } from './view'

/** Without it, where the server does not answer any more, the panel still has the numbers. */
const MapTooltip = lazy(() =>
  import('./MapTooltip').then(
    (part) => ({ default: part.MapTooltip }),
    () => ({ default: () => null }),
  ),
)

/** What makes pictures of maps. */
export const pictures = () => import('./savePicture')

const MOST_BUTTONS = 250
const TOOLTIP_MS = 300
const VIEW_MS = 300

export interface MapActions {
  zoom(factor: number): void
  pan(dx: number, dy: number): void
  fit(): void
  arrange(): void
  resetPositions(): void
  centre(id: string): void
  save(format: PictureFormat): void
}

export interface ServiceMapProps {
  graph: Graph
  /** Which map this is: another name starts with fresh places. */
  name: string
  selection: string | null
  /** The map is the surroundings of a node: a selection dims none of them. */
  isFocus?: boolean
  /** Something that was requested takes of the map's height: a map that no one has moved is fitted into what is left. */
  isLowered?: boolean
  /** Nodes to show at full strength; null: no search or filter is on. */
  hits: ReadonlySet<string> | null
  options: MapOptions
  health: MapHealth
  view: string | null
  actions: Ref<MapActions>
  onSelect(id: string | null): void
  onFocus(id: string): void
  onView(text: string): void
  onDragging?(active: boolean): void
  onOutdated?(outdated: boolean): void
}

export function ServiceMap(props: ServiceMapProps) {
  const { graph, name, selection, hits, isFocus = false, options, health, view: viewWanted } = props
  const surface = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const layer = useRef<HTMLDivElement>(null)
  const map = useRef<MapView | null>(null)
  const latest = useRef(props)
  latest.current = props
  const touched = useRef(viewWanted !== null)
  const written = useRef<string | null>(viewWanted)
  /** What the address shows, until the viewer moves the map or selects: a panel may load later than the map. */
  const restored = useRef(parseView(viewWanted))
  const restoredSelection = useRef(selection)
  const viewAtSelection = useRef<string | null>(null)
  /** What was selected, until the viewer moves the map: its panel opens late, and makes the map smaller. */
  const inSight = useRef<string | null>(null)
  const viewTimer = useRef(0)
  const [buttons, setButtons] = useState<SceneNode[]>([])
  const [sight, setSight] = useState<Sight | null>(null)
  const [pointed, setPointed] = useState<Pointed | null>(null)
  const palette = usePalette()
  const firstPalette = useRef(palette)

  const noteView = () => {
    touched.current = true
    restored.current = null
    clearTimeout(viewTimer.current)
    viewTimer.current = window.setTimeout(() => {
      if (!map.current) return
      written.current = viewText(map.current.viewport)
      latest.current.onView(written.current)
    }, VIEW_MS)
  }

  const moved = () => {
    inSight.current = null
    noteView()
  }

  const makeRoom = (id: string) => {
    const view = map.current
    if (!view) return
    const node = view.scene.nodes.get(id)
    if (view.reveal(node ? view.scene.neighbours(node) : id.split(':'))) noteView()
  }

  // One view for the life of the component.
  useLayoutEffect(() => {
    const place = surface.current as HTMLDivElement
    const view = new MapView(canvas.current as HTMLCanvasElement, firstPalette.current, {
      onCamera: ({ k, tx, ty }) => {
        if (!layer.current) return
        layer.current.style.transform = `translate(${tx}px,${ty}px) scale(${k})`
        layer.current.style.setProperty('--k', String(k))
      },
      onIdle: (seen) => {
        setSight(seen)
        setButtons(seen.visible.slice(0, MOST_BUTTONS).sort((a, b) => a.x - b.x || a.y - b.y))
      },
    })
    map.current = view
    view.resize({ width: place.clientWidth, height: place.clientHeight })
    const watcher = new ResizeObserver(() => {
      const before = view.size.height
      view.resize({ width: place.clientWidth, height: place.clientHeight })
      if (restored.current) view.setViewport(restored.current)
      else if (inSight.current) makeRoom(inSight.current)
      else if (latest.current.isLowered && !touched.current && view.size.height < before) view.fit()
    })
    watcher.observe(place)

    let tooltip = 0
    const stop = listen(place, view, {
      point: ({ node, edge }: Target, x, y) => {
        view.setEmphasis({ hoverNode: node?.data.id ?? null, hoverEdge: edge?.data.id ?? null })
        place.style.cursor = node || edge ? 'pointer' : ''
        clearTimeout(tooltip)
        setPointed((now) => (now && now.id === (node ?? edge)?.data.id ? now : null))
        const thing = node ?? edge
        if (!thing || thing.data.id === latest.current.selection) return
        const ends = edge ? `${edge.source.data.name} → ${edge.target.data.name}` : ''
        tooltip = window.setTimeout(() => {
          setPointed({
            id: thing.data.id,
            x,
            y,
            ...(node ? { node: node.data } : { edge: edge!.data, ends }),
          })
        }, TOOLTIP_MS)
      },
      choose: ({ node, edge }) => {
        clearTimeout(tooltip)
        setPointed(null)
        latest.current.onSelect(node?.data.id ?? edge?.data.id ?? null)
      },
      focus: (node) => latest.current.onFocus(node.data.id),
      dragging: (active) => {
        clearTimeout(tooltip)
        setPointed(null)
        place.classList.toggle('is-dragging', active)
        latest.current.onDragging?.(active)
      },
      dropped: (node) => saveNodePosition(latest.current.name, node.data.id, [node.x, node.y]),
      moved,
    })
    if (new URLSearchParams(location.search).get('test') === '1') window.__map = view
    return () => {
      stop()
      clearTimeout(tooltip)
      clearTimeout(viewTimer.current)
      watcher.disconnect()
      view.dispose()
      map.current = null
    }
  }, [])

  useEffect(() => map.current?.setPalette(palette), [palette])

  useLayoutEffect(() => {
    const view = map.current as MapView
    const first = view.scene.nodes.size === 0
    view.setGraph(graph, readNodePositions(name), options, health)
    // Only the first frame is fitted: later nothing moves by itself, newcomers outside are announced.
    const wanted = parseView(latest.current.view)
    if (first && wanted) view.setViewport(wanted)
    else if (first) view.fit()
    latest.current.onOutdated?.(view.outdated)
  }, [graph, name, options, health])

  useLayoutEffect(() => {
    if (selection !== restoredSelection.current) restored.current = null
  }, [selection])

  // Back and forward restore the viewport they left.
  useEffect(() => {
    if (viewWanted === written.current) return
    written.current = viewWanted
    const wanted = parseView(viewWanted)
    restored.current = wanted
    restoredSelection.current = latest.current.selection
    if (wanted) map.current?.setViewport(wanted)
    else if (touched.current) map.current?.fit()
  }, [viewWanted])

  // A selection lights its neighbours, but in a focus, all of which was requested; the panel opens first, then
  // the map makes room.
  useEffect(() => {
    const view = map.current as MapView
    const node = selection ? view.scene.nodes.get(selection) : undefined
    const edge = node ? undefined : view.scene.edges.find((one) => one.data.id === selection)
    const ends = edge ? new Set([edge.data.source, edge.data.target]) : null
    const around = node ? view.scene.neighbours(node) : ends
    const lit = isFocus ? hits : (around ?? hits)
    view.setEmphasis({ selectedNode: node ? selection : null, selectedEdge: edge ? selection : null, lit })
  }, [selection, hits, graph, isFocus])

  const arrivedWithView = useEffectEvent(() => viewAtSelection.current !== viewWanted && viewWanted !== null)
  useEffect(() => {
    if (!selection || arrivedWithView()) return
    const waiting = requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        makeRoom(selection)
        inSight.current = selection
      }),
    )
    return () => {
      cancelAnimationFrame(waiting)
      inSight.current = null
    }
  }, [selection])
  useEffect(() => {
    viewAtSelection.current = viewWanted
  }, [viewWanted, selection])

  useImperativeHandle(props.actions, () => ({
    zoom: (factor) => (map.current?.zoom(factor), moved()),
    pan: (dx, dy) => (map.current?.pan(dx, dy), moved()),
    fit: () => (map.current?.fit(), moved()),
    arrange: () => {
      map.current?.arrange()
      latest.current.onOutdated?.(false)
      moved()
    },
    resetPositions: () => {
      clearNodePositions(latest.current.name)
      for (const node of map.current?.scene.nodes.values() ?? []) node.dragged = false
      map.current?.arrange()
      moved()
    },
    centre: (id) => (map.current?.centre(id), moved()),
    save: (format) => void pictures().then((part) => map.current && part.savePicture(map.current, format)),
  }))

  return (
    <div className="map" ref={surface}>
      <canvas ref={canvas} aria-hidden="true" />
      <div className="map-layer" ref={layer} role="group" aria-label="Services">
        {buttons.map((node) => (
          <button
            key={node.data.id}
            type="button"
            className="map-hit"
            style={{ left: node.x, top: node.y }}
            aria-label={nodeLabel(node.data)}
            aria-pressed={node.data.id === selection}
            data-node={node.data.id}
            onClick={(event) => event.detail === 0 && props.onSelect(node.data.id)}
            onFocus={(event) => {
              if (event.target.matches(':focus-visible'))
                map.current?.setEmphasis({ hoverNode: node.data.id })
            }}
            onBlur={() => map.current?.setEmphasis({ hoverNode: null })}
          />
        ))}
      </div>
      {sight && sight.visible.length > MOST_BUTTONS && (
        <p className="visually-hidden" role="status">
          More than {MOST_BUTTONS} services are in sight: zoom in, or use the list view.
        </p>
      )}
      {sight && sight.outside > 0 && (
        <button
          type="button"
          className="outside-chip"
          title="Fit to window (0)"
          onPointerDown={(event) => event.stopPropagation()}
          onClick={() => {
            map.current?.fit()
            moved()
          }}
        >
          {outsideWords(sight)}
        </button>
      )}
      <Suspense>{pointed && <MapTooltip pointed={pointed} />}</Suspense>
    </div>
  )
}

function outsideWords({ outside, outsideUnhealthy }: Sight): string {
  const services = outside === 1 ? '1 service is' : `${outside} services are`
  const unhealthy = outsideUnhealthy > 0 ? `, ${outsideUnhealthy} unhealthy` : ''
  return `${services} outside the view${unhealthy}`
}

declare global {
  interface Window {
    /** Only with ?test=1: lets tests compare places and viewport. */
    __map?: MapView
  }
}
