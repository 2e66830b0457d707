"""The shapes of the console's API (docs/console-api.md), for the type checker and for OpenAPI.

Instants are epoch seconds, lengths milliseconds.
"""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

Status = Literal["ok", "error", "throttle", "fault", "in_progress"]
Kind = Literal[
    "client",
    "gateway",
    "service",
    "function",
    "workflow",
    "database",
    "table",
    "queue",
    "topic",
    "stream",
    "bucket",
    "remote",
]


class Times(TypedDict):
    """Mean and percentiles; null without a finished request."""

    avg_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Counts(TypedDict):
    """Units by how they ended; null on client nodes."""

    requests: int | None
    ok: int | None
    error: int | None
    throttle: int | None
    fault: int | None


class MapNode(Counts, Times):
    """A node of the map. ``observed``: the units that the counts rest on; fewer where they were
    sampled, and then the counts are an estimate."""

    id: str
    name: str
    names: list[str]
    type: str
    kind: Kind
    account: str
    state: Literal["active", "unknown"]
    root: bool
    in_progress: int | None
    observed: int | None
    traces_per_min: float | None
    x: float
    y: float
    rank: int


class MapEdge(Counts, Times):
    """An edge of the map, in its caller's view; ``observed`` as of a node."""

    id: str
    source: str
    target: str
    in_progress: int | None
    observed: int
    requests_per_min: float
    kind: Literal["call", "link"]
    back: bool
    bends: list[tuple[float, float]]


class Picture(TypedDict):
    """A graph with places."""

    nodes: list[MapNode]
    edges: list[MapEdge]


ServiceMap = TypedDict(
    "ServiceMap",
    {
        "from": float,
        "to": float,
        "generated_at": float,
        "ever": bool,
        "total_nodes": int,
        "left_out": int,
        "nodes": list[MapNode],
        "edges": list[MapEdge],
    },
)
"""The map of a window."""


class Figure(TypedDict):
    """A plotly figure without a template: the console gives it its colours."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class TraceFigure(Figure):
    """A figure of traces: how many it shows, and how many match; at least that many when the count
    was ended early."""

    shown: int
    total: int
    counted_all: bool


class Before(Counts, Times):
    """The same figures of the period of equal length before."""


class ErrorShare(TypedDict):
    """One row of an error breakdown."""

    label: str
    status: Status
    count: int


class Neighbour(TypedDict):
    """A node at the other end of an edge, with the requests along it."""

    id: str
    name: str
    type: str
    requests: int | None


class Detail(TypedDict):
    """What nodes and edges have in common when looked at closely."""

    before: Before | None
    histogram: Figure
    over_time: Figure
    errors: list[ErrorShare]


class NodeDetail(Detail):
    """One node, closely."""

    node: MapNode
    callers: list[Neighbour]
    callees: list[Neighbour]


class EdgeDetail(Detail):
    """One edge, closely."""

    edge: MapEdge


class Entry(TypedDict):
    """The service by which a trace entered."""

    name: str
    type: str


class TraceHead(TypedDict):
    """A trace in a line."""

    id: str
    start: float
    duration_ms: float
    response_ms: float | None
    status: Status
    partial: bool
    entry: Entry | None
    method: str | None
    url: str | None
    code: int | None
    user: str | None


class TraceLine(TraceHead):
    """A trace in a list."""

    services: list[str]
    segments: int
    annotations: dict[str, list[str | float | bool]]


class TraceList(TypedDict):
    """A page of traces."""

    traces: list[TraceLine]
    next: str | None


class TraceRow(TypedDict):
    """One line of a trace's timeline."""

    id: str
    parent: str | None
    depth: int
    kind: Literal["segment", "subsegment", "inferred"]
    name: str
    type: str
    namespace: str
    service: str
    start_ms: float
    duration_ms: float | None
    status: Status
    code: int | None
    exception: str


class RawSegment(TypedDict):
    """A processed document as BatchGetTraces returns it, parsed."""

    Id: str
    Document: dict[str, Any]


class PinMark(TypedDict):
    """Since when a trace is kept for ever, and why."""

    note: str
    at: float


class PinnedTrace(PinMark):
    """A trace that is kept for ever."""

    id: str


class PinList(TypedDict):
    """All of them."""

    pins: list[PinnedTrace]


class TraceDetail(TraceHead):
    """A whole trace."""

    w3c_id: str
    pin: PinMark | None
    rows: list[TraceRow]
    map: Picture
    documents: dict[str, dict[str, Any]]
    raw: list[RawSegment]


class ServerStatus(TypedDict):
    """How the server is."""

    version: str
    ready: bool
    detail: str
    ever: bool
    ingest: dict[str, Any]


class Problem(TypedDict):
    """Why there is no answer: what, where, what was expected."""

    code: str
    message: str


class ErrorReply(TypedDict):
    """Every answer with a status from 400 on."""

    error: Problem
