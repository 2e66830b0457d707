"""Rates, errors and latencies of services over time, for the Monitor tab of Jaeger's UI.

Jaeger reads them from Prometheus; here they are the map's figures. https://www.jaegertracing.io/docs/latest/architecture/spm/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.counted import counted_series, incomplete_header
from api.errors import ApiError
from api.graph.ratios import milliseconds
from api.request import require_short
from api.xray.entity_selector import of_pairs
from raymap.contrib.jaeger.params import MILLISECOND, parse_lookback, parse_units
from raymap.contrib.jaeger.schemas import JaegerMinStep
from raymap.contrib.jaeger.schemas_v3 import MetricFamily, MetricJson, MetricPoint
from store.graph import ServiceGraph, Statistics
from store.model import NodeKey, TimeRange
from store.query import Entities
from store.rules.histogram import percentiles
from store.rules.invocations import FUNCTION, SERVICE
from store.rules.namespaces import short_name
from store.times import HOUR, MINUTE, SECOND

MOST_POINTS = 1500
MOST_SERVICES = 20
SERVED = frozenset(("server", "consumer", "unspecified"))
"""Kinds of the spans that answer requests: those that the map counts at a node."""
KINDS = SERVED | {"client", "producer", "internal"}
Measure = Callable[[Statistics, float], float | None]
"""A figure of what happened in so many seconds; None where there is none."""


class Window(NamedTuple):
    """When, and in which steps (microseconds)."""

    whole: TimeRange
    step: int


def monitor_router(context: Context) -> APIRouter:
    """Everything below /jaeger/api/metrics."""
    router = APIRouter(prefix="/metrics")

    def add(path: str, name: str, words: str) -> None:
        @router.get(
            path,
            name=f"jaeger_metrics_{name}",
            response_class=Response,
            responses={200: {"model": MetricFamily}},
            description=f"{words}, in steps of the window. Of `groupByOperation` one point for the whole window.",
        )
        async def metric(
            request: Request,
            service: Annotated[Sequence[str], Query(description="names of services")] = (),
            by_operation: Annotated[
                str, Query(alias="groupByOperation", description="true: each operation by itself")
            ] = "",
            quantile: Annotated[str, Query(description="of latencies, between 0 and 1")] = "",
            end: Annotated[str, Query(alias="endTs", description="end, epoch milliseconds")] = "",
            lookback: Annotated[str, Query(description="milliseconds; by default an hour")] = "",
            step: Annotated[str, Query(description="milliseconds; at least a minute or so")] = "",
            kinds: Annotated[
                Sequence[str], Query(alias="spanKind", description="by default server")
            ] = (),
        ) -> Response:
            names = [part for each in service for part in each.split(",service=") if part]
            if not names:
                raise ApiError(
                    "unable to parse param 'service': please provide at least one service name"
                )
            if len(names) > MOST_SERVICES:
                raise ApiError(f"service may be given {MOST_SERVICES} times, got {len(names)}")
            _require_served(kinds)
            measure = _latency(quantile) if name == "latencies" else MEASURES[name]
            requested = parse_lookback(end, lookback, round(context.clock() * SECOND), HOUR)
            window = _steps(context, requested, parse_units(step, "step", MILLISECOND) or MINUTE)
            grouped = by_operation.lower() in ("true", "1", "t")

            def work() -> Response:
                counted = context.counted_window(window.whole)
                family = _family(name, grouped)
                for each in names:
                    entities = _entities(counted.graph, each)
                    if not entities.is_empty:
                        read = _by_operation if grouped else _over_time
                        family["metrics"] += read(context, each, entities, window, measure)
                answer = json_response(family)
                answer.headers.update(incomplete_header(counted.backlog))
                return answer

            return await run_cancellable(request, work)

    add("/calls", "calls", "Requests a second")
    add("/errors", "errors", "The share of requests that were faults")
    add("/latencies", "latencies", "A quantile of response times in milliseconds")

    @router.get("/minstep", response_class=Response, responses={200: {"model": JaegerMinStep}})
    async def jaeger_metrics_minstep() -> Response:
        """The least step, in milliseconds."""
        return json_response(
            {"data": MINUTE // MILLISECOND, "total": 0, "limit": 0, "offset": 0, "errors": None}
        )

    return router


def _require_served(kinds: Iterable[str]) -> None:
    """ApiError (400) unless the kinds are of spans that answer requests."""
    for kind in kinds:
        if kind not in KINDS:
            raise ApiError(
                f"unable to parse param 'spanKind': unsupported span kind: {kind[:20]!r}"
            )
        if kind not in SERVED:
            raise ApiError(
                f"spanKind: the figures of a service are those of the requests that it served; {kind!r} is not counted"
            )


def _steps(context: Context, requested: TimeRange, step: int) -> Window:
    """The whole steps of a window: as requested, or the least that the store has and that are not too many. One that has not
    ended is none: its rate would be that of a service whose traffic breaks off."""
    grain = context.store.min_step(requested)
    step = max(step, -(-(requested.end - requested.start) // MOST_POINTS))
    step = -(-step // grain) * grain
    end = max(step, requested.end // step * step)
    return Window(TimeRange(min(requested.start // step * step, end - step), end), step)


def _entities(graph: ServiceGraph, service: str) -> Entities:
    """The nodes of a service by the name that Jaeger's lists have of it. Of a Lambda function what ran, not also that Lambda
    was requested to run it."""
    nodes = {
        key
        for key, stats in graph.services.items()
        if not key.is_client and service in (key.name, short_name(key, stats.names))
    }
    ran = {(key.account, key.name) for key in nodes if key.type == FUNCTION}
    nodes = {key for key in nodes if key.type != SERVICE or (key.account, key.name) not in ran}
    nothing: set[tuple[NodeKey, NodeKey]] = set()
    return of_pairs(graph, frozenset(nodes), nothing)


def _over_time(
    context: Context, service: str, entities: Entities, window: Window, measure: Measure
) -> list[MetricJson]:
    series = counted_series(context, entities, window.whole, window.step, None)
    starts = range(window.whole.start, window.whole.end, window.step)
    seconds = window.step / SECOND
    points = [
        _point(start + window.step, measure(series.get(start, Statistics()), seconds))
        for start in starts
    ]
    return [_metric({"service_name": service}, points)]


def _by_operation(
    context: Context, service: str, entities: Entities, window: Window, measure: Measure
) -> list[MetricJson]:
    whole = require_short(window.whole)
    seconds = (whole.end - whole.start) / SECOND
    found = context.store.operation_statistics(
        entities.nodes or entities.background, whole, background=not entities.nodes
    )
    return [
        _metric(
            # X-Ray's segments without an operation are called like their services.
            {"service_name": service, "operation": operation or service},
            [_point(whole.end, measure(statistics, seconds))],
        )
        for operation, statistics in sorted(found.items())
    ]


def _latency(text: str) -> Measure:
    """A quantile of response times, given as text; ApiError (400)."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ApiError(
            f"unable to parse param 'quantile': expected a number between 0 and 1, got {text[:20]!r}"
        )

    def measure(statistics: Statistics, seconds: float) -> float | None:
        [found] = percentiles(statistics.histogram, (share,))
        return None if found is None else milliseconds(found)

    return measure


