// A map of more services than can be read: boxes, one for each group, and the services of one where it is opened.

import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState, type RefObject } from 'react'
import { addresses } from '../api/client'
import type { Graph, MapEdge, ServiceMap as ServiceMapData } from '../api/types'
import type { MapActions } from '../map/ServiceMap'
import { useCamera } from '../map/useCamera'
import { edgeWidth, type Route } from '../map/geometry'
import {
  around,
  BOX_CHOICES,
  edgeWords,
  frameRect,
  isBox,
  linePath,
  lineRoute,
  rectOf,
  type BoxNode,
} from '../model/boxes'
import type { MapHealth, MapOptions } from '../model/visibility'
import { setParams, useAddress } from '../pages/router'
import { useLiveQuery } from '../pages/useLiveQuery'
import { BoxBar } from './BoxBar'
import { BoxCard } from './BoxCard'
import { BoxFrame } from './BoxFrame'
import { LineMarks } from './LineMarks'
import '../styles/boxes.css'

interface Props {
  data: ServiceMapData
  filter: string
  selection: string | null
  hits: ReadonlySet<string> | null
  options: MapOptions
  health: MapHealth
  actions: RefObject<MapActions | null>
  onSelect(id: string | null): void
  onFocus(id: string): void
  onDragging(active: boolean): void
  /** What is drawn over the services of a box, and what boxes say of them. */
  overlay: ((graph: Graph, part: boolean) => Graph) | undefined
  /** The services that are drawn in the box that is open. */
  onMembers(members: ServiceMapData | null): void
}

export function Boxes(props: Props) {
  const { params } = useAddress()
  const { data } = props
  const path = data.boxes?.trail.map(({ id }) => id) ?? []
  const enter = (ids: readonly string[]) =>
    setParams({ inside: ids.join(','), open: null, view: null, sel: null, q: null })
  return (
    <>
      {data.boxes?.by && (
        <BoxMap {...props} key={path.join()} params={params} onEnter={(id) => enter([...path, id])} />
      )}
      <BoxBar
        data={data}
        chosen={BOX_CHOICES.find((one) => one === params.get('boxes')) ?? 'auto'}
        onLevel={enter}
        onChoose={(by) =>
          setParams({ boxes: by === 'auto' ? null : by, inside: null, open: null, view: null })
        }
      />
    </>
  )
}

interface MapProps extends Props {
  params: URLSearchParams
  onEnter(id: string): void
}

function BoxMap({ params, onEnter, ...props }: MapProps) {
  const { data, filter, selection, options, health, actions, onSelect } = props
  const surface = useRef<HTMLDivElement>(null)
  const [pointed, setPointed] = useState<string | null>(null)
  const [byKeyboard, setByKeyboard] = useState(false)
  const { overlay } = props
  const { boxes, edges } = useMemo(() => {
    const graph: Graph = overlay?.(data, false) ?? data
    return { boxes: graph.nodes.filter(isBox), edges: graph.edges }
  }, [data, overlay])
  const lines = useMemo(() => linesOf(boxes, edges), [boxes, edges])
  const contents = useMemo(() => around(boxes), [boxes])
  const { camera, size, moves } = useCamera({
    surface,
    contents,
    view: params.get('view'),
    isElsewhere: (target) => target.closest('.box-frame') !== null,
    onView: (text) => setParams({ view: text }, { replace: true }),
    onDragging: props.onDragging,
  })

  const opened = params.get('open')
  const { id: openId, answer, error } = useOpened({ data, filter, selection, opened, fold: options.fold })
  const open = boxes.find(({ id }) => id === openId)
  const { onMembers } = props
  useEffect(() => onMembers(answer), [answer, onMembers])
  useEffect(() => () => onMembers(null), [onMembers])
  const close = () => {
    setParams({ open: null, sel: null })
    surface.current?.querySelector<HTMLElement>(`[data-box="${openId}"]`)?.focus({ preventScroll: true })
  }

  // Before the page's own meaning of the key.
  const escape = useRef((): boolean => false)
  escape.current = () => {
    if (!open || selection) return false
    close()
    return true
  }
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && escape.current()) event.preventDefault()
    }
    window.addEventListener('keydown', press, { capture: true })
    return () => window.removeEventListener('keydown', press, { capture: true })
  }, [])

  useImperativeHandle(actions, () => ({
    ...moves,
    arrange: moves.fit,
    resetPositions: moves.fit,
    centre: (id) => {
      const node = boxes.find((one) => one.id === id)
      if (!node) return
      const { left, top, width, height } = rectOf(node)
      moves.show(left + width / 2, top + height / 2)
    },
    save: () => undefined,
  }))

  const show = useCallback((id: string | null) => setPointed(id), [])
  const latest = useRef({ openId })
  latest.current = { openId }
  const toggle = useCallback((id: string) => {
    setByKeyboard(document.activeElement?.matches(':focus-visible') ?? false)
    setParams({ open: latest.current.openId === id ? null : id, sel: null })
  }, [])
  const member = useCallback((sel: string, id: string) => setParams({ open: id, sel }), [])

  const lit = useMemo(() => litBoxes(boxes, edges, pointed, props.hits), [boxes, edges, pointed, props.hits])
  const cards = useMemo(
    () =>
      boxes
        .toSorted((a, b) => a.x - b.x || a.y - b.y)
        .map((node) => (
          <BoxCard
            key={node.id}
            node={node}
            isOpen={node.id === openId}
            isDim={lit !== null && !lit.has(node.id)}
            isUnhealthy={health.unhealthy.has(node.id)}
            onOpen={toggle}
            onMember={member}
            onPoint={show}
          />
        )),
    [boxes, openId, lit, health, toggle, member, show],
  )
  const drawn = useMemo(
    () => <Lines lines={lines} health={health} pointed={pointed} />,
    [lines, health, pointed],
  )
  const marks = useMemo(() => <LineMarks lines={lines} boxes={boxes} onPoint={show} />, [lines, boxes, show])
  const k = camera?.k ?? 1
  return (
    <div className="boxes map" ref={surface}>
      {camera && (
        <div
          className="boxes-layer"
          role="group"
          aria-label="Groups of services"
          style={{ transform: `translate(${camera.tx}px,${camera.ty}px)`, ['--k' as string]: k }}
        >
          {drawn}
          {cards}
          {marks}
        </div>
      )}
      {camera && open && (
        <BoxFrame
          id={open.id}
          name={open.name}
          rect={frameRect(rectOf(open), camera, size)}
          data={answer}
          error={error}
          options={options}
          overlay={overlay}
          selection={selection}
          takesFocus={byKeyboard}
          onSelect={onSelect}
          onFocus={props.onFocus}
          onEnter={() => onEnter(open.id)}
          onClose={close}
        />
      )}
    </div>
  )
}

