// Builders for tests: valid things, of which a test overrides what it is about.

import type { MapEdge, MapNode, TraceRow } from '../api/types'

export function node(id: string, over: Partial<MapNode> = {}): MapNode {
  return {
    id,
    name: id,
    names: [id],
    type: 'AWS::Lambda::Function',
    kind: 'function',
    account: '',
    region: '',
    value: null,
    location: '',
    state: 'active',
    root: false,
    requests: 10,
    ok: 10,
    error: 0,
    throttle: 0,
    fault: 0,
    unknown: 0,
    in_progress: 0,
    observed: 10,
    avg_ms: 20,
    p50_ms: 18,
    p95_ms: 40,
    p99_ms: 60,
    traces_per_min: 2,
    work: 'requests',
    background: null,
    x: 0,
    y: 0,
    rank: 0,
    drawn_with: null,
    box: null,
    ...over,
  }
}

export function edge(source: string, target: string, over: Partial<MapEdge> = {}): MapEdge {
  return {
    id: `${source}:${target}`,
    source,
    target,
    requests: 10,
    ok: 10,
    error: 0,
    throttle: 0,
    fault: 0,
    in_progress: 0,
    observed: 10,
    avg_ms: 20,
    p50_ms: 18,
    p95_ms: 40,
    p99_ms: 60,
    requests_per_min: 2,
    kind: 'call',
    back: false,
    bends: [],
    ...over,
  }
}

export function row(id: string, over: Partial<TraceRow> = {}): TraceRow {
  return {
    id,
    parent: null,
    depth: 0,
    kind: 'segment',
    name: id,
    type: '',
    namespace: '',
    service: id,
    start_ms: 0,
    duration_ms: 100,
    status: 'ok',
    code: null,
    exception: '',
    ...over,
  }
}
