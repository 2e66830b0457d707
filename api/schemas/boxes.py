"""Boxes of the map: groups of services."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Counts, NodeId

ByName = Literal["account", "namespace", "stack", "prefix"]
BoxesBy = Literal["none", "auto", "account", "namespace", "stack", "prefix"]


class Unhealthy(TypedDict):
    """A member of a box that is unhealthy by the server's thresholds."""

    id: NodeId
    name: str
    requests: int
    failed: Annotated[int, Field(description="its errors, throttles and faults")]
    fault: int


class BoxNumbers(TypedDict):
    """What a box has beside the figures of a node."""

    members: Annotated[int, Field(description="nodes in it, without clients")]
    reporting: Annotated[int, Field(description="of them those that report themselves")]
    figures: Annotated[
        Literal["arrivals", "work"],
        Field(
            description="what the box's counts are: the calls and events that arrive from clients and other groups; "
            "or, where none do, the work of its members"
        ),
    ]
    work: Annotated[
        Counts,
        Field(description="the sum of its members: a call of one by another counts, too"),
    ]
    unhealthy: Annotated[
        list[Unhealthy], Field(description="the worst 20 members, by failed requests")
    ]
    unhealthy_total: int


class BoxOnTrail(TypedDict):
    """A box that the map is inside of."""

    by: ByName
    id: str
    name: str


class BoxesOfMap(TypedDict):
    """Where a map is among the levels of groups."""

    by: Annotated[ByName | None, Field(description="null: nodes are drawn themselves")]
    edges_left_out: Annotated[
        int,
        Field(
            description="pairs of boxes beyond 240 that call each other without a line: few failures, few calls"
        ),
    ]
    trail: Annotated[list[BoxOnTrail], Field(description="outermost first; empty of the whole map")]
