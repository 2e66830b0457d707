"""Shapes of /api/v1: numbers of services and edges, time series, pages of traces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import (
    Counts,
    DimensionName,
    Freshness,
    Instant,
    NodeId,
    Times,
    TraceId,
    WorkName,
    reply,
)
from api.schemas.map import EdgeNumbers, NodeNumbers
from api.schemas.traces import TraceLine
from api.schemas.trust import Trusted

SpanKind = Literal["server", "client", "producer", "consumer", "internal", "unspecified"]
Next = Annotated[str | None, Field(description="cursor of the next page; null on the last")]
Span = TypedDict(
    "Span",
    {
        "from": Annotated[float, Field(description="start of the window counted, epoch seconds")],
        "to": Annotated[float, Field(description="end of the window counted, epoch seconds")],
    },
)
"""The window of an answer: the requested one, or that one with whole minutes where a minute has very
many units."""


Share = Annotated[float | None, Field(description="0 to 1; null where nothing finished")]


class Shares(TypedDict):
    """Finished units by status, as shares of them: counts divided, as networkx's nodes and edges carry them."""

    ok_ratio: Share
    error_ratio: Share
    throttle_ratio: Share
    fault_ratio: Share
    average_ms: Annotated[float | None, Field(description="the same as avg_ms")]


class RatedNode(NodeNumbers, Shares, Trusted):
    """A service with its numbers."""


class NamedEdge(EdgeNumbers, Shares, Trusted):
    """An edge, measured by its caller, with the names of its ends."""

    source_name: str
    source_value: Annotated[str | None, Field(description="`value` of the source")]
    target_name: str
    target_value: Annotated[str | None, Field(description="`value` of the target")]
    traces_per_min: Annotated[
        float | None, Field(description="calls per minute: traces are counted by node")
    ]


@reply
class MapNumbers(Span, Freshness):
    """The map of a window, without a layout."""

    group_by: Annotated[
        DimensionName | None, Field(description="what nodes are split by; null of whole ones")
    ]
    services: Annotated[list[RatedNode], Field(description="by account, name, type, region")]
    edges: list[NamedEdge]
    left_out: Annotated[
        int, Field(description="services beyond 2,000; healthy ones with little traffic first")
    ]
    problems: Annotated[
        list[str], Field(description="why the map is coarser than its data, in sentences")
    ]


@reply
class ServicePage(Span, Freshness):
    """A page of the services of a window."""

    services: Annotated[list[RatedNode], Field(description="by account, name, type, region")]
    next: Next


@reply
class EdgePage(Span, Freshness):
    """A page of the edges of a window."""

    edges: Annotated[list[NamedEdge], Field(description="by the names of source and target")]
    next: Next


class TimePoint(Counts, Times):
    """The units that started in one step."""

    start: Instant
    in_progress: int


@reply
class TimeSeries(Span, Freshness):
    """Numbers per step; the steps are aligned to the epoch and cover the window."""

    step: Annotated[int, Field(description="seconds")]
    points: Annotated[list[TimePoint], Field(description="every step, those without units too")]


@reply
class TracePage(Span):
    """A page of the traces of a window."""

    traces: Annotated[list[TraceLine], Field(description="newest first")]
    next: Next


class ValueCount(TypedDict):
    """A value, and in how many traces it occurs."""

    value: str | float | bool
    traces: int


@reply
class PlaceList(Span, Freshness):
    """Accounts, regions and environments of a window."""

    accounts: list[str]
    regions: list[str]
    environments: Annotated[list[ValueCount], Field(description="the one with most traces first")]


@reply
class AnnotationKeys(Span):
    """Keys of annotations."""

    keys: Annotated[list[ValueCount], Field(description="the most frequent first")]


@reply
class AnnotationValues(Span):
    """Values of an annotation."""

    key: str
    values: Annotated[list[ValueCount], Field(description="the most frequent first")]


Metrics = Annotated[
    dict[str, float | None],
    Field(
        description="by the requested names; times in milliseconds, shares 0 to 1 of what finished; null where nothing did"
    ),
]


class StatsTotal(TypedDict):
    """Everything that was counted; a trace that is in several groups counts once."""

    traces: int
    metrics: Metrics


class StatsPoint(TypedDict):
    """The traces of a group that began in one step."""

    start: Instant
    traces: int
    metrics: Metrics


class StatsGroup(TypedDict):
    """The traces, or requests, that have some values of the dimensions."""

    values: Annotated[
        list[str | int | float | bool | None],
        Field(description="in the order of `by`; null: the trace, or request, has none"),
    ]
    traces: Annotated[int, Field(description="in how many traces")]
    metrics: Metrics
    filter: Annotated[
        str | None,
        Field(
            description="expression by which /api/v1/traces lists these traces, with the same window, account, region and "
            "environment, and `status`; null if none can say it"
        ),
    ]
    status: Annotated[
        str, Field(description="of the entry: a parameter of /api/v1/traces; mostly ''")
    ]
    points: Annotated[
        list[StatsPoint], Field(description="by time; steps without a trace are absent")
    ]


