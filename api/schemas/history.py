"""What /api/v1/history answers (docs/api.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Freshness, Instant, Latency, reply
from api.schemas.v1 import DeploymentMark, NamedNode, Span


class HistoryPoint(TypedDict):
    """The units that started in one step."""

    start: Instant
    requests: int
    error: int
    throttle: int
    fault: int
    p50_ms: Latency
    p95_ms: Latency


class UsualBand(TypedDict):
    """What is usual in the steps of an hour, or of a quarter of one."""

    start: Instant
    end: Instant
    basis: Annotated[
        Literal["weeks", "yesterday", "hour"],
        Field(
            description="by the same hour of this weekday in the last four weeks, of at least two; by yesterday's, with the hours beside it; or by the 60 minutes before, as far as they are known"
        ),
    ]
    minutes: Annotated[int, Field(description="how many it is by")]
    requests_low: Annotated[float, Field(description="of a step")]
    requests_high: float
    fault_share: Annotated[
        float, Field(description="the highest share of faults of these hours, 0 to 1")
    ]
    p95_low_ms: Latency
    p95_high_ms: Latency


class HistoryProblem(TypedDict):
    """A problem that lasted at some time of the window."""

    id: str
    text: str
    since: Instant
    ended: Annotated[float | None, Field(description="null: it lasts")]
    origin: NamedNode


@reply
class History(Span, Freshness):
    """A day, or another window, in steps that are aligned to the epoch and cover it."""

    step: Annotated[int, Field(description="seconds")]
    points: Annotated[list[HistoryPoint], Field(description="every step, those without units too")]
    usual: Annotated[
        list[UsualBand],
        Field(
            description="in order, by hour or quarter of an hour; absent where too little is known, and in windows of over two days"
        ),
    ]
    usual_since: Annotated[
        float | None,
        Field(
            description="from when on something will be known where nothing is yet, if anything was counted"
        ),
    ]
    deployments: Annotated[list[DeploymentMark], Field(description="the latest first")]
    deployments_left_out: int
    problems: Annotated[list[HistoryProblem], Field(description="the latest first")]
    problems_left_out: int
