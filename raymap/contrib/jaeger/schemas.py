"""Shapes of Jaeger's query API, as its own UI and Grafana's data source read them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import reply
from api.schemas.v1 import SpanKind

Microseconds = Annotated[int, Field(description="since the epoch")]


class JaegerError(TypedDict):
    """What was wrong."""

    code: Annotated[int, Field(description="HTTP status")]
    msg: str
    traceID: NotRequired[str]


class Envelope(TypedDict):
    """What every answer has around its data."""

    total: int
    limit: int
    offset: int
    errors: list[JaegerError] | None


@reply
class JaegerFailure(Envelope):
    """The body of every response with a status from 400 on."""

    data: None


@reply
class JaegerNames(Envelope):
    """Names of services or of operations."""

    data: list[str]


class JaegerOperation(TypedDict):
    """An operation of a service."""

    name: str
    spanKind: SpanKind


@reply
class JaegerOperations(Envelope):
    """Operations of a service, by kind of span."""

    data: list[JaegerOperation]


class JaegerTag(TypedDict):
    """A key with a typed value; whole numbers beyond 2⁵³ are spelt as text."""

    key: str
    type: Literal["string", "bool", "int64", "float64", "binary"]
    value: Any


class JaegerReference(TypedDict):
    """A span's parent or a link."""

    refType: Literal["CHILD_OF", "FOLLOWS_FROM"]
    traceID: str
    spanID: str


class JaegerLog(TypedDict):
    """An event of a span."""

    timestamp: Microseconds
    fields: list[JaegerTag]


class JaegerSpan(TypedDict):
    """A span."""

    traceID: Annotated[str, Field(description="32 hex digits")]
    spanID: Annotated[str, Field(description="16 hex digits")]
    operationName: str
    references: list[JaegerReference]
    startTime: Microseconds
    duration: Annotated[int, Field(description="microseconds")]
    tags: list[JaegerTag]
    logs: list[JaegerLog]
    processID: str
    warnings: list[str] | None


class JaegerProcess(TypedDict):
    """What a service's spans have in common."""

    serviceName: str
    tags: list[JaegerTag]


class JaegerTrace(TypedDict):
    """A trace."""

    traceID: str
    spans: Annotated[list[JaegerSpan], Field(description="by start")]
    processes: dict[str, JaegerProcess]
    warnings: list[str] | None


@reply
class JaegerTraces(Envelope):
    """Traces."""

    data: list[JaegerTrace]


class JaegerDependency(TypedDict):
    """How often one service called another."""

    parent: str
    child: str
    callCount: int


@reply
class JaegerDependencies(Envelope):
    """Calls between services."""

    data: list[JaegerDependency]


@reply
class JaegerMinStep(Envelope):
    """The least step of the Monitor tab."""

    data: Annotated[int, Field(description="milliseconds")]
