"""Traces, or requests of services, counted by any dimensions, with a link to the traces of each number."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from api.console.params import FilterExpression, read_states
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import Graph, keys_of, node_id, stats_of
from api.graph.find import find_node, require_node
from api.graph.ratios import milliseconds
from api.schemas.v1 import StatsGroup, StatsPoint, StatsReply
from api.v1.graph import read_graph, span
from api.v1.params import MOST, Window
from api.v1.part import v1_part
from api.v1.time_series import MOST_POINTS
from store.filters.ast import Expression
from store.filters.conditions import all_of, entered_with
from store.filters.group_by import parse_keys
from store.model import NodeKey, State, TimeRange
from store.rules.namespaces import goes_by
from store.stats_groups import CellKey, Figures, Group, Stats
from store.stats_query import StatsQuery
from store.times import MINUTE, SECOND, parse_duration
from store.trace_stats import group_filter, trace_stats

Of = Literal["traces", "requests"]
METRICS = "count,fault_share,p50,p95"
BY = Query(
    description="dimensions, at most three, comma-separated: service, operation, state, method, status, version, "
    "environment, region, account, user, exception, cause, annotation.KEY, or another keyword of filters that has values",
    max_length=500,
)
METRIC_NAMES = Query(
    description="comma-separated: count, per_minute, ok, error, throttle, fault, in_progress; "
    "ok_share, error_share, throttle_share, fault_share; avg, min, max, and percentiles such as p95",
    max_length=300,
)
OF = Query(
    description="traces, with the outcome and response time of their entries, or the requests of services in them"
)
NODE = Query(description="only requests of this service: its id, or its name if only one has it")
STATUS = Query(
    description="only of the entry, or of the requests; comma-separated: ok, error, throttle, fault, in_progress"
)
SORT = Query(description="metric by which groups are sorted, the greatest first")
STEP = Query(description="length of a step of a series by group, such as 30s, 5m; none without it")
LIMIT = Query(ge=1, le=MOST, description="groups in the answer")

_SHARES = {f"{state.name.lower()}_share": state for state in State if state}
_COUNTS = {state.name.lower(): state for state in State}
_TIMES = ("avg", "min", "max")
_PERCENTILE = re.compile(r"p([0-9]{1,2}(\.[0-9]{1,3})?)", re.ASCII)
NAMES = ("count", "per_minute", *_COUNTS, *_SHARES, *_TIMES, "p50", "p90", "p95", "p99")
MOST_METRICS = 20
_SAME = {"average": "avg", "requests": "count", "median": "p50"}

Metric = Callable[[Figures, float], float | None]


class Selected(NamedTuple):
    """What is counted: the expression, also as it was written, and states, also by their names."""

    expression: Expression | None
    text: str
    states: frozenset[State] = frozenset()
    status: str = ""


class Wanted(NamedTuple):
    """What of each group is wanted: metrics by name, and how many groups in which order."""

    metrics: dict[str, Metric]
    sort: Metric
    limit: int


def stats_router(context: Context) -> APIRouter:
    """/api/v1/stats."""
    router = v1_part()

    @router.get("/stats", response_class=Response, responses={200: {"model": StatsReply}})
    async def get_stats(
        request: Request,
        window: Window,
        expression: FilterExpression,
        by: Annotated[str, BY] = "",
        metrics: Annotated[str, METRIC_NAMES] = METRICS,
        of: Annotated[Of | None, OF] = None,
        node: Annotated[str, NODE] = "",
        status: Annotated[str, STATUS] = "",
        step: Annotated[str, STEP] = "",
        sort: Annotated[str, SORT] = "count",
        limit: Annotated[int, LIMIT] = 50,
    ) -> Response:
        """How many traces, or requests, there are by some dimensions, how they ended and how long they took; of the newest
        traces that the filter selects, up to a bound that the answer states, and each group with the filter that selects its
        traces."""
        text = request.query_params.get("filter", "")
        selected = Selected(expression, text, read_states(status), status)
        wanted = read_wanted(metrics, sort, limit)
        if node and of == "traces":
            raise ApiError("node is for of=requests: of traces, a filter selects those of a node")
        return await run_cancellable(
            request,
            lambda: json_response(
                stats(context, window, selected, by, of or "traces", node, step, wanted)
            ),
        )

    return router


def read_wanted(metrics: str, sort: str, limit: int) -> Wanted:
    """What is wanted by the names of metrics; ApiError (400)."""
    return Wanted(_metrics(metrics), _metric(sort, "sort"), limit)


def stats(
    context: Context,
    window: TimeRange,
    selected: Selected,
    by: str,
    of: Of,
    node: str,
    step: str,
    wanted: Wanted,
) -> StatsReply:
    """The groups of a window."""
    of_units = of == "requests" or bool(node)
    try:
        keys = parse_keys(by, of_units=of_units)
    except ValueError as error:
        raise ApiError(f"by: {error}", code="UnknownDimension") from None
    length = _step(window, step)
    nodes = _nodes(context, window, node) if node else ()
    expression, states = selected.expression, selected.states
    if states and not of_units:
        expression, states = all_of(expression, entered_with(states)), frozenset()
    query = StatsQuery(window, expression, keys, of_units, nodes, states, length)
    found = trace_stats(context.store, query)
    minutes = max(1e-9, (window.end - found.counted_from) / MINUTE)
    ranked = sorted(
        found.groups.items(), key=lambda each: _rank(wanted.sort(each[1], minutes), each[0])
    )
    return {
        **span(window),
        "of": "requests" if of_units else "traces",
        "by": [key.name for key in keys],
        "metrics": list(wanted.metrics),
        "step": length // SECOND or None,
        "examined": found.examined,
        "complete": not found.bound,
        "bound": found.bound,
        "counted_from": found.counted_from / SECOND,
        "groups_total": len(ranked),
        "total": {
            "traces": found.total.traces,
            "metrics": _values(found.total, minutes, wanted.metrics),
        },
        "groups": [
            _group(found, key, group, selected, minutes, wanted)
            for key, group in ranked[: wanted.limit]
        ],
    }


def _group(
    found: Stats,
    key: CellKey,
    group: Group,
    selected: Selected,
    minutes: float,
    wanted: Wanted,
) -> StatsGroup:
    expression, status = group_filter(found.query, selected.text, key)
    status = status or ("" if found.query.of_units else selected.status)
    step = found.query.step
    return {
        "values": [cell.plain for cell in key],
        "traces": group.traces,
        "metrics": _values(group, minutes, wanted.metrics),
        "filter": expression,
        "status": status,
        "points": [
            _point(start, group.steps[start], step, wanted.metrics) for start in sorted(group.steps)
        ],
    }


def _point(start: int, figures: Figures, step: int, metrics: dict[str, Metric]) -> StatsPoint:
    return {
        "start": start / SECOND,
        "traces": figures.traces,
        "metrics": _values(figures, step / MINUTE, metrics),
    }


def _values(
    figures: Figures, minutes: float, metrics: dict[str, Metric]
) -> dict[str, float | None]:
    return {name: metric(figures, minutes) for name, metric in metrics.items()}


def _rank(value: float | None, key: Sequence[object]) -> tuple[bool, float, str]:
    """The greatest first, those without a value last, equals by their values."""
    return value is None, -(value or 0), str(key)


def _metrics(text: str) -> dict[str, Metric]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(names) > MOST_METRICS:
        raise ApiError(f"metrics must be 1 to {MOST_METRICS} names, got {len(names)}")
    return {name: _metric(name, "metrics") for name in names}


def _metric(name: str, parameter: str) -> Metric:
    """What computes a metric; ApiError (400) that names the nearest."""
    known = _SAME.get(name, name)
    if known in _COUNTS:
        return lambda figures, _: figures.states[_COUNTS[known]]
    if known in _SHARES:
        return lambda figures, _: _rounded(figures.share(_SHARES[known]))
    if known in _TIMES or _PERCENTILE.fullmatch(known):
        return lambda figures, _: _time(figures, known)
    if known == "count":
        return lambda figures, _: figures.count
    if known == "per_minute":
        return lambda figures, minutes: _rounded(figures.count / minutes)
    near = difflib.get_close_matches(name.lower(), NAMES, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(NAMES)}"
    raise ApiError(f"{parameter}: {name[:60]!r} is no metric; {hint}", code="UnknownMetric")


def _time(figures: Figures, name: str) -> float | None:
    """Milliseconds."""
    if name == "avg":
        found = figures.mean
    else:
        share = {"min": 0.0, "max": 1.0}.get(name)
        found = figures.quantile(float(name[1:]) / 100 if share is None else share)
    return None if found is None else milliseconds(found)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _step(window: TimeRange, text: str) -> int:
    """Microseconds of a step, 0 without one; ApiError (400)."""
    if not text:
        return 0
    try:
        step = parse_duration(text, default_unit="s") * SECOND
    except ValueError as error:
        raise ApiError(f"step: {error}") from None
    if not step or (window.end - window.start) // step > MOST_POINTS:
        raise ApiError(f"step must be longer: this window has more than {MOST_POINTS} of {text}")
    return step


def _nodes(context: Context, window: TimeRange, text: str) -> tuple[NodeKey, ...]:
    """Whose units a node of the map has; ApiError (400, 404)."""
    _, graph, _ = read_graph(context, window, None, None)
    node = find_node(graph, text) or _named(graph, text) or require_node(graph, text)
    if node.is_client:
        raise ApiError("a client has no requests of its own: they are those of what it calls")
    return tuple(sorted(keys_of(graph, node)))


def _named(graph: Graph, name: str) -> NodeKey | None:
    """The one node of a name."""
    nodes = [
        node
        for node in graph
        if not node.is_client and goes_by(name, node, stats_of(graph, node).names)
    ]
    if len(nodes) > 1:
        ids = ", ".join(f"{node_id(node)} ({node.type or 'no type'})" for node in nodes)
        raise ApiError(f"node {name[:60]!r} may be any of {ids}", code="SeveralNodes", status=409)
    return nodes[0] if nodes else None
