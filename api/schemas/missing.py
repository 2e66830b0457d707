"""Shapes of /api/v1/nodes/<id>/missing: why edges of a service are missing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Freshness, Instant, NodeId, TraceId, reply
from api.schemas.v1 import NamedNode, Span


class MendingLines(TypedDict):
    """What mends a cause in one SDK."""

    sdk: Annotated[str, Field(description="such as xray-python; any: of no SDK")]
    name: str
    lines: str
    source: Annotated[str, Field(description="where they are documented")]


class MissingEdge(TypedDict):
    """A cause between two services."""

    cause: Literal[
        "no_exit_span",
        "header_not_passed",
        "parent_missing",
        "not_sampled",
        "clock_skew",
        "other_account",
        "platform_record_missing",
        "still_running",
    ]
    basis: Annotated[
        Literal["ids", "name", "time"],
        Field(
            description="ids: what documents name; name: a service reports under the name that was called; time: requests "
            "lie inside of others, by far more often than by chance"
        ),
    ]
    caller: Annotated[NamedNode | None, Field(description="null: not known")]
    callee: Annotated[NamedNode | None, Field(description="null: it does not report here")]
    called: Annotated[str, Field(description="the name that was called")]
    units: Annotated[int, Field(description="calls, or requests, that show it")]
    of: Annotated[int, Field(description="of so many that were judged")]
    text: str
    skew_ms: float | None
    trace_id: Annotated[TraceId, Field(description="a trace that shows it")]
    other_trace_id: Annotated[
        TraceId | None, Field(description="the trace of the other end, where that is another")
    ]
    sdk: Annotated[str, Field(description="of the end to mend; empty: it does not say")]
    mending: Annotated[list[MendingLines], Field(description="that of `sdk` first")]


@reply
class MissingReply(Span, Freshness):
    """Why edges of a service are missing."""

    node: NodeId
    traces: Annotated[int, Field(description="that were read of it and of what it seems to call")]
    traces_since: Annotated[Instant, Field(description="all of it from here on")]
    around: Annotated[int, Field(description="traces of any service that were read")]
    around_since: Annotated[Instant, Field(description="all of them from here on")]
    causes: Annotated[list[MissingEdge], Field(description="those of most units first; none: []")]
