"""Declarations of stacks, and their comparison with the map (docs/declared.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Freshness, Instant, Kind, NodeId, reply
from api.schemas.v1 import Span


@reply
class StackLine(TypedDict):
    """A declared stack; '' of account, region and environment is any."""

    stack: str
    account: str
    region: str
    environment: str
    template: Annotated[str, Field(description="the file's name")]
    declared_at: Instant
    resources: Annotated[int, Field(description="without those of other stacks")]
    calls: int
    notes: Annotated[list[str], Field(description="what the template leaves open, in sentences")]


@reply
class StackList(TypedDict):
    """All declared stacks."""

    stacks: list[StackLine]


Status = Annotated[
    Literal["seen", "never_seen", "undeclared", "unknown"],
    Field(
        description="never_seen: dead or not traced; undeclared: seen, but no template allows it; "
        "unknown: what traces cannot show"
    ),
]


class DeclaredNode(TypedDict):
    """A declared resource, or an undeclared node."""

    id: Annotated[NodeId, Field(description="on the map; of what was never seen, as it would be")]
    ids: Annotated[list[NodeId], Field(description="all its nodes of the map, none if never seen")]
    name: str
    type: str
    kind: Kind
    account: str
    region: str
    stacks: list[str]
    logical_id: Annotated[str, Field(description="'' of what is not declared")]
    status: Status
    why: str


class DeclaredEdge(TypedDict):
    """A declared call, or an undeclared one."""

    id: Annotated[str, Field(description="<source>:<target>")]
    source: NodeId
    target: NodeId
    source_name: str
    target_name: str
    stacks: list[str]
    evidence: Annotated[
        list[Literal["policy", "event", "task", "delivery", "environment"]],
        Field(description="what in the template says so"),
    ]
    status: Status
    why: str


class DeclaredCounts(TypedDict):
    """Nodes and edges by status."""

    seen: int
    never_seen: int
    undeclared: int
    unknown: int


@reply
class ComparisonReply(Span, Freshness):
    """Declared against observed, over a window."""

    traffic_since: Annotated[
        float | None, Field(description="the first traffic of the window; null: it has none")
    ]
    stacks: list[StackLine]
    counts: DeclaredCounts
    nodes: list[DeclaredNode]
    edges: list[DeclaredEdge]
