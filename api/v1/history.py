"""How a day went: requests, faults and times in steps, what is usual then, deployments and problems. In one answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from api.console.charts import step_of
from api.context import Context
from api.counted import complete_until, freshness
from api.errors import ApiError
from api.graph.ratios import milliseconds
from api.problems.record import Record, read
from api.problems.render import named
from api.request import window_of
from api.schemas.common import Freshness, Instant, Latency, reply
from api.schemas.v1 import DeploymentMark, NamedNode, Span
from api.v1.deployments import mark
from api.v1.graph import span
from api.v1.params import From, To, moment
from api.v1.part import v1_part
from api.v1.time_series import EDGE, NODE, entities_of
from api.v1.usual import Known, Steps, Usual, usual_in, whole_hours
from store.graph import Statistics
from store.missing import lacks
from store.model import TimeRange
from store.query import Backlog, Entities
from store.rules.histogram import percentiles
from store.times import DAY, MINUTE, SECOND


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


MOST = 500
SECONDS = 300.0
NOTHING = Known(())


class UsualCache:
    """What was usual, remembered for some minutes: the hours that say so are over, and only late documents change them.

    An LRU cache, shared by threads.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, Known]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, now: float, work: Callable[[], Known]) -> Known:
        """What ``work`` returned some minutes ago at most, by a clock (seconds)."""
        with self._lock:
            at, found = self._known.get(key, (0.0, NOTHING))
        if 0 <= now - at < SECONDS:
            return found
        found = work()
        if lacks():  # it will have the rest when that is back
            return found
        with self._lock:
            self._known[key] = now, found
            self._known.move_to_end(key)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found


MOST_STEPS = 300
LONGEST_WITH_USUAL = 2 * DAY
MOST_DEPLOYMENTS = 100
MOST_PROBLEMS = 100
MOST_READ = 1000
EMPTY = Statistics()


def history_router(context: Context) -> APIRouter:
    """/api/v1/history."""
    router = v1_part()
    known = UsualCache()

    @router.get("/history", response_class=Response, responses={200: {"model": History}})
    async def get_history(
        request: Request,
        start: From = "-24h",
        end: To = "now",
        node: Annotated[str, NODE] = "",
        edge: Annotated[str, EDGE] = "",
    ) -> Response:
        """Requests, faults and response times of a day, with what is usual then, deployments and problems."""
        if node and edge:
            raise ApiError("node and edge exclude each other, got both")
        now = context.now() // SECOND * SECOND
        window = window_of(moment(start, "from", now), moment(end, "to", now), "from", "to")
        work = partial(history, context, known, node or edge)
        return await context.share_window(request, ("history", node, edge), window, work)

    return router


def history(context: Context, known: UsualCache, place: str, window: TimeRange) -> History:
    """Of a node or edge, by id, or of all requests that enter; ApiError (404) for a place without traffic."""
    step = max(MINUTE, step_of(window, MOST_STEPS))
    whole = TimeRange(window.start // step * step, -(-window.end // step) * step)
    past = TimeRange(whole.start, max(whole.start, min(whole.end, context.now())))
    entities, backlog = _counted(context, place, whole)
    settled = context.settled_before()
    buckets = context.store.entity_series(entities, whole, step, settled_before=settled)
    found = {bucket.start: bucket.statistics for bucket in buckets}
    usual = _usual(context, known, entities, whole, step, complete_until(past, backlog))
    deployments = context.store.deployments(whole, limit=MOST_READ)
    problems = context.store.find_problems(whole, limit=MOST_READ)
    return {
        **span(whole),
        **freshness(past, backlog),
        "step": step // SECOND,
        "points": [_point(at, found.get(at, EMPTY)) for at in range(whole.start, whole.end, step)],
        "usual": list(map(_band, usual.usual)),
        "usual_since": None if usual.since is None else usual.since / SECOND,
        "deployments": [mark(each) for each in deployments[:MOST_DEPLOYMENTS]],
        "deployments_left_out": len(deployments[MOST_DEPLOYMENTS:]),
        "problems": [_problem(read(each)) for each in problems[:MOST_PROBLEMS]],
        "problems_left_out": len(problems[MOST_PROBLEMS:]),
    }


def _counted(context: Context, place: str, window: TimeRange) -> tuple[Entities, Backlog | None]:
    """What is counted, and what may be missing from it. Only a place needs the graph, which says what its keys are."""
    if not place:
        return Entities(entries=True), context.store.backlog(window)
    counted = context.counted_window(window)
    return entities_of(counted.graph, place), counted.backlog


def _usual(
    context: Context,
    known: UsualCache,
    entities: Entities,
    window: TimeRange,
    step: int,
    until: int,
) -> Known:
    if window.end - window.start > LONGEST_WITH_USUAL:
        return NOTHING
    settled = context.settled_before()

    def read(each: TimeRange, step: int) -> Steps:
        buckets = context.store.entity_series(entities, each, step, settled_before=settled)
        return {bucket.start: bucket.statistics for bucket in buckets}

    hours = whole_hours(window)
    work = partial(usual_in, hours, step, until, read)
    return known.get((entities, hours, step), context.clock(), work)


def _point(start: int, statistics: Statistics) -> HistoryPoint:
    p50, p95 = percentiles(statistics.histogram, (0.5, 0.95))
    return {
        "start": start / SECOND,
        "requests": statistics.total,
        "error": statistics.error,
        "throttle": statistics.throttle,
        "fault": statistics.fault,
        "p50_ms": _ms(p50),
        "p95_ms": _ms(p95),
    }


def _band(usual: Usual) -> UsualBand:
    low, high = usual.p95 or (None, None)
    return {
        "start": usual.start / SECOND,
        "end": usual.end / SECOND,
        "basis": usual.basis,
        "minutes": usual.minutes,
        "requests_low": round(usual.low, 1),
        "requests_high": round(usual.high, 1),
        "fault_share": round(usual.fault_share, 5),
        "p95_low_ms": _ms(low),
        "p95_high_ms": _ms(high),
    }


def _ms(time: float | None) -> float | None:
    return None if time is None else milliseconds(time)


def _problem(record: Record) -> HistoryProblem:
    return {
        "id": str(record.id),
        "text": record.text,
        "since": record.since / SECOND,
        "ended": record.ended / SECOND or None,
        "origin": named(record.problem.origin),
    }
