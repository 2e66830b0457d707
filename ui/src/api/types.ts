// The console's names for the API's answers (docs/console-api.md), over the types generated from OpenAPI.
// Instants are epoch seconds, durations milliseconds.

import type { Brush } from '../styles/brush'
import type { components } from './types.gen'

type Schemas = components['schemas']

/** What templates say of a node or an edge that the map shows (`model/declared`). */
interface Declarable {
  declared?: 'never_seen' | 'undeclared'
}

/** Two versions of a node that both have traffic, in words; its paint draws the newer one's ring (`model/rollouts`). */
export interface Rollout {
  words: string
  paint(brush: Brush, x: number, y: number): void
}

/** What differs at a node from an earlier period, in words; its paint draws a mark (`model/periods`). */
export interface Delta {
  words: string
  /** Or follows from what begins elsewhere. */
  begins: boolean
  paint(brush: Brush, x: number, y: number): void
}

/** An edge that is missing at a node, in words; its paint draws a stub (`model/openEnds`). */
export interface OpenEnd {
  words: string
  paint(brush: Brush, x: number, y: number): void
}

/** That its figures are not exact, in words; its paint draws a mark (`model/trust`). */
export interface TrustMark {
  trust: Doubt['trust']
  words: string
  paint(brush: Brush, x: number, y: number): void
}

/**
 * `whole`: of a part of a node, what that is called (`model/grouping`). `inner`: the function that is drawn with its
 * service, `ring`: the states of both (`model/fold`). `earlier`: of a box, the states of an earlier period.
 */
export type MapNode = Schemas['MapNode'] &
  Declarable & {
    rollout?: Rollout
    delta?: Delta
    openEnd?: OpenEnd
    trust?: TrustMark
    whole?: string
    inner?: MapNode
    earlier?: States
    ring?: Record<'fault' | 'throttle' | 'error' | 'ok' | 'unknown', number> | null
  }
/** Without a rate in the map of a single trace. */
export type MapEdge = Omit<Schemas['MapEdge'], 'requests_per_min'> & {
  requests_per_min: number | null
} & Declarable & { trust?: TrustMark; delta?: Delta }
export type Status = Schemas['TraceRow']['status']
export type NodeKind = MapNode['kind']
export type Point = [x: number, y: number]

export type Counts = Pick<
  MapNode,
  'requests' | 'ok' | 'error' | 'throttle' | 'fault' | 'in_progress' | 'observed'
>
export type States = Pick<Counts, 'requests' | 'ok' | 'error' | 'throttle' | 'fault'>

export interface Graph {
  nodes: MapNode[]
  edges: MapEdge[]
}

export type History = Schemas['History']
export type ServiceMap = Schemas['ServiceMap']
export type Figure = Schemas['Figure']
export type TraceFigure = Schemas['TraceFigure']
export type Before = Schemas['Before']
export type ErrorShare = Schemas['ErrorShare']
export type Completions = Schemas['CompletionList']
export type Neighbour = Schemas['Neighbour']
export type NodeDetail = Schemas['NodeDetail']
export type EdgeDetail = Schemas['EdgeDetail']
export type PlaceList = Schemas['PlaceList']
export type NodeErrors = Schemas['NodeErrors']
export type ErrorCount = Schemas['ErrorCount']
export type VersionList = Schemas['VersionList']
export type VersionsByNode = Schemas['VersionsByNode']
export type Impact = Schemas['ImpactReply']
export type PeriodComparison = Schemas['Comparison']
export type SignificantChange = Schemas['SignificantChange']
export type ComparedFigures = Schemas['ComparedFigures']
export type Structure = Schemas['StructureReply']
export type MissingEdges = Schemas['MissingReply']
export type TrustReply = Schemas['TrustReply']
export type PlaceTrust = Schemas['PlaceTrust']
export type Doubt = Schemas['DoubtNumbers']
export type StateList = Schemas['StateList']
export type GenAIUsage = Schemas['GenAIUsage']
export type Version = Schemas['VersionLine']
export type OperationNumbers = Schemas['OperationNumbers']
export type OperationLine = Schemas['OperationLine']
export type StatsReply = Schemas['StatsReply']
export type StatsGroup = Schemas['StatsGroup']
export type StatsDimensions = Schemas['StatsDimensions']
export type DeploymentList = Schemas['DeploymentList']
export type Deployment = Schemas['DeploymentMark']
export type TraceSummary = Schemas['TraceLine']
export type TracePageReply = Schemas['TraceList']
export type TraceDifferences = Schemas['TraceDifferences']
export type TypicalTrace = Schemas['TypicalTrace']
export type TraceRow = Schemas['TraceRow']
export type PathPiece = Schemas['PathPiece']
export type ServiceTime = Schemas['ServiceTime']
export type TraceLogs = Schemas['TraceLogs']
export type NodeCharts = Schemas['NodeCharts']
export type MetricChart = Schemas['MetricChart']
export type LogLine = Schemas['TraceLogEntry']
export type Pin = Schemas['PinMark']
export type Problem = Schemas['ProblemLine']
export type ProblemList = Schemas['ProblemList']

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export type Trace = Omit<Schemas['TraceDetail'], 'documents'> & {
  documents: Record<string, JsonObject>
}

export interface RawDocuments {
  raw: { Id: string; Document: Json }[]
  left_out: number
}

export type ServerStatus = Schemas['ServerStatus']

/** A service found by name, on the map or not. */
export type ServiceMatch = Schemas['ServiceHit']
export type ServiceMatches = Schemas['ServiceList']
