"""What several shapes of the console's API share: units, counts, figures of plotly, errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

Status = Literal["ok", "error", "throttle", "fault", "in_progress"]
Kind = Literal[
    "client",
    "gateway",
    "service",
    "function",
    "workflow",
    "database",
    "table",
    "queue",
    "topic",
    "stream",
    "bucket",
    "remote",
]
WorkName = Literal["requests", "background"]
DimensionName = Literal["version", "environment", "region", "method", "status", "operation"]
Instant = Annotated[float, Field(description="epoch seconds")]
DataUntil = Annotated[
    float,
    Field(
        description="`to`, or while documents of the window wait to be counted the start of the first of them: what began before is counted"
    ),
]
NodeId = Annotated[str, Field(description="hash of the node's identity, the same in every process")]
TraceId = Annotated[str, Field(description="X-Ray form, 1-xxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx")]
Count = Annotated[int | None, Field(description="null on client nodes")]
Latency = Annotated[
    float | None, Field(description="milliseconds; null without a finished request")
]
JsonObject = dict[str, Any]

reply = with_config(ConfigDict(defer_build=True))
"""Marks the shape of a whole body. Endpoints encode bodies themselves, so pydantic has nothing to build
of it until the OpenAPI document is requested: else an app takes three times as long to start."""


class Incomplete(TypedDict):
    """Documents of a window that are stored and not counted yet."""

    minutes: Annotated[int, Field(description="minutes of the window in which they began")]
    since: Annotated[
        float, Field(description="since when the longest waiting are stored, epoch seconds")
    ]


IncompleteOrNull = Annotated[
    Incomplete | None, Field(description="null when all that is stored is counted")
]


class Freshness(TypedDict):
    """Whether an answer has counted all that is stored."""

    data_until: DataUntil
    incomplete: IncompleteOrNull


class Times(TypedDict):
    """Mean and percentiles of the response time."""

    avg_ms: Latency
    p50_ms: Latency
    p95_ms: Latency
    p99_ms: Latency


class Counts(TypedDict):
    """Finished units by status; the four statuses add up to ``requests``."""

    requests: Count
    ok: Count
    error: Count
    throttle: Count
    fault: Count


class NodeCounts(Counts):
    """Finished units of a node by how they ended: the four statuses and ``unknown`` add up to ``requests``."""

    unknown: Annotated[
        int | None,
        Field(
            description="units of which nothing says whether they failed: of Lambda functions; null on client nodes"
        ),
    ]


class Filtered(TypedDict):
    """Which traces a filtered map or a sorted list is made of."""

    traces: int
    complete: Annotated[bool, Field(description="false: only the newest that satisfy the filter")]


class Figure(TypedDict):
    """A plotly figure without a template: the console adds colours and fonts."""

    data: list[JsonObject]
    layout: JsonObject


class ErrorBody(TypedDict):
    """What was wrong, where, and what was expected."""

    code: str
    message: str
    position: NotRequired[
        Annotated[int, Field(description="where in a filter expression, characters from 0")]
    ]


@reply
class ErrorReply(TypedDict):
    """The body of every response with a status from 400 on."""

    error: ErrorBody
