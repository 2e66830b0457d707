"""Log lines of traces and of functions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Instant, reply
from store.query import MOST_SELECTED_TRACES

Severity = Literal["", "trace", "debug", "info", "warn", "error", "fatal"]


class LogEntry(TypedDict):
    """A log line; empty text where something is not known."""

    id: Annotated[str, Field(description="the same for copies of one line")]
    time: Instant
    severity: Severity
    text: Annotated[
        str, Field(description="at most 8,192 characters; longer ones say how much is left out")
    ]
    record: Annotated[
        Literal["", "init", "start", "end", "report", "access", "execution"],
        Field(
            description="which line of Lambda's platform it is; access: of an access log, without a trace; execution: "
            "the end of a state machine's; empty: any other"
        ),
    ]
    service: Annotated[str, Field(description="the function or service that wrote it")]
    account: str
    region: str
    request_id: Annotated[str, Field(description="of the Lambda invocation")]
    trace_id: Annotated[str, Field(description="X-Ray form")]
    log_group: str
    log_stream: str
    source: Annotated[str, Field(description="firehose, extension, otlp")]


class TraceLogEntry(LogEntry):
    """A line of a trace."""

    segment: Annotated[
        str | None, Field(description="id of the row that wrote it; null when that is not known")
    ]


class LogLink(TypedDict):
    """Where else the lines of a segment, or of the whole trace, are."""

    segment: Annotated[str | None, Field(description="id of a row; null: of the trace")]
    label: str
    url: str


@reply
class TraceLogs(TypedDict):
    """The log lines of a trace."""

    lines: Annotated[list[TraceLogEntry], Field(description="by time")]
    left_out: Annotated[int, Field(description="lines beyond the limit, the last ones")]
    links: list[LogLink]


@reply
class LogPage(TypedDict):
    """The last log lines of a function or service."""

    lines: Annotated[list[LogEntry], Field(description="by time")]
    left_out: Annotated[
        int, Field(description="lines of the window beyond the limit, the first ones")
    ]
    traces_left_out: Annotated[
        bool,
        Field(
            description=f"of an environment: only its newest {MOST_SELECTED_TRACES:,} traces were looked for lines"
        ),
    ]
