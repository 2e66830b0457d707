"""Shapes of a function's errors by source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Freshness, NodeId, TraceId, reply
from api.schemas.v1 import Span

ErrorSource = Literal["metric stream", "platform records", "log lines", "spans"]


class ErrorCount(TypedDict):
    """What one source counts."""

    source: Annotated[
        ErrorSource,
        Field(
            description="CloudWatch's metric stream: every error. Records: what the platform saw fail. Log lines: handlers "
            "that raised. Spans: the function's own, of the newest traces"
        ),
    ]
    errors: Annotated[float | None, Field(description="null where there is no such source")]
    invocations: Annotated[
        float | None, Field(description="among how many; null where that is not known")
    ]
    filter: Annotated[str | None, Field(description="finds their traces; null where none are")]
    help: Annotated[str, Field(description="how to send it, where it is missing")]


class ErrorProblem(TypedDict):
    """Sources that contradict each other."""

    text: str
    traces: Annotated[list[TraceId], Field(description="at most five examples")]


@reply
class NodeErrors(Span, Freshness):
    """The errors of a Lambda function."""

    node: NodeId
    counts: Annotated[list[ErrorCount], Field(description="empty of other nodes")]
    unknown: Annotated[int, Field(description="as on a node of the map")]
    problems: list[ErrorProblem]