interface Opening {
  data: ServiceMapData
  filter: string
  selection: string | null
  opened: string | null
  fold: boolean
}

/** The box that is open: as the address says, or the one with the node that is selected. */
function useOpened({ data, filter, selection, opened, fold }: Opening) {
  const { params } = useAddress()
  const window = { from: data.from, to: data.to }
  const chosen = {
    boxes: params.get('boxes') ?? 'auto',
    inside: (data.boxes?.trail ?? []).map(({ id }) => id).join(','),
  }
  const inBox = useLiveQuery<ServiceMapData>(
    opened ? addresses.box(window, filter, fold, { ...chosen, box: opened }) : null,
    { key: `box ${chosen.boxes} ${opened}`, variant: filter },
  )
  const node = selection && !selection.includes(':') ? selection : null
  const has = inBox.data?.nodes.some(({ id }) => id === node) ?? false
  const isLost = node !== null && (opened === null || (inBox.data !== null && !has))
  const search = useLiveQuery<ServiceMapData>(
    isLost ? addresses.box(window, filter, fold, { ...chosen, node }) : null,
    { key: `box of ${chosen.boxes} ${node}`, variant: filter },
  )
  const found = isLost ? search : inBox
  const id = isLost ? (search.data?.boxes?.trail.at(-1)?.id ?? null) : opened
  useEffect(() => {
    if (isLost && id && id !== opened) setParams({ open: id }, { replace: true })
  }, [isLost, id, opened])
  return { id: id ?? opened, answer: found.data, error: found.error?.message ?? null }
}

/** Whether an edge is pointed at, or one of its ends. */
function touches({ id, source, target }: MapEdge, pointed: string | null): boolean {
  return id === pointed || source === pointed || target === pointed
}

/** A box that is pointed at, with what it calls and is called by, or the ends of a line; else what is searched for. */
function litBoxes(
  boxes: readonly BoxNode[],
  edges: readonly MapEdge[],
  pointed: string | null,
  hits: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  if (pointed) {
    const near = edges.filter((edge) => touches(edge, pointed))
    return near.length > 0 ? new Set(near.flatMap(({ source, target }) => [source, target])) : null
  }
  return hits && boxes.some(({ id }) => hits.has(id)) ? hits : null
}

interface Line {
  edge: MapEdge
  route: Route
  source: BoxNode
  target: BoxNode
}

function linesOf(boxes: readonly BoxNode[], edges: readonly MapEdge[]): Line[] {
  const of = new Map(boxes.map((node) => [node.id, node]))
  return edges.flatMap((edge) => {
    const [source, target] = [of.get(edge.source), of.get(edge.target)]
    return source && target ? [{ edge, route: lineRoute(edge, source, target), source, target }] : []
  })
}

interface LinesProps {
  lines: readonly Line[]
  health: MapHealth
  pointed: string | null
}

function Lines({ lines, health, pointed }: LinesProps) {
  return (
    <svg className={pointed ? 'boxes-lines is-pointed' : 'boxes-lines'} aria-hidden="true">
      <defs>
        <marker
          id="box-arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="4"
          markerHeight="4"
          orient="auto"
        >
          <path d="M0 0L8 4L0 8Z" fill="context-stroke" />
        </marker>
      </defs>
      <g>
        {lines.map(({ edge, route, source, target }) => {
          const isHot = touches(edge, pointed)
          const className = [
            isHot && 'is-hot',
            health.failing.has(edge.id) && 'is-failing',
            edge.back && 'is-back',
          ]
            .filter(Boolean)
            .join(' ')
          return (
            <path
              key={edge.id}
              className={className}
              d={linePath(route)}
              strokeWidth={edgeWidth(edge.requests_per_min)}
              markerEnd="url(#box-arrow)"
            >
              <title>{edgeWords(edge, source.name, target.name)}</title>
            </path>
          )
        })}
      </g>
    </svg>
  )
}
