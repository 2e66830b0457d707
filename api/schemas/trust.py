"""Shapes of how far figures are to be trusted."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Status, TraceId

TrustName: TypeAlias = Literal["exact", "skewed", "scaled", "sampled", "partial"]


class DoubtNumbers(TypedDict):
    """A reason why figures are not exact."""

    trust: Annotated[
        TrustName,
        Field(
            description="partial: something lacks; sampled: what was not sampled is not counted; scaled: units stand for "
            "others, which were not sampled; skewed: a clock is off, so that times of day and ages of messages are"
        ),
    ]
    text: str
    units: Annotated[int, Field(description="`units` of `of`, as the text says")]
    of: int
    status: Annotated[
        Status | None, Field(description="with which a list of the node or edge finds their traces")
    ]
    error: Annotated[str | None, Field(description="likewise")]
    skew_ms: Annotated[
        float | None, Field(description="by how much the clock is ahead, negative: behind")
    ]
    trace_id: Annotated[TraceId | None, Field(description="a trace that shows it")]


class Trusted(TypedDict):
    """How far the figures of a node or an edge are to be trusted."""

    trust: Annotated[
        TrustName, Field(description="the gravest of the doubts; a client has no figures: exact")
    ]
    doubts: Annotated[
        list[DoubtNumbers],
        Field(description="of exact figures none, or what runs and began within two minutes"),
    ]
