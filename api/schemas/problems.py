"""Shapes of /api/v1/problems."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Instant, TraceId, reply
from api.schemas.v1 import NamedNode, Span

ProblemState = Literal["active", "closed"]
ProblemMeasure = Literal["fault", "error", "throttle", "p50", "p90", "p99", "drop", "surge"]
Value = Annotated[
    float,
    Field(
        description="a share of requests; microseconds (p50, p90, p99); calls a minute (drop, surge)"
    ),
]


class ProblemRequests(TypedDict):
    """Finished requests since the problem began, scaled up if they are sampled."""

    ok: int
    fault: int
    total: int


class ProblemException(TypedDict):
    """The commonest exception."""

    name: str
    traces: Annotated[int, Field(description="failing traces with it")]
    read: Annotated[int, Field(description="failing traces that were read")]
    new: Annotated[
        bool, Field(description="no failing trace of the hour before, of 200 at most, has it")
    ]


class ProblemChange(TypedDict):
    """What changed just before."""

    kind: Literal["deployment", "edge"]
    at: Instant
    what: str


class ProblemSeries(TypedDict):
    """The measure over time, from ten minutes before the problem began."""

    start: Instant
    step: Annotated[int, Field(description="seconds")]
    values: Annotated[list[float | None], Field(description="null: no request")]


@reply
class ProblemLine(TypedDict):
    """A problem: what is not as usual at a node or an edge, and whom it reaches."""

    id: str
    state: ProblemState
    text: Annotated[str, Field(description="in one line")]
    since: Instant
    ended: Annotated[
        Instant | None, Field(description="the first good minute; null while it lasts")
    ]
    updated: Instant
    origin: NamedNode
    source: Annotated[
        NamedNode | None,
        Field(description="the caller, where the calls along an edge are the problem"),
    ]
    origin_from: Annotated[
        Literal["traces", "counts"],
        Field(description="whether failing traces confirm the origin that the counts give"),
    ]
    failures_begin_at: Annotated[
        NamedNode | None,
        Field(description="where most failing traces begin to fail, if it is not the origin"),
    ]
    measure: ProblemMeasure
    usual: Value
    now: Value
    entries: Annotated[list[NamedNode], Field(description="affected, and called by clients")]
    callers: Annotated[list[NamedNode], Field(description="affected, and not called by clients")]
    clients: Annotated[ProblemRequests, Field(description="from clients to the entries")]
    requests: Annotated[ProblemRequests, Field(description="of the origin")]
    exception: ProblemException | None
    changes: Annotated[list[ProblemChange], Field(description="the nearest first")]
    series: ProblemSeries | None
    traces: Annotated[
        str, Field(description="path in this API: the traces of the origin that are affected")
    ]
    muted_until: Instant | None


class ProblemSymptom(TypedDict):
    """A measure that is not as usual, and belongs to the problem."""

    node: NamedNode
    source: Annotated[NamedNode | None, Field(description="the caller, of the calls along an edge")]
    measure: ProblemMeasure
    since: Instant
    usual: Value
    now: Value
    requests: Annotated[float, Field(description="a minute")]
    traces: Annotated[str, Field(description="path in this API: the traces that are affected")]


class ProblemEvent(TypedDict):
    """What happened to the problem."""

    kind: Literal["opened", "grew", "shrank", "joined", "origin", "again", "closed"]
    at: Instant
    text: str


@reply
class ProblemList(Span):
    """Problems that lasted at some time of the window: those that last first, the worst first; then the latest."""

    minutes_counted: Annotated[
        int,
        Field(
            description="minutes of the last day that are counted: of fewer than `minutes_needed` it is not known what is usual"
        ),
    ]
    minutes_needed: int
    judged_until: Annotated[
        float | None,
        Field(
            description="until when minutes were judged, epoch seconds: of later ones no problem is known. null: this server has not judged any since it started"
        ),
    ]
    problems: list[ProblemLine]


@reply
class ProblemDetails(ProblemLine):
    """A problem with all that is known of it."""

    symptoms: list[ProblemSymptom]
    events: Annotated[list[ProblemEvent], Field(description="the newest first")]
    examples: Annotated[list[TraceId], Field(description="traces of the origin that are affected")]
