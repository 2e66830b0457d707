"""GetTimeSeriesServiceStatistics (docs/xray-format.md §9.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.context import Answer, Context
from api.counted import Series, counted_series, incomplete_header
from api.errors import ApiError
from api.forecast import DAY, DAYS, forecast
from api.request import JsonBody
from api.xray.entity_selector import client_edges, names_id, parse_selector, select
from api.xray.groups import contains_old_versions, requested_group
from api.xray.histogram import entries
from api.xray.paging import decode_token, encode_token
from api.xray.service_graph import graph_of_group
from api.xray.service_graph_json import statistics
from store.config.records import Group
from store.filters.parse import parse
from store.graph import Statistics
from store.model import TimeRange
from store.query import Entities

Json = dict[str, Any]

SECOND = 1_000_000
MINUTE_SECONDS = 60
DEFAULT_PERIOD = 60
MAX_PERIOD = 86_400
MAX_SELECTOR = 500
PAGE_PERIODS = 1_000
"""Periods in a page, with units or without."""


def get_time_series_service_statistics(context: Context, body: JsonBody) -> Answer:
    """Statistics per period; periods without units are absent.

    Without a selector those of all edges from clients together. The window is extended to whole
    periods since the epoch.
    """
    period = _period(body) * SECOND
    window = _whole(body.window(), period)
    text = body.text("EntitySelectorExpression", most=MAX_SELECTOR).strip()
    wants_forecast = body.flag("ForecastStatistics")
    if wants_forecast and not names_id(text):
        raise ApiError("ForecastStatistics needs an EntitySelectorExpression with id(…)")
    matches = parse_selector(text) if text else None
    group = requested_group(context, body)
    _, graph, backlog = graph_of_group(context, group, window)
    entities = client_edges(graph) if matches is None else select(graph, matches)
    page = _page(body, window, period)
    series = _series(context, group, entities, page, period)
    calls = series
    if entities.links:  # their times are ages, not response times
        only = Entities(edges=entities.edges)
        calls = _series(context, group, only, page, period)
    of_nodes = bool(entities.nodes or entities.background)
    past = (
        [_series(context, group, entities, _back(page, day), period) for day in DAYS]
        if wants_forecast and of_nodes
        else []
    )
    answer: Json = {
        "TimeSeriesServiceStatistics": [
            {
                "Timestamp": start / SECOND,
                ("ServiceSummaryStatistics" if of_nodes else "EdgeSummaryStatistics"): statistics(
                    series[start]
                ),
                **_forecast(past, start),
                "ResponseTimeHistogram": _histogram(calls.get(start)),
            }
            for start in sorted(series)
        ],
        "ContainsOldGroupVersions": contains_old_versions(group, window),
    }
    if page.end < window.end:
        answer["NextToken"] = encode_token(str(page.end))
    return Answer(answer, incomplete_header(backlog))


def _period(body: JsonBody) -> int:
    """Seconds of a period: whole minutes, as in AWS 60 and 300."""
    if not body.has("Period"):
        return DEFAULT_PERIOD
    period = body.whole("Period", least=MINUTE_SECONDS, most=MAX_PERIOD)
    if period % MINUTE_SECONDS:
        raise ApiError(f"Period must be a multiple of {MINUTE_SECONDS} seconds, got {period}")
    return period


def _whole(window: TimeRange, period: int) -> TimeRange:
    return TimeRange(window.start // period * period, -(-window.end // period) * period)


def _back(window: TimeRange, days: int) -> TimeRange:
    return TimeRange(window.start - days * DAY, window.end - days * DAY)


def _page(body: JsonBody, window: TimeRange, period: int) -> TimeRange:
    """The part of the window that this answer covers."""
    token = decode_token(body)
    start = window.start
    if token is not None:
        start = int(token) if token.isdecimal() else -1
        if start not in window or (start - window.start) % period:
            raise ApiError("this NextToken belongs to another request")
    return TimeRange(start, min(window.end, start + PAGE_PERIODS * period))


def _series(
    context: Context, group: Group, entities: Entities, window: TimeRange, period: int
) -> Series:
    expression = parse(group.expression) if group.expression else None
    return counted_series(context, entities, window, period, expression)


def _histogram(counts: Statistics | None) -> list[dict[str, float | int]]:
    return entries(counts.histogram) if counts is not None else []


def _forecast(past: Iterable[Series], start: int) -> Json:
    """ServiceForecastStatistics, unless too few earlier days had units in this period."""
    earlier = [
        found.fault
        for day, series in zip(DAYS, past, strict=False)
        if (found := series.get(start - day * DAY)) is not None
    ]
    band = forecast(earlier)
    if band is None:
        return {}
    return {"ServiceForecastStatistics": {"FaultCountHigh": band.high, "FaultCountLow": band.low}}
