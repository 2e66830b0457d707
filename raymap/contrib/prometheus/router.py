"""Prometheus' query API below /prometheus (docs/api.md), for Grafana's Prometheus data source.

https://prometheus.io/docs/prometheus/latest/querying/api/; parameters that Prometheus does not know are ignored, as it does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.counted import incomplete_words
from raymap.contrib.prometheus import TAG
from raymap.contrib.prometheus.ast import Expression, Matcher, longest_range
from raymap.contrib.prometheus.evaluate import MOST_SERIES, Vector, evaluate
from raymap.contrib.prometheus.params import Params
from raymap.contrib.prometheus.parse import parse, parse_selector
from raymap.contrib.prometheus.samples import METADATA, Values, no_samples, read_samples, series_of
from raymap.contrib.prometheus.schemas import (
    PrometheusBuildInfo,
    PrometheusLabels,
    PrometheusMetadata,
    PrometheusResult,
    PrometheusTexts,
)
from store.model import TimeRange
from store.times import MINUTE, SECOND

QUERY = Query(
    description="PromQL: rate and increase, aggregations by labels, histogram_quantile, arithmetic"
)
TIME = Query(description="epoch seconds or RFC 3339; by default now")
STEP = Query(description="seconds, or as 1m")
MATCH = Query(alias="match[]", description="selectors of series; any of them")
LIMIT = Query(description="how many at most")


def prometheus_router(context: Context) -> APIRouter:
    """Everything below /prometheus."""
    router = APIRouter(prefix="/prometheus/api/v1", tags=[TAG["name"]])
    _add_queries(router, context)
    _add_names(router, context)
    _add_server(router, context)
    return router


def _add_queries(router: APIRouter, context: Context) -> None:
    responses: dict[int | str, dict[str, Any]] = {200: {"model": PrometheusResult}}

    async def prometheus_query(
        request: Request,
        query: Annotated[str, QUERY] = "",
        time: Annotated[str, TIME] = "",
    ) -> Response:
        """The value of an expression at one instant."""
        params = await Params.of(request)
        expression, at = parse(params.text("query")), params.instant("time", context.now())

        def work() -> Response:
            found, warnings = _evaluated(context, expression, [at])
            if isinstance(found, dict):
                result = [
                    {"metric": dict(sorted(labels)), "value": _sample(at, values[0])}
                    for labels, values in _ordered(found)
                ]
                return _success({"resultType": "vector", "result": result}, warnings)
            return _success({"resultType": "scalar", "result": _sample(at, found[0])}, warnings)

        return await run_cancellable(request, work)

    async def prometheus_query_range(
        request: Request,
        query: Annotated[str, QUERY] = "",
        start: Annotated[str, TIME] = "",
        end: Annotated[str, TIME] = "",
        step: Annotated[str, STEP] = "",
    ) -> Response:
        """The values of an expression in steps."""
        params = await Params.of(request)
        steps, expression = params.steps(), parse(params.text("query"))

        def work() -> Response:
            instants = steps.instants
            found, warnings = _evaluated(context, expression, instants)
            rows = _ordered(found) if isinstance(found, dict) else [(frozenset(), found)]
            result = [
                {
                    "metric": dict(sorted(labels)),
                    "values": [_sample(*each) for each in zip(instants, values, strict=True)],
                }
                for labels, values in rows
            ]
            return _success({"resultType": "matrix", "result": result}, warnings)

        return await run_cancellable(request, work)

    _both(router, "/query", prometheus_query, responses)
    _both(router, "/query_range", prometheus_query_range, responses)


def _add_names(router: APIRouter, context: Context) -> None:
    texts: dict[int | str, dict[str, Any]] = {200: {"model": PrometheusTexts}}

    async def prometheus_labels(
        request: Request,
        match: Annotated[Sequence[str], MATCH] = (),
        start: Annotated[str, TIME] = "",
        end: Annotated[str, TIME] = "",
        limit: Annotated[str, LIMIT] = "",
    ) -> Response:
        """Names of labels, by default of the last hour."""
        params = await Params.of(request)
        return await _listed(request, context, params, lambda labels: labels)

    async def prometheus_label_values(
        request: Request,
        name: str,
        match: Annotated[Sequence[str], MATCH] = (),
        start: Annotated[str, TIME] = "",
        end: Annotated[str, TIME] = "",
        limit: Annotated[str, LIMIT] = "",
    ) -> Response:
        """Values of a label, by default of the last hour."""
        params = await Params.of(request)
        return await _listed(
            request, context, params, lambda labels: [labels[name]] if name in labels else []
        )

    async def prometheus_series(
        request: Request,
        match: Annotated[Sequence[str], MATCH] = (),
        start: Annotated[str, TIME] = "",
        end: Annotated[str, TIME] = "",
        limit: Annotated[str, LIMIT] = "",
    ) -> Response:
        """Series that selectors find, by default of the last hour."""
        params = await Params.of(request)
        selectors = _selectors(params)
        window, most = params.window(context.now()), params.limit(MOST_SERIES)

        def work() -> Response:
            found = list(islice(_matching(context, window, selectors), most + 1))
            return _at_most(most, found, _warnings(context, window))

        return await run_cancellable(request, work)

    _both(router, "/labels", prometheus_labels, texts)
    router.get("/label/{name}/values", response_class=Response, responses=texts)(
        prometheus_label_values
    )
    _both(router, "/series", prometheus_series, {200: {"model": PrometheusLabels}})


def _add_server(router: APIRouter, context: Context) -> None:
    @router.get(
        "/metadata", response_class=Response, responses={200: {"model": PrometheusMetadata}}
    )
    async def prometheus_metadata(
        metric: Annotated[str, Query(description="only this one")] = "",
    ) -> Response:
        """What metrics there are."""
        found = {
            name: [family._asdict()] for name, family in METADATA.items() if metric in ("", name)
        }
        return _success(found, [])

    @router.get(
        "/status/buildinfo",
        response_class=Response,
        responses={200: {"model": PrometheusBuildInfo}},
    )
    async def prometheus_buildinfo() -> Response:
        """Raymap's version."""
        others = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
        return _success({"version": context.version, **others}, [])