def _calls(statistics: Statistics, seconds: float) -> float:
    return (statistics.total + statistics.in_progress) / seconds


def _errors(statistics: Statistics, seconds: float) -> float | None:
    return statistics.fault / statistics.total if statistics.total else None


MEASURES: Mapping[str, Measure] = {"calls": _calls, "errors": _errors}
_NAMES = {
    "calls": ("call_rate", "calls/sec, grouped by service"),
    "errors": (
        "error_rate",
        "error rate, computed as a fraction of errors/sec over calls/sec, grouped by service",
    ),
    "latencies": ("latencies", "latency in ms, grouped by service"),
}


def _family(name: str, grouped: bool) -> MetricFamily:
    """A family of metrics without any, as Jaeger names it."""
    suffix, help = _NAMES[name]
    prefix, more = ("service_operation", " & operation") if grouped else ("service", "")
    return {"name": f"{prefix}_{suffix}", "type": "GAUGE", "help": help + more, "metrics": []}


def _metric(labels: Mapping[str, str], points: list[MetricPoint]) -> MetricJson:
    """A metric; the first label is the one that Jaeger's UI takes for the service."""
    return {
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
        "metricPoints": points,
    }


def _point(at: int, value: float | None) -> MetricPoint:
    """A value at the end of its step; where there is none, NaN as protobuf's JSON spells it."""
    time = datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds")
    return {
        "timestamp": time.replace("+00:00", "Z"),
        "gaugeValue": {"doubleValue": "NaN" if value is None else round(value, 6)},
    }
