"""Metrics of TraceQL below /tempo/api/metrics."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.counted import INCOMPLETE
from api.errors import ApiError
from raymap.contrib.tempo.metrics import MOST_EXEMPLARS, Measured, Steps, measure, steps_of
from raymap.contrib.tempo.params import End, Start, TraceQL, parse_query, parse_step, parse_window
from raymap.contrib.tempo.schemas import TempoInstant, TempoRange
from raymap.contrib.tempo.traceql import ast

OlderTraceQL = Annotated[str, Query(alias="query", description="the same by its older name")]
Since = Annotated[str, Query(description="such as 1h, instead of a start")]


def metrics_router(context: Context) -> APIRouter:
    """Everything below /tempo/api/metrics."""
    router = APIRouter(prefix="/metrics")

    @router.get("/query_range", response_class=Response, responses={200: {"model": TempoRange}})
    async def tempo_query_range(
        request: Request,
        q: TraceQL = "",
        older: OlderTraceQL = "",
        start: Start = "",
        end: End = "",
        since: Since = "",
        step: Annotated[
            str, Query(description="seconds, or such as 30s; by default some 240 steps")
        ] = "",
        exemplars: Annotated[str, Query(description="spans to name, at most 100")] = "",
    ) -> Response:
        """What a query with metrics counts in each step that has ended. A header, and `status`, say when steps are missing."""
        query, metrics = _measured_query(q or older)
        window = parse_window(start, end, since, context.now())
        steps = steps_of(window, parse_step(step, window))
        most = min(MOST_EXEMPLARS, int(exemplars)) if exemplars.isdecimal() else 0

        def work() -> Response:
            found = measure(context, query, metrics, steps, most)
            series = [
                {
                    "labels": each.labels,
                    "samples": [
                        {"timestampMs": str(steps.end_of(number) // 1000), "value": value}
                        for number, value in sorted(each.values.items())
                    ],
                    "exemplars": each.exemplars,
                }
                for each in found.series
            ]
            return _measured(series, found)

        return await run_cancellable(request, work)

    @router.get("/query", response_class=Response, responses={200: {"model": TempoInstant}})
    async def tempo_query(
        request: Request,
        q: TraceQL = "",
        older: OlderTraceQL = "",
        start: Start = "",
        end: End = "",
        since: Since = "",
    ) -> Response:
        """What a query with metrics counts in the whole window."""
        query, metrics = _measured_query(q or older)
        window = parse_window(start, end, since, context.now())
        steps = Steps(window.start, window.end - window.start, 1)

        def work() -> Response:
            found = measure(context, query, metrics, steps)
            series = [
                {"labels": e.labels, "value": v} for e in found.series for v in e.values.values()
            ]
            return _measured(series, found)

        return await run_cancellable(request, work)

    return router


def _measured_query(text: str) -> tuple[ast.Query, ast.Metrics]:
    query = parse_query(text)
    if query.metrics is None:
        raise ApiError("the query has no metrics: end it with a function such as | rate()")
    return query, query.metrics


def _measured(series: list[Any], found: Measured) -> Response:
    body: dict[str, Any] = {"series": series, "metrics": found.metrics}
    if found.stopped is None:
        return json_response(body)
    if not series:
        raise ApiError(found.stopped, status=503)
    answer = json_response({**body, "status": "PARTIAL", "message": found.stopped})
    answer.headers[INCOMPLETE] = found.stopped
    return answer
