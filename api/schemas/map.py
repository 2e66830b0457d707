"""The map, and nodes found by name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.boxes import BoxesOfMap, BoxNumbers
from api.schemas.common import (
    Count,
    Counts,
    DataUntil,
    DimensionName,
    Filtered,
    IncompleteOrNull,
    Instant,
    Kind,
    NodeCounts,
    NodeId,
    Times,
    WorkName,
    reply,
)


class BackgroundWork(Counts, Times):
    """Work of a node that serves no request: `requests` is the number of finished units."""

    in_progress: int
    observed: Annotated[int, Field(description="as on a node")]
    traces_per_min: float


class NodeNumbers(NodeCounts, Times):
    """A node of the map without its place: the figures of its requests, or of its background work if it has no requests."""

    id: NodeId
    name: str
    names: Annotated[list[str], Field(description="the node's own name first")]
    type: Annotated[
        str, Field(description="X-Ray type such as AWS::Lambda::Function; may be empty")
    ]
    kind: Annotated[Kind, Field(description="which glyph to draw")]
    account: str
    region: str
    value: Annotated[
        str | None,
        Field(description="that of `group_by`, empty without one; null of a node that is whole"),
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
    work: Annotated[
        WorkName, Field(description="what the figures count; `work` of /api/traces that lists it")
    ]
    background: Annotated[
        BackgroundWork | None,
        Field(
            description="spans without a parent, a cause and a kind that serves; null without any"
        ),
    ]


class MapNode(NodeNumbers):
    """A node of the map."""

    location: Annotated[
        str, Field(description="account and region, where the map has several; else empty")
    ]
    x: Annotated[float, Field(description="centre, pixels at scale 1")]
    y: float
    rank: Annotated[int, Field(description="column of the layout, callers left of callees")]
    drawn_with: Annotated[
        NodeId | None,
        Field(description="the node that it is drawn with; null of one that is drawn by itself"),
    ]
    box: Annotated[
        BoxNumbers | None,
        Field(description="of a box, which stands for a group of nodes; null of a node"),
    ]


class EdgeNumbers(Counts, Times):
    """An edge of the map, measured by its caller, without its line."""

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


class MapEdge(EdgeNumbers):
    """An edge of the map, measured by its caller."""

    back: Annotated[bool, Field(description="drawn against the flow, as it closes a cycle")]
    bends: Annotated[
        list[tuple[float, float]], Field(description="points from source to target, between them")
    ]


class StateCounts(TypedDict):
    """Nodes with at least one unit that ended in the state; a node may count in several."""

    ok: int
    error: int
    throttle: int
    fault: int
    unknown: Annotated[int, Field(description="nothing says how the unit ended")]


class Picture(TypedDict):
    """A graph with positions."""

    nodes: list[MapNode]
    edges: list[MapEdge]


class OpenEnds(TypedDict):
    """A node of the map at which an edge is missing."""

    node: NodeId
    calls: Annotated[
        int, Field(description="calls that end here, although a service of that name reports")
    ]
    requests: Annotated[int, Field(description="requests that name a parent which has not come")]


MapHead = TypedDict(
    "MapHead",
    {
        "from": Annotated[float, Field(description="start of the window shown, epoch seconds")],
        "to": Annotated[float, Field(description="end of the window shown, epoch seconds")],
        "generated_at": Instant,
        "data_until": DataUntil,
        "incomplete": IncompleteOrNull,
        "has_traces": Annotated[
            bool, Field(description="the store has received a trace at some time")
        ],
        "total_nodes": Annotated[int, Field(description="nodes of the whole graph")],
        "group_by": Annotated[
            DimensionName | None, Field(description="what nodes are split by; null of whole ones")
        ],
        "filtered": Annotated[Filtered | None, Field(description="null without a filter")],
    },
)
"""What every map has."""


@reply
class ServiceMap(MapHead, Picture):
    """The map of a window."""

    left_out: Annotated[
        int,
        Field(
            description="nodes that are not drawn: those beyond 2,000, healthy ones with little traffic first; "
            "with boxes all that are in one"
        ),
    ]
    placed_later: Annotated[
        int, Field(description="nodes that were placed into a layout computed without them")
    ]
    state_counts: Annotated[
        StateCounts,
        Field(description="of the whole graph, nodes left out included; a folded pair once"),
    ]
    problems: Annotated[
        list[str], Field(description="why the map is coarser than its data, in sentences")
    ]
    boxes: Annotated[
        BoxesOfMap | None, Field(description="null of a map that was not requested in boxes")
    ]
    open_ends: Annotated[
        list[OpenEnds], Field(description="where an edge is missing; of a healthy map none")
    ]


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
    unknown: Annotated[int | None, Field(description="as on a node of the map")]
    in_progress: Count
    observed: Annotated[int | None, Field(description="as on a node of the map")]
    drawn: Annotated[bool, Field(description="whether /api/map of the window contains it")]


@reply
class ServiceList(TypedDict):
    """Nodes found by name."""

    services: list[ServiceHit]
    total: Annotated[int, Field(description="matches altogether")]
