// The console's API as documented in docs/console-api.md.
// Instants are epoch seconds, lengths milliseconds.

export type Status = 'ok' | 'error' | 'throttle' | 'fault' | 'in_progress'

export type NodeKind =
  | 'client'
  | 'gateway'
  | 'service'
  | 'function'
  | 'workflow'
  | 'database'
  | 'table'
  | 'queue'
  | 'topic'
  | 'stream'
  | 'bucket'
  | 'remote'

export type Point = [x: number, y: number]

export interface Counts {
  requests: number | null
  ok: number | null
  error: number | null
  throttle: number | null
  fault: number | null
  in_progress: number | null
  /** Units that the counts rest on; fewer than those where they were sampled. */
  observed: number | null
}

export interface Times {
  avg_ms: number | null
  p50_ms: number | null
  p95_ms: number | null
  p99_ms: number | null
}

export interface MapNode extends Counts, Times {
  id: string
  name: string
  names: string[]
  type: string
  kind: NodeKind
  account: string
  state: 'active' | 'unknown'
  root: boolean
  traces_per_min: number | null
  x: number
  y: number
  rank: number
}

export interface MapEdge extends Counts, Times {
  id: string
  source: string
  target: string
  /** Null in the map of a single trace, where a rate says nothing. */
  requests_per_min: number | null
  kind: 'call' | 'link'
  back: boolean
  bends: Point[]
}

export interface Graph {
  nodes: MapNode[]
  edges: MapEdge[]
}

export interface ServiceMap extends Graph {
  from: number
  to: number
  generated_at: number
  ever: boolean
  total_nodes: number
  left_out: number
}

export interface Figure {
  data: Record<string, unknown>[]
  layout: Record<string, unknown>
}

export type Before = Omit<Counts, 'in_progress' | 'observed'> & Times

export interface ErrorShare {
  label: string
  status: Status
  count: number
}

export interface Neighbour {
  id: string
  name: string
  type: string
  requests: number | null
}

interface Detail {
  before: Before | null
  histogram: Figure
  over_time: Figure
  errors: ErrorShare[]
}

export interface NodeDetail extends Detail {
  node: MapNode
  callers: Neighbour[]
  callees: Neighbour[]
}

export interface EdgeDetail extends Detail {
  edge: MapEdge
}

export type AnnotationValue = string | number | boolean

interface TraceHead {
  id: string
  start: number
  duration_ms: number
  response_ms: number | null
  status: Status
  partial: boolean
  entry: { name: string; type: string } | null
  method: string | null
  url: string | null
  code: number | null
  user: string | null
}

export interface TraceSummary extends TraceHead {
  services: string[]
  segments: number
  annotations: Record<string, AnnotationValue[]>
}

export interface TracePageReply {
  traces: TraceSummary[]
  next: string | null
}

export interface TraceFigure extends Figure {
  shown: number
}

export interface TraceRow {
  id: string
  parent: string | null
  depth: number
  kind: 'segment' | 'subsegment' | 'inferred'
  name: string
  type: string
  namespace: string
  service: string
  start_ms: number
  duration_ms: number | null
  status: Status
  code: number | null
  exception: string
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Since when a trace is kept for ever, in epoch seconds, and why. */
export interface Pin {
  note: string
  at: number
}

export interface Trace extends TraceHead {
  w3c_id: string
  pin: Pin | null
  rows: TraceRow[]
  map: Graph
  documents: Record<string, JsonObject>
  raw: { Id: string; Document: Json }[]
}

export interface ServerStatus {
  version: string
  ready: boolean
  detail: string
  ever: boolean
  ingest: {
    received: number
    stored: number
    rejected: number
    dropped: number
    kernel_drops: number | null
    rejected_by_reason: Record<string, number>
    queued: number
    spooled_bytes: number
    oldest_s: number
  }
}