@reply
class StatsReply(Span):
    """Traces, or requests, counted by dimensions."""

    of: Literal["traces", "requests"]
    by: list[str]
    metrics: list[str]
    step: Annotated[int | None, Field(description="seconds")]
    examined: Annotated[int, Field(description="traces that were counted, the newest first")]
    complete: Annotated[bool, Field(description="whether these are all that the filter selects")]
    bound: Annotated[
        Literal["traces", "seconds", "groups"] | None,
        Field(
            description="what ended the counting: 1,000,000 traces, or 20,000 that had to be read; 12 s; or 10,000 groups"
        ),
    ]
    counted_from: Annotated[
        float, Field(description="since when all traces were counted; `from` if complete")
    ]
    groups_total: Annotated[int, Field(description="groups, with those beyond `limit`")]
    total: StatsTotal
    groups: list[StatsGroup]


class StatsDimension(TypedDict):
    """What traces, or requests, may be counted by."""

    name: Annotated[str, Field(description="for `by`")]
    traces: Annotated[
        int | None, Field(description="that have it, of an annotation; null of the others")
    ]


@reply
class StatsDimensions(Span):
    """Dimensions of /api/v1/stats."""

    of: Literal["traces", "requests"]
    dimensions: Annotated[
        list[StatsDimension],
        Field(description="those of every trace, then the commonest 100 annotations of the window"),
    ]
    most: Annotated[int, Field(description="dimensions of one grouping")]
    metrics: Annotated[
        list[str], Field(description="names for `metrics` and `sort`; of percentiles, some")
    ]


class SpanOperation(TypedDict):
    """What a service did."""

    name: str
    kind: Annotated[SpanKind, Field(description="of its spans; of X-Ray's segments server")]
    last_seen: Annotated[
        float, Field(description="when one was last stored, to the hour; epoch seconds")
    ]


@reply
class OperationList(Span):
    """Operations of a service."""

    service: str
    operations: Annotated[
        list[SpanOperation],
        Field(
            description="by name; of a service with more than 1,000 a day the others are (other operations)"
        ),
    ]


class OperationLine(Counts, Times):
    """What a service did, and how that went."""

    operation: Annotated[str, Field(description="'' for requests that name none")]
    named: Annotated[bool, Field(description="false: several operations, or none")]
    share: Annotated[float, Field(description="of the finished requests, 0 to 1")]
    in_progress: int
    observed: Annotated[int, Field(description="requests, however they were sampled")]


@reply
class OperationNumbers(Span, Freshness):
    """A service, or a resource, by what it did; beyond the 50 with the most requests as `(other operations)`."""

    node: NodeId
    work: Annotated[WorkName, Field(description="what its figures on the map count")]
    operations: Annotated[
        list[OperationLine], Field(description="the one with the most requests first")
    ]


class VersionLine(Counts, Times):
    """A version of a service: what the segments that named it report."""

    version: Annotated[str, Field(description="'' for segments that name none")]
    named: Annotated[bool, Field(description="false: several versions, or none")]
    share: Annotated[float, Field(description="of the service's finished requests, 0 to 1")]
    first: Annotated[Instant, Field(description="start of its first request in the window")]
    last: Annotated[Instant, Field(description="start of its last")]
    in_progress: int
    observed: Annotated[int, Field(description="segments, however they were sampled")]


@reply
class VersionList(Span, Freshness):
    """The versions of a service; beyond the 50 with the most requests as `(other versions)`."""

    node: NodeId
    versions: Annotated[
        list[VersionLine], Field(description="the one with the most requests first")
    ]


class NodeVersions(TypedDict):
    """The versions of one of several services."""

    node: NodeId
    versions: list[VersionLine]


@reply
class VersionsByNode(Span, Freshness):
    """The versions of several services."""

    nodes: list[NodeVersions]


class FlowState(TypedDict):
    """A state of a state machine; one that is tried again counts each time."""

    name: str
    requests: Annotated[int, Field(description="how often it ended")]
    ok: int
    error: int
    throttle: int
    fault: int
    in_progress: int
    average_ms: float | None


class StateTransition(TypedDict):
    """How often a state followed another."""

    source: Annotated[str | None, Field(description="null: an execution begins")]
    target: Annotated[str | None, Field(description="null: it ends")]
    count: int


@reply
class StateList(Span, Freshness):
    """The states of a state machine in the newest traces of a window."""

    node: NodeId
    traces: Annotated[int, Field(description="that were read")]
    complete: Annotated[bool, Field(description="false: the window has more")]
    executions: int
    states: Annotated[
        list[FlowState], Field(description="in the order in which they are mostly entered")
    ]
    transitions: Annotated[list[StateTransition], Field(description="the most frequent first")]


class NamedNode(TypedDict):
    """A service by its id, and what it is called."""

    id: NodeId
    name: str
    type: str
    account: str


