"""What /api/v1/compare answers (docs/api.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Counts, Freshness, Kind, NodeId, Times, reply
from api.schemas.v1 import DeploymentMark, Span

Trend = Literal["failing", "working", "slower", "faster", "more", "less", "new", "vanished"]


class ComparedPeriod(Span, Freshness):
    """A period, in whole minutes, or a side of one."""

    side: Annotated[
        str | None, Field(description="its value, or its filter expression; null of a period")
    ]
    minutes: int
    counted: Annotated[int, Field(description="minutes in which there were requests")]


class ComparedFigures(Counts, Times):
    """The figures of a node or an edge in a period."""

    requests_per_min: float | None


class ComparedValue(TypedDict):
    """A value that sides may have."""

    value: str
    requests: int


OtherId = Annotated[
    str | None,
    Field(
        description="of what it is compared with, which is another one where accounts or regions are; null if `then` does not have it"
    ),
]


class ComparedNode(TypedDict):
    """A node in both periods; null where a period does not have it."""

    id: NodeId
    then_id: OtherId
    name: str
    type: str
    kind: Kind
    now: ComparedFigures | None
    then: ComparedFigures | None


class ComparedEdge(TypedDict):
    """An edge in both periods, measured by its caller."""

    id: Annotated[str, Field(description="<source>:<target>")]
    then_id: OtherId
    source: NodeId
    target: NodeId
    source_name: str
    target_name: str
    now: ComparedFigures | None
    then: ComparedFigures | None


class SignificantChange(TypedDict):
    """A significant difference of a node or an edge."""

    id: Annotated[str, Field(description="of the node, or of the edge")]
    name: Annotated[str, Field(description="of an edge: source → target")]
    measure: Literal["fault", "error", "throttle", "p50", "p90", "rate", "new", "vanished"]
    trend: Trend
    then: float
    now: float
    unit: Annotated[
        Literal["share", "ms", "per minute", "per request"],
        Field(description="per request: calls of an edge per request of its caller"),
    ]
    p: Annotated[float, Field(description="probability of such a difference between equal periods")]
    text: str
    follows: Annotated[
        str | None,
        Field(
            description="id of the node or edge where it begins: callers of what fails or is slow, and what is called by whom has more to do; null: here"
        ),
    ]


class ComparedBox(TypedDict):
    """A box of the map in both periods, as the map counts it; null where a period does not have it."""

    id: NodeId
    name: str
    now: ComparedFigures | None
    then: ComparedFigures | None


class ComparedLine(TypedDict):
    """A line between boxes in both periods, and its significant differences, which are tested as those of an edge."""

    id: Annotated[str, Field(description="<source>:<target>")]
    source: NodeId
    target: NodeId
    now: ComparedFigures | None
    then: ComparedFigures | None
    changes: list[SignificantChange]


@reply
class Comparison(TypedDict):
    """Two periods of a map, or two sides of one, and what differs significantly."""

    by: Annotated[str | None, Field(description="what tells sides apart; null of periods")]
    values: Annotated[
        list[ComparedValue],
        Field(description="of `by` in the window, those with most requests first, at most 50"),
    ]
    now: ComparedPeriod
    then: ComparedPeriod
    deployment: Annotated[
        DeploymentMark | None, Field(description="before which the earlier period ends")
    ]
    problem: Annotated[
        str | None, Field(description="the id of the one before which the earlier period ends")
    ]
    days: Annotated[
        int,
        Field(
            description="other days that say how much a day differs from others; of fewer than three a wide spread is assumed, and only large differences are significant; 0 of sides, which need none"
        ),
    ]
    summary: Annotated[
        str, Field(description="3 slower, 1 failing more, 2 new edges, 1 vanished edge")
    ]
    notes: Annotated[list[str], Field(description="what the comparison lacks, in sentences")]
    changes: Annotated[
        list[SignificantChange],
        Field(description="those that begin where they are first, the surest first"),
    ]
    boxes: Annotated[
        dict[str, str],
        Field(
            description="of a request with `boxes`: the id of the box of the map that each node and edge of `changes` is in, an edge in that of its caller; those in none of this level are left out"
        ),
    ]
    box_figures: Annotated[
        list[ComparedBox],
        Field(
            description="of a request with `boxes`: the boxes of this level; none if its nodes are drawn"
        ),
    ]
    lines: Annotated[
        list[ComparedLine],
        Field(
            description="of a request with `boxes`: the lines between them that the map of either period draws, and those that differ"
        ),
    ]
    nodes: list[ComparedNode]
    edges: list[ComparedEdge]
    left_out: Annotated[int, Field(description="nodes without a difference beyond 2,000")]
