"""The shapes of the console's API (docs/console-api.md), for the type checker and for OpenAPI.

Instants are epoch seconds, durations milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
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
Instant = Annotated[float, Field(description="epoch seconds")]
NodeId = Annotated[str, Field(description="hash of the node's identity, the same in every process")]
TraceId = Annotated[str, Field(description="X-Ray form, 1-xxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx")]
Count = Annotated[int | None, Field(description="null on client nodes")]
Latency = Annotated[
    float | None, Field(description="milliseconds; null without a finished request")
]
JsonObject = dict[str, Any]


class Times(TypedDict):
    """Mean and percentiles of the response time."""

    avg_ms: Latency
    p50_ms: Latency
    p95_ms: Latency
    p99_ms: Latency


class Counts(TypedDict):
    """Finished units by status; the four statuses add up to ``requests``."""

    requests: Count
    ok: Count
    error: Count
    throttle: Count
    fault: Count


class MapNode(Counts, Times):
    """A node of the map."""

    id: NodeId
    name: str
    names: Annotated[list[str], Field(description="the node's own name first")]
    type: Annotated[
        str, Field(description="X-Ray type such as AWS::Lambda::Function; may be empty")
    ]
    kind: Annotated[Kind, Field(description="which glyph to draw")]
    account: str
    region: str
    location: Annotated[
        str, Field(description="account and region, where the map has several; else empty")
    ]
    state: Annotated[
        Literal["active", "unknown"],
        Field(description="unknown: inferred or client, without a segment of its own"),
    ]
    root: Annotated[bool, Field(description="requests enter here")]
    in_progress: Count
    observed: Annotated[
        int | None,
        Field(
            description="units received; if fewer than requests + in_progress, these are estimates"
        ),
    ]
    traces_per_min: Annotated[float | None, Field(description="null on client nodes")]
    x: Annotated[float, Field(description="centre, pixels at scale 1")]
    y: float
    rank: Annotated[int, Field(description="column of the layout, callers left of callees")]


class MapEdge(Counts, Times):
    """An edge of the map, measured by its caller."""

    id: Annotated[str, Field(description="<source>:<target>")]
    source: NodeId
    target: NodeId
    in_progress: Count
    observed: Annotated[int, Field(description="as on a node")]
    requests_per_min: float
    kind: Annotated[
        Literal["call", "link"],
        Field(description="link: received events; response times are their ages"),
    ]
    back: Annotated[bool, Field(description="drawn against the flow, as it closes a cycle")]
    bends: Annotated[
        list[tuple[float, float]], Field(description="points from source to target, between them")
    ]


class Filtered(TypedDict):
    """Which traces a filtered map or a sorted list is made of."""

    traces: int
    complete: Annotated[bool, Field(description="false: only the newest that satisfy the filter")]


class Completion(TypedDict):
    """A value for a filter expression."""

    value: str | float | bool
    count: Annotated[int, Field(description="traces with it; of a service, requests")]


class CompletionList(TypedDict):
    """Values that occur, the most frequent first."""

    completions: list[Completion]


class StateCounts(TypedDict):
    """Nodes with at least one unit that ended in the state; a node may count in several."""

    ok: int
    error: int
    throttle: int
    fault: int


class Picture(TypedDict):
    """A graph with positions."""

    nodes: list[MapNode]
    edges: list[MapEdge]


ServiceMap = TypedDict(
    "ServiceMap",
    {
        "from": Annotated[float, Field(description="start of the window shown, epoch seconds")],
        "to": Annotated[float, Field(description="end of the window shown, epoch seconds")],
        "generated_at": Instant,
        "has_traces": Annotated[
            bool, Field(description="the store has received a trace at some time")
        ],
        "total_nodes": Annotated[int, Field(description="nodes of the whole graph")],
        "left_out": Annotated[
            int, Field(description="nodes beyond 2,000; healthy ones with little traffic first")
        ],
        "filtered": Annotated[Filtered | None, Field(description="null without a filter")],
        "placed_later": Annotated[
            int, Field(description="nodes that were placed into a layout computed without them")
        ],
        "state_counts": Annotated[
            StateCounts, Field(description="of the whole graph, nodes left out included")
        ],
        "problems": Annotated[
            list[str], Field(description="why the map is coarser than its data, in sentences")
        ],
        "nodes": list[MapNode],
        "edges": list[MapEdge],
    },
)
"""The map of a window."""


class ServiceHit(TypedDict):
    """A node of the whole graph that matches a search."""

    id: NodeId
    name: str
    type: str
    location: Annotated[str, Field(description="as on a node of the map")]
    kind: Kind
    requests: Count
    ok: Count
    error: Count
    throttle: Count
    fault: Count
    in_progress: Count
    observed: Annotated[int | None, Field(description="as on a node of the map")]
    drawn: Annotated[bool, Field(description="whether /api/map of the window contains it")]


class ServiceList(TypedDict):
    """Nodes found by name."""

    services: list[ServiceHit]
    total: Annotated[int, Field(description="matches altogether")]


class Figure(TypedDict):
    """A plotly figure without a template: the console adds colours and fonts."""

    data: list[JsonObject]
    layout: JsonObject


class TraceFigure(Figure):
    """A chart of traces by start and response time."""

    shown: Annotated[int, Field(description="traces in the chart")]
    total: Annotated[int, Field(description="matching traces; a lower bound unless counted_all")]
    counted_all: Annotated[bool, Field(description="false when counting was ended early")]


class Before(Counts, Times):
    """The same figures of the preceding period of equal length."""


class ErrorShare(TypedDict):
    """One row of an error breakdown."""

    label: Annotated[str, Field(description="HTTP 503, or an exception's type")]
    status: Status
    count: int
    filter: Annotated[
        str, Field(description="`error` of /api/traces that lists exactly these units' traces")
    ]


class Neighbour(TypedDict):
    """A node at the other end of an edge."""

    id: NodeId
    name: str
    type: str
    location: Annotated[str, Field(description="as on a node of the map")]
    requests: Annotated[int | None, Field(description="along the edge")]


class Detail(TypedDict):
    """What the details of nodes and edges have in common."""

    before: Annotated[
        Before | None,
        Field(description="null if nothing finished then, or counting would read too many rows"),
    ]
    histogram: Annotated[Figure, Field(description="requests by response time in milliseconds")]
    over_time: Annotated[Figure, Field(description="stacked bars, one plotly trace per status")]
    errors: Annotated[list[ErrorShare], Field(description="most frequent first")]
    filtered: Annotated[Filtered | None, Field(description="null without a filter")]


class NodeDetail(Detail):
    """One node of the map with its history, errors and neighbours."""

    node: MapNode
    callers: list[Neighbour]
    callees: list[Neighbour]


class EdgeDetail(Detail):
    """One edge of the map with its history and errors."""

    edge: MapEdge


class Entry(TypedDict):
    """The service by which a trace entered."""

    name: str
    type: str


class InnerCounts(TypedDict):
    """Segments and calls of a trace, the entry aside, that failed."""

    error: int
    throttle: int
    fault: int


class TraceHead(TypedDict):
    """Summary of a trace."""

    id: TraceId
    start: Instant
    duration_ms: Annotated[float, Field(description="from the first start to the last end")]
    response_ms: Annotated[float | None, Field(description="of the entry; null in progress")]
    status: Annotated[Status, Field(description="of the entry segment")]
    partial: Annotated[bool, Field(description="a segment is missing or in progress")]
    entry: Entry | None
    method: str | None
    url: str | None
    code: Annotated[int | None, Field(description="HTTP status")]
    user: str | None
    inner: InnerCounts


class TraceLine(TraceHead):
    """A trace in a list."""

    status_there: Annotated[
        Status | None,
        Field(description="worst of its units at the node or edge searched for; null without one"),
    ]
    units_there: Annotated[
        int | None, Field(description="units there that match, by weight; null without one")
    ]

    services: Annotated[list[str], Field(description="names of the nodes touched, entry first")]
    segments: int
    annotations: dict[str, list[str | float | bool]]


class TraceList(TypedDict):
    """A page of traces."""

    traces: Annotated[list[TraceLine], Field(description="newest first")]
    next: Annotated[str | None, Field(description="cursor of the next page; null on the last")]
    total: Annotated[
        int | None,
        Field(
            description="matching traces; null when counting takes too long, and behind a cursor"
        ),
    ]
    sorted: Annotated[
        Filtered | None,
        Field(description="which traces were sorted by response time; null when sorted by start"),
    ]
    matching_units: Annotated[
        int | None,
        Field(
            description="units that the map counts at the node or edge searched for; null without "
            "one, or with a filter expression"
        ),
    ]


class Difference(TypedDict):
    """An attribute in which the selected traces differ from the rest."""

    filter: Annotated[str, Field(description="the attribute as a filter expression")]
    selected: Annotated[int, Field(description="selected traces that satisfy it")]
    rest: Annotated[int, Field(description="others that do")]


class TraceDifferences(TypedDict):
    """A selection of traces against the rest of the window; the newest 2,000 of each."""

    selected: int
    rest: int
    attributes: Annotated[
        list[Difference],
        Field(description="by how much more frequent among the selected; none that may be chance"),
    ]


class TraceRow(TypedDict):
    """One row of a trace's timeline."""

    id: str
    parent: Annotated[str | None, Field(description="id of another row")]
    depth: int
    kind: Literal["segment", "subsegment", "inferred"]
    name: str
    type: str
    namespace: Annotated[str, Field(description="aws, remote or empty")]
    service: Annotated[str, Field(description="name of the owning segment")]
    start_ms: Annotated[float, Field(description="after the start of the trace")]
    duration_ms: Annotated[float | None, Field(description="null while in progress")]
    status: Status
    code: Annotated[int | None, Field(description="HTTP status")]
    exception: Annotated[str, Field(description="type of the first exception, or empty")]


