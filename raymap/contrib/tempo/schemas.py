"""Shapes of Tempo's query API, as Grafana's data source reads them (tempopb, in protobuf's JSON: 64-bit integers are text)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import reply

Nanoseconds = Annotated[str, Field(description="nanoseconds, as text")]
Partial = Annotated[Literal["PARTIAL"], Field(description="only if something is missing")]


class TempoArray(TypedDict):
    """A list of values."""

    values: list[Any]


class TempoValue(TypedDict, total=False):
    """A value: one of these."""

    stringValue: str
    boolValue: bool
    intValue: Annotated[str, Field(description="a whole number, as text")]
    doubleValue: float | str
    arrayValue: TempoArray


class TempoAttribute(TypedDict):
    """An attribute."""

    key: str
    value: TempoValue


class TempoSpan(TypedDict):
    """A span that matches."""

    spanID: Annotated[str, Field(description="16 hex digits")]
    name: str
    startTimeUnixNano: Nanoseconds
    durationNanos: Nanoseconds
    attributes: Annotated[
        list[TempoAttribute], Field(description="those that the query names, if the span has them")
    ]


class TempoSpanSet(TypedDict):
    """Spans of a trace that match."""

    spans: list[TempoSpan]
    matched: Annotated[int, Field(description="how many match; `spans` has the first of them")]
    attributes: NotRequired[
        Annotated[list[TempoAttribute], Field(description="by what they are grouped; aggregates")]
    ]


class ServiceStats(TypedDict):
    """How many spans a service has in a trace."""

    spanCount: int
    errorCount: int


class FoundTrace(TypedDict):
    """A trace that a search found."""

    traceID: Annotated[str, Field(description="32 hex digits")]
    rootServiceName: str
    rootTraceName: str
    startTimeUnixNano: Nanoseconds
    durationMs: int
    spanSet: Annotated[TempoSpanSet, Field(description="the first of `spanSets`")]
    spanSets: list[TempoSpanSet]
    serviceStats: dict[str, ServiceStats]


class SearchMetrics(TypedDict):
    """What a search cost."""

    inspectedTraces: Annotated[int, Field(description="traces that were read")]
    inspectedSpans: Annotated[str, Field(description="their spans, as text")]
    completedJobs: int
    totalJobs: int


class NoMetrics(TypedDict):
    """What a list of tags cost: nothing is said of it."""


@reply
class TempoSearch(TypedDict):
    """Traces, newest first."""

    traces: list[FoundTrace]
    metrics: SearchMetrics


class TagScope(TypedDict):
    """Names of tags in a scope."""

    name: str
    tags: list[str]


@reply
class TempoTags(TypedDict):
    """Names of tags."""

    tagNames: list[str]
    metrics: NoMetrics


@reply
class TempoScopedTags(TypedDict):
    """Names of tags by scope."""

    scopes: list[TagScope]
    metrics: NoMetrics


class TagValue(TypedDict):
    """A value of a tag."""

    type: Annotated[str, Field(description="string, int, float, bool, duration or keyword")]
    value: str


@reply
class TempoTagValues(TypedDict):
    """Values of a tag."""

    tagValues: list[str]
    metrics: NoMetrics


@reply
class TempoTypedTagValues(TypedDict):
    """Values of a tag with their types."""

    tagValues: list[TagValue]
    metrics: NoMetrics


class Sample(TypedDict):
    """A value at the end of its step."""

    timestampMs: Annotated[str, Field(description="epoch milliseconds, as text")]
    value: float


class Exemplar(TypedDict):
    """A span that was counted."""

    labels: Annotated[list[TempoAttribute], Field(description="`trace:id`")]
    value: float
    timestampMs: str


class TimeSeries(TypedDict):
    """A value in each step that has one."""

    labels: list[TempoAttribute]
    samples: list[Sample]
    exemplars: list[Exemplar]


@reply
class TempoRange(TypedDict):
    """Metrics over time."""

    series: list[TimeSeries]
    metrics: SearchMetrics
    status: NotRequired[Partial]
    message: NotRequired[str]


class InstantSeries(TypedDict):
    """A value of the whole window."""

    labels: list[TempoAttribute]
    value: float


@reply
class TempoInstant(TypedDict):
    """Metrics of a window."""

    series: list[InstantSeries]
    metrics: SearchMetrics
    status: NotRequired[Partial]
    message: NotRequired[str]


@reply
class TempoTrace(TypedDict):
    """A trace as OTLP in protobuf's JSON: ids in base64."""

    batches: list[dict[str, Any]]


@reply
class TempoTraceV2(TypedDict):
    """A trace, and whether it is whole."""

    trace: Annotated[dict[str, Any], Field(description="OTLP in protobuf's JSON: ids in base64")]
    metrics: NoMetrics
    status: NotRequired[Partial]
    message: NotRequired[str]


@reply
class TempoBuild(TypedDict):
    """The version of the server."""

    version: str
    revision: str
    branch: str
    buildUser: str
    buildDate: str
    goVersion: str
