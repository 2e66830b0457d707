"""Lists of traces, single traces, pins."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Figure, Filtered, Instant, JsonObject, Status, TraceId, reply
from api.schemas.map import Picture


@reply
class TraceFigure(Figure):
    """A chart of traces by start and response time."""

    shown: Annotated[int, Field(description="traces in the chart")]
    total: Annotated[int, Field(description="matching traces; a lower bound unless counted_all")]
    counted_all: Annotated[bool, Field(description="false when counting was ended early")]


class Entry(TypedDict):
    """The service by which a trace entered."""

    name: str
    type: str


class InnerCounts(TypedDict):
    """Segments and calls of a trace, the entry aside, that failed."""

    error: int
    throttle: int
    fault: int


class TraceHead(TypedDict):
    """Summary of a trace."""

    id: TraceId
    start: Instant
    duration_ms: Annotated[float, Field(description="from the first start to the last end")]
    response_ms: Annotated[float | None, Field(description="of the entry; null in progress")]
    status: Annotated[Status, Field(description="of the entry segment")]
    partial: Annotated[bool, Field(description="a segment is missing or in progress")]
    entry: Entry | None
    method: str | None
    url: str | None
    code: Annotated[int | None, Field(description="HTTP status")]
    user: str | None
    inner: InnerCounts


class TraceLine(TraceHead):
    """A trace in a list."""

    status_there: Annotated[
        Status | None,
        Field(description="worst of its units at the node or edge searched for; null without one"),
    ]
    units_there: Annotated[
        int | None, Field(description="units there that match, by weight; null without one")
    ]

    services: Annotated[list[str], Field(description="names of the nodes touched, entry first")]
    segments: int
    annotations: dict[str, list[str | float | bool]]


@reply
class TraceList(TypedDict):
    """A page of traces."""

    traces: Annotated[list[TraceLine], Field(description="newest first")]
    next: Annotated[str | None, Field(description="cursor of the next page; null on the last")]
    total: Annotated[
        int | None,
        Field(
            description="matching traces, where the first page has them all; else null: the chart counts them"
        ),
    ]
    sorted: Annotated[
        Filtered | None,
        Field(description="which traces were sorted by response time; null when sorted by start"),
    ]
    matching_units: Annotated[
        int | None,
        Field(
            description="units that the map counts at the node or edge searched for; null without "
            "one, or with a filter expression"
        ),
    ]


class Difference(TypedDict):
    """An attribute in which the selected traces differ from the rest."""

    filter: Annotated[str, Field(description="the attribute as a filter expression")]
    selected: Annotated[int, Field(description="selected traces that satisfy it")]
    rest: Annotated[int, Field(description="others that do")]
    same: Annotated[
        list[str],
        Field(description="further attributes that select the same traces, at least 90 %"),
    ]


class DistinctValues(TypedDict):
    """A field whose values hardly ever repeat, such as the number of an order."""

    field: str
    values: Annotated[int, Field(description="of the selected traces")]


@reply
class TraceDifferences(TypedDict):
    """A selection of traces against comparable others: those of the same node, edge and filter without its parts
    about status and latency; at most 2,000 of each."""

    selected: int
    rest: int
    words: Annotated[str, Field(description="which sets these are")]
    attributes: Annotated[
        list[Difference],
        Field(
            description="at most ten that chance does not explain, the most telling first; "
            "each with at least five selected traces and 5 % of them"
        ),
    ]
    distinct: list[DistinctValues]


@reply
class TypicalTrace(TypedDict):
    """What to compare a trace with."""

    id: TraceId
    trace: Annotated[
        TraceHead | None,
        Field(description="of the traces compared, the one nearest to their median response time"),
    ]
    compared: Annotated[
        int,
        Field(description="complete traces of the same entry, method and path that went well"),
    ]
    median_ms: Annotated[float | None, Field(description="of their response times")]


class TraceRow(TypedDict):
    """One row of a trace's timeline."""

    id: str
    parent: Annotated[str | None, Field(description="id of another row")]
    depth: int
    kind: Literal["segment", "subsegment", "inferred"]
    name: str
    type: str
    namespace: Annotated[str, Field(description="aws, remote or empty")]
    service: Annotated[str, Field(description="name of the owning segment")]
    start_ms: Annotated[float, Field(description="after the start of the trace")]
    duration_ms: Annotated[float | None, Field(description="null while in progress")]
    status: Status
    code: Annotated[int | None, Field(description="HTTP status")]
    exception: Annotated[str, Field(description="type of the first exception, or empty")]


class PathPiece(TypedDict):
    """A part of a trace's critical path."""

    row: Annotated[str | None, Field(description="id of a row; null while nothing ran")]
    from_ms: Annotated[float, Field(description="after the start of the trace")]
    to_ms: float


class ServiceTime(TypedDict):
    """What a service spent of a trace's time."""

    service: str
    rows: int
    self_ms: Annotated[
        float, Field(description="while a row of the service ran and nothing below it did")
    ]
    path_ms: Annotated[float, Field(description="on the critical path")]


class ClockSkew(TypedDict):
    """A service whose clock is not its caller's."""

    service: str
    row: Annotated[str, Field(description="id of the row that shows it")]
    ahead_ms: Annotated[
        float,
        Field(
            description="of its caller's clock, at least; negative: it began before it was called"
        ),
    ]


class RawSegment(TypedDict):
    """A processed document as BatchGetTraces returns it, parsed."""

    Id: str
    Document: JsonObject


class PinMark(TypedDict):
    """Since when a trace is retained indefinitely, and why."""

    note: str
    at: Instant


@reply
class PinnedTrace(PinMark):
    """A trace that is retained indefinitely."""

    id: TraceId


@reply
class PinList(TypedDict):
    """All pinned traces."""

    pins: Annotated[list[PinnedTrace], Field(description="latest first")]


@reply
class TraceReport(TraceHead):
    """A whole trace without pictures."""

    w3c_id: Annotated[str, Field(description="32 hex digits")]
    rows: Annotated[
        list[TraceRow], Field(description="depth first, children by start; the first 10,000")
    ]
    left_out: Annotated[int, Field(description="rows beyond these; BatchGetTraces has them all")]
    critical_path: Annotated[
        list[PathPiece],
        Field(description="at each instant the row that was waited for, from the first start on"),
    ]
    services: Annotated[
        list[ServiceTime], Field(description="the longest on the critical path first")
    ]
    clocks: Annotated[
        list[ClockSkew],
        Field(description="by calls whose answers lie outside of them, the furthest first"),
    ]
    documents: Annotated[
        dict[str, JsonObject],
        Field(description="by row id: the processed document without its subsegments"),
    ]
    segments: Annotated[int, Field(description="segment documents, inferred ones included")]
    masked: Annotated[
        dict[str, int],
        Field(description="values that rules of redaction have masked, by the rule's name"),
    ]


@reply
class TraceDetail(TraceReport):
    """A whole trace."""

    pin: PinMark | None
    map: Annotated[Picture, Field(description="of this trace only, each unit counted once")]


@reply
class RawTrace(TypedDict):
    """The documents of a trace."""

    raw: Annotated[list[RawSegment], Field(description="as BatchGetTraces returns them")]
    left_out: Annotated[int, Field(description="documents beyond the first 10,000")]
