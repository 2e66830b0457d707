"""Shapes of version 3 of Jaeger's query API: its protobuf messages in JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import reply
from raymap.contrib.jaeger.schemas import JaegerDependency, JaegerOperation

Nanoseconds = Annotated[str, Field(description="since the epoch, as decimal digits")]


class GatewayError(TypedDict):
    """What was wrong."""

    httpCode: int
    message: str


@reply
class Failure(TypedDict):
    """The body of every response with a status from 400 on."""

    error: GatewayError


@reply
class ServiceNames(TypedDict):
    """Names of services."""

    services: list[str]


@reply
class OperationNames(TypedDict):
    """Operations of a service, by kind of span."""

    operations: list[JaegerOperation]


@reply
class Dependencies(TypedDict):
    """Calls between services."""

    dependencies: list[JaegerDependency]


class ServiceSummary(TypedDict):
    """The spans of a service in a trace."""

    name: str
    spanCount: int
    errorSpanCount: Annotated[int, Field(description="spans whose own status is an error")]


class TraceSummary(TypedDict):
    """What a search result says of a trace."""

    traceId: Annotated[str, Field(description="32 hex digits")]
    rootServiceName: Annotated[str, Field(description="empty if each span has a parent")]
    rootOperationName: str
    minStartTimeUnixNano: Nanoseconds
    maxEndTimeUnixNano: Nanoseconds
    spanCount: int
    errorSpanCount: int
    orphanSpanCount: Annotated[int, Field(description="spans whose parent is not stored")]
    services: Annotated[list[ServiceSummary], Field(description="by name")]


@reply
class TraceSummaries(TypedDict):
    """The traces that a search found, newest first."""

    summaries: list[TraceSummary]


class TracesJson(TypedDict):
    """OTLP's TracesData in JSON."""

    resourceSpans: list[Any]


@reply
class OtlpTraces(TypedDict):
    """Traces as OTLP in JSON, in the envelope of a stream."""

    result: TracesJson


class MetricLabel(TypedDict):
    """A label of a metric."""

    name: str
    value: str


class GaugeValue(TypedDict):
    """A value, ``NaN`` where there is none."""

    doubleValue: float | Literal["NaN"]


class MetricPoint(TypedDict):
    """The value of a step, at its end."""

    timestamp: Annotated[str, Field(description="RFC 3339")]
    gaugeValue: GaugeValue


class MetricJson(TypedDict):
    """The values of a service, or of one of its operations."""

    labels: list[MetricLabel]
    metricPoints: list[MetricPoint]


@reply
class MetricFamily(TypedDict):
    """Values of one kind."""

    name: str
    type: Literal["GAUGE"]
    help: str
    metrics: list[MetricJson]