class RawSegment(TypedDict):
    """A processed document as BatchGetTraces returns it, parsed."""

    Id: str
    Document: JsonObject


class PinMark(TypedDict):
    """Since when a trace is retained indefinitely, and why."""

    note: str
    at: Instant


class PinnedTrace(PinMark):
    """A trace that is retained indefinitely."""

    id: TraceId


class PinList(TypedDict):
    """All pinned traces."""

    pins: Annotated[list[PinnedTrace], Field(description="latest first")]


class TraceDetail(TraceHead):
    """A whole trace."""

    w3c_id: Annotated[str, Field(description="32 hex digits")]
    pin: PinMark | None
    rows: Annotated[
        list[TraceRow], Field(description="depth first, children by start; the first 10,000")
    ]
    left_out: Annotated[int, Field(description="rows beyond these; BatchGetTraces has them all")]
    map: Annotated[Picture, Field(description="of this trace only, each unit counted once")]
    documents: Annotated[
        dict[str, JsonObject],
        Field(description="by row id: the processed document without its subsegments"),
    ]
    segments: Annotated[int, Field(description="segment documents, inferred ones included")]


class RawTrace(TypedDict):
    """The documents of a trace."""

    raw: Annotated[list[RawSegment], Field(description="as BatchGetTraces returns them")]
    left_out: Annotated[int, Field(description="documents beyond the first 10,000")]


