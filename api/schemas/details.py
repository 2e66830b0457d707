"""Details of one node or edge of the map."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Counts, Figure, Filtered, Freshness, NodeId, Status, Times, reply
from api.schemas.map import MapEdge, MapNode


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
    value: Annotated[str | None, Field(description="as on a node of the map")]
    type: str
    location: Annotated[str, Field(description="as on a node of the map")]
    requests: Annotated[int | None, Field(description="along the edge")]


class Detail(Freshness):
    """What the details of nodes and edges have in common."""

    before: Annotated[
        Before | None,
        Field(description="null if nothing finished then, or counting would read too many rows"),
    ]
    histogram: Annotated[Figure, Field(description="requests by response time in milliseconds")]
    over_time: Annotated[Figure, Field(description="stacked bars, one plotly trace per status")]
    errors: Annotated[list[ErrorShare], Field(description="most frequent first")]
    filtered: Annotated[Filtered | None, Field(description="null without a filter")]


@reply
class NodeDetail(Detail):
    """One node of the map with its history, errors and neighbours."""

    node: MapNode
    callers: list[Neighbour]
    callees: list[Neighbour]


@reply
class EdgeDetail(Detail):
    """One edge of the map with its history and errors."""

    edge: MapEdge
