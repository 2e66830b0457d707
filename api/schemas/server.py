"""State of the server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import reply


class IngestStatus(TypedDict):
    """What the server's receivers have done since they started, all processes together."""

    received: Annotated[int, Field(description="documents")]
    stored: int
    rejected: int
    dropped: int
    kernel_drops: Annotated[
        int | None, Field(description="datagrams dropped by the kernel; null when unknown")
    ]
    rejected_by_reason: dict[str, int]
    queued: Annotated[int, Field(description="documents in memory")]
    journal_bytes: Annotated[int, Field(description="in the journal, waiting for the database")]
    oldest_s: Annotated[float, Field(description="age of the oldest document not yet stored")]


class UnhealthyThresholds(TypedDict):
    """From when on a service is shown as unhealthy; a console may have its own."""

    share: Annotated[float, Field(description="of its requests that failed, 0 to 1")]
    count: Annotated[int, Field(description="of failed requests; both must be reached")]


@reply
class ServerStatus(TypedDict):
    """State of the server."""

    version: str
    ready: Annotated[bool, Field(description="the store answers queries")]
    detail: Annotated[str, Field(description="why it does not, else empty")]
    problems: Annotated[
        list[str],
        Field(description="as in /readyz: sentences with the command that helps; empty when well"),
    ]
    has_traces: Annotated[bool, Field(description="the store has received a trace at some time")]
    unhealthy: UnhealthyThresholds
    ingest: IngestStatus