def _both(
    router: APIRouter,
    path: str,
    endpoint: Callable[..., Any],
    responses: dict[int | str, dict[str, Any]],
) -> None:
    """A route by GET, and by POST with a form, as Grafana asks by default."""
    router.get(path, response_class=Response, responses=responses)(endpoint)
    name = f"{endpoint.__name__}_form"
    router.post(path, name=name, response_class=Response, responses=responses)(endpoint)


async def _listed(
    request: Request,
    context: Context,
    params: Params,
    of: Callable[[dict[str, str]], Iterable[str]],
) -> Response:
    """Texts of all series, or of those that selectors find."""
    selectors = _selectors(params) if params.all("match[]") else [()]
    window, most = params.window(context.now()), params.limit(MOST_SERIES)

    def work() -> Response:
        found = sorted(
            {text for labels in _matching(context, window, selectors) for text in of(labels)}
        )
        return _at_most(most, found, _warnings(context, window))

    return await run_cancellable(request, work)


def _at_most(most: int, found: Sequence[Any], warnings: Sequence[str]) -> Response:
    """The first of what was found, with a warning in Prometheus' words if that is not all."""
    cut = ["results truncated due to limit"] if len(found) > most else []
    return _success(found[:most], [*cut, *warnings])


def _selectors(params: Params) -> Sequence[tuple[Matcher, ...]]:
    texts = params.all("match[]")
    if not texts:
        parse_selector("")  # says that one is missing
    return [parse_selector(text) for text in texts]


def _matching(
    context: Context, window: TimeRange, selectors: Sequence[tuple[Matcher, ...]]
) -> Iterator[dict[str, str]]:
    """The series of a window that any of some selectors finds."""
    for labels in series_of(context.service_graph(window)):
        if any(all(each.fits(labels) for each in matchers) for matchers in selectors):
            yield labels


def _evaluated(
    context: Context, expression: Expression, instants: Sequence[int]
) -> tuple[Vector | Values, list[str]]:
    """The value of an expression, and what is missing from it."""
    reach = longest_range(expression)
    if not reach:
        return evaluate(expression, instants, no_samples()), []
    minutes = max(1, round(reach / MINUTE))
    first = max(0, instants[0] // MINUTE - minutes)
    window = TimeRange(first * MINUTE, max(first + 1, instants[-1] // MINUTE) * MINUTE)
    return evaluate(expression, instants, read_samples(context, window)), _warnings(context, window)


def _warnings(context: Context, window: TimeRange) -> list[str]:
    backlog = context.store.backlog(window)
    return [incomplete_words(backlog)] if backlog else []


def _ordered(vector: Vector) -> list[tuple[frozenset[tuple[str, str]], Values]]:
    return sorted(vector.items(), key=lambda each: sorted(each[0]))


def _sample(at: int, value: float | np.floating[Any]) -> list[Any]:
    seconds = at / SECOND
    return [int(seconds) if seconds.is_integer() else seconds, _text(float(value))]


def _text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _success(data: object, warnings: Sequence[str]) -> Response:
    body = {"status": "success", "data": data}
    return json_response({**body, "warnings": warnings} if warnings else body)
