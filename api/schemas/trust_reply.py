"""Shapes of /api/v1/trust."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.common import Freshness, Instant, reply
from api.schemas.trust import Trusted
from api.schemas.v1 import Span


class PlaceTrust(Trusted):
    """Of one node or edge."""

    id: str
    name: Annotated[str, Field(description="of an edge both ends")]


@reply
class TrustReply(Span, Freshness):
    """How far the figures of a map are to be trusted."""

    traces: Annotated[int, Field(description="that were read for clocks and sampling")]
    traces_since: Annotated[Instant, Field(description="all from here on")]
    nodes: Annotated[
        list[PlaceTrust], Field(description="those that are not exact; of one that is given also")
    ]
    edges: Annotated[list[PlaceTrust], Field(description="likewise")]