class IngestStatus(TypedDict):
    """What the server's receivers have done since they started, all processes together."""

    received: Annotated[int, Field(description="documents")]
    stored: int
    rejected: int
    dropped: int
    kernel_drops: Annotated[
        int | None, Field(description="datagrams dropped by the kernel; null when unknown")
    ]
    rejected_by_reason: dict[str, int]
    queued: Annotated[int, Field(description="documents in memory")]
    journal_bytes: Annotated[int, Field(description="in the journal, waiting for the database")]
    oldest_s: Annotated[float, Field(description="age of the oldest document not yet stored")]


class UnhealthyThresholds(TypedDict):
    """From when on a service is shown as unhealthy; a console may have its own."""

    share: Annotated[float, Field(description="of its requests that failed, 0 to 1")]
    count: Annotated[int, Field(description="of failed requests; both must be reached")]


class ServerStatus(TypedDict):
    """State of the server."""

    version: str
    ready: Annotated[bool, Field(description="the store answers queries")]
    detail: Annotated[str, Field(description="why it does not, else empty")]
    problems: Annotated[
        list[str],
        Field(description="as in /readyz: sentences with the command that helps; empty when well"),
    ]
    has_traces: Annotated[bool, Field(description="the store has received a trace at some time")]
    unhealthy: UnhealthyThresholds
    ingest: IngestStatus


class ErrorBody(TypedDict):
    """What was wrong, where, and what was expected."""

    code: str
    message: str
    position: NotRequired[
        Annotated[int, Field(description="where in a filter expression, characters from 0")]
    ]


class ErrorReply(TypedDict):
    """The body of every response with a status from 400 on."""

    error: ErrorBody