class DependentNode(NamedNode):
    """A service above or below another, and how many of its requests are in traces with that. Null where messages are between
    them, which are received in other traces, where it stands for many names, and where nothing of the window is counted yet."""

    hops: Annotated[int, Field(description="calls and messages between them")]
    by: Annotated[
        Literal["calls", "messages"],
        Field(description="calls alone lead from the one to the other, or messages, too"),
    ]
    requests: Annotated[int | None, Field(description="of it, in the minutes `counted`")]
    through: Annotated[int | None, Field(description="those in traces that the other is in")]
    share: Annotated[float | None, Field(description="`through` of `requests`, 0 to 1")]


@reply
class ImpactReply(Span, Freshness):
    """What would stop if a service did."""

    node: NodeId
    callers: Annotated[
        list[DependentNode],
        Field(description="above it: what needs it; the largest share first; at most 200"),
    ]
    callers_left_out: int
    callees: Annotated[
        list[DependentNode],
        Field(description="below it: what gets less of its work then; likewise"),
    ]
    callees_left_out: int
    counted: Annotated[
        Span | None,
        Field(
            description="the minutes that both are counted in; null if no call is to it or from it"
        ),
    ]
    only_through: Annotated[
        list[NamedNode],
        Field(description="services that no traffic reached but through it; at most 200"),
    ]
    only_through_left_out: int
    circle: Annotated[
        list[NamedNode],
        Field(description="services that call each other in a circle, itself among them"),
    ]


class SinglePoint(NamedNode):
    """A service that others are reached through alone; the two nodes of a Lambda function are one."""

    only_through: Annotated[int, Field(description="how many services")]
    requests_lost: Annotated[int, Field(description="requests of those")]


@reply
class StructureReply(Span, Freshness):
    """How a map hangs together."""

    circles: Annotated[
        list[list[NamedNode]], Field(description="services that call each other in a circle")
    ]
    single_points: Annotated[
        list[SinglePoint],
        Field(description="services that others are reached through alone; at most 200"),
    ]
    single_points_left_out: int


class GenAIOperation(TypedDict):
    """Calls of one operation along an edge to a model, an agent or a tool; of what spans do not name, an empty text."""

    source: NodeId
    target: NodeId
    source_name: str
    target_name: str
    type: Annotated[str, Field(description="GenAI::Model, GenAI::Agent, GenAI::Tool or GenAI::MCP")]
    operation: Annotated[str, Field(description="such as chat, invoke_agent, tools/call")]
    model: str
    tool: str
    calls: int
    calls_with_tokens: Annotated[
        int, Field(description="whose spans say how many tokens they took")
    ]
    input_tokens: int
    output_tokens: int
    cost_usd: Annotated[float | None, Field(description="null: no span says")]
    condition: Annotated[
        str,
        Field(description='what these calls are, for a filter: `edge("a", "b") { … }`; empty: any'),
    ]


@reply
class GenAIUsage(Span, Freshness):
    """What models, agents and tools were called for, in the newest traces of a window."""

    traces: Annotated[int, Field(description="that were read")]
    complete: Annotated[bool, Field(description="false: the window has more")]
    operations: Annotated[list[GenAIOperation], Field(description="the most frequent first")]


class VersionSide(Counts, Times):
    """A version in a verdict; each segment counts once, however it was sampled."""

    version: str
    in_progress: int
    traces_read: Annotated[int, Field(description="requests whose calls were compared")]
    unknown_outcome: Annotated[
        int,
        Field(description="invocations of Lambda of which nothing says whether the handler failed"),
    ]


class VerdictCheck(TypedDict):
    """A comparison of the two versions."""

    name: Literal["fault", "throttle", "latency"]
    unit: Literal["share", "ms"]
    baseline: float
    candidate: float
    p: Annotated[float, Field(description="probability of such a difference of equal versions")]
    fails: bool
    text: str


class EdgeUse(TypedDict):
    """Of the requests whose calls were compared, those that called a node, and where that failed."""

    requests: int
    failed: int


class EdgeChange(TypedDict):
    """A node that the candidate calls otherwise."""

    node: NodeId
    name: str
    type: str
    kind: Literal["new", "vanished", "failing"]
    baseline: EdgeUse
    candidate: EdgeUse
    p: float


@reply
class VerdictReply(Span, Freshness):
    """Whether a new version does worse than the one before."""

    verdict: Annotated[
        Literal["pass", "fail", "insufficient"], Field(description="insufficient is no pass")
    ]
    service: str
    nodes: Annotated[list[NodeId], Field(description="the nodes that have the name")]
    reasons: Annotated[list[str], Field(description="of a fail, or of insufficient; in sentences")]
    min_requests: int
    baseline: VersionSide
    candidate: VersionSide
    checks: Annotated[list[VerdictCheck], Field(description="none if insufficient")]
    edges: Annotated[list[EdgeChange], Field(description="significant changes of its calls")]
    examples: Annotated[list[TraceId], Field(description="of a fail: failed requests of it")]


@reply
class DeploymentMark(TypedDict):
    """A deployment; '' where a property is not known."""

    id: str
    at: Instant
    service: Annotated[str, Field(description="'' of any service")]
    version: str
    environment: str
    account: str
    region: str
    state: str
    note: str
    link: str


@reply
class DeploymentList(Span):
    """Deployments of a window."""

    deployments: Annotated[list[DeploymentMark], Field(description="the latest first")]
