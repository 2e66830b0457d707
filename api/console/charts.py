"""Charts as plotly figures, binned here so that a browser gets sixty bars and not a million times.

No colours and no fonts: a trace that shows one status is named after it, and the console's theme
knows what that looks like. Pure: statistics in, figure out.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log, log10
from typing import Any, NamedTuple

import plotly.graph_objects as go

from api.console import durations
from api.schemas.common import Figure, Status, WorkName
from store.model import State, TimeRange
from store.query import TimeBucket
from store.times import SECOND

BINS = 60
WIDE = 20
"""From this ratio of the greatest to the least time on, bins grow with the time."""
STATUS_NAMES: dict[State, Status] = {
    State.IN_PROGRESS: "in_progress",
    State.OK: "ok",
    State.ERROR: "error",
    State.THROTTLE: "throttle",
    State.FAULT: "fault",
}
STATUSES = (State.OK, State.ERROR, State.THROTTLE, State.FAULT)
"""In the order bars are stacked."""
FAILED = (State.ERROR, State.THROTTLE, State.FAULT)
MOST_MARKS = 2000
"""Traces shown as one mark each; above, marks hide one another."""
MOST_FAILED_MARKS = 500
COLUMNS, ROWS = 120, 40
"""Cells of a heatmap."""
FEW = 4
"""Up to so many requests an axis has a tick for each."""
ROUND_STEPS = tuple(
    seconds * SECOND
    for seconds in (
        *(1, 2, 5, 10, 15, 30),
        *(60, 120, 300, 600, 900, 1800),
        *(3600, 7200, 10800, 21600, 43200),
        *(86400, 172800, 604800, 1209600, 2592000),
    )
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dot(NamedTuple):
    """A trace in the scatter: when, how long (both microseconds), how it ended, its id."""

    start: int
    time: int
    state: State
    trace_id: str


def status_name(state: State) -> Status:
    """The word of a state, the same everywhere in the console's API."""
    return STATUS_NAMES[state]


def histogram_figure(histogram: Mapping[int, int], work: WorkName = "requests") -> Figure:
    """Units by response time in milliseconds."""
    edges = bin_edges(histogram)
    counts = _binned(histogram, edges)
    bar = go.Bar(
        name=work,
        x=[_ms(edge) for edge in edges[:-1]],
        width=[_ms(b) - _ms(a) for a, b in itertools.pairwise(edges)],
        offset=0,
        y=counts,
        customdata=[durations.between(a, b) for a, b in itertools.pairwise(edges)],
        hovertemplate="%{customdata}: %{y}<extra></extra>",
    )
    axis = {**_histogram_axis(edges), "unifiedhovertitle": {"text": "Response time"}}
    return _figure([bar], xaxis=axis, yaxis={"title": {"text": work}, **_counts(counts)})


def _counts(stacked: Iterable[int]) -> dict[str, Any]:
    """An axis from zero on. Few requests have no halves between them."""
    few = max(stacked, default=0) <= FEW
    return {"rangemode": "tozero", **({"dtick": 1} if few else {})}


def bin_edges(histogram: Mapping[int, int]) -> list[float]:
    """The edges of 60 bins around all times: from zero on, or growing when times are far apart."""
    if not histogram:
        return []
    low, high = max(1, min(histogram)), max(histogram) + 1
    if high / low < WIDE:
        return [high * at / BINS for at in range(BINS + 1)]
    ratio = log(high / low)
    return [low * exp(ratio * at / BINS) for at in range(BINS + 1)]


def _binned(histogram: Mapping[int, int], edges: Sequence[float]) -> list[int]:
    counts = [0] * max(0, len(edges) - 1)
    at = 0
    for value in sorted(histogram):
        while at < len(counts) - 1 and value >= edges[at + 1]:
            at += 1
        counts[at] += histogram[value]
    return counts


def _histogram_axis(edges: Sequence[float]) -> dict[str, Any]:
    if edges and edges[0] > 0:
        return duration_axis(edges[0], edges[-1])
    ticks = durations.even_ticks(0, edges[-1]) if edges else []
    return {"type": "linear", **_response_times(ticks)}


def step_of(window: TimeRange, most: int = BINS) -> int:
    """A round length of which at most sixty cover the window, or another number."""
    length = window.end - window.start
    for step in ROUND_STEPS:
        if step * most >= length:
            return step
    days = 30 * 86400 * SECOND
    return days * -(-length // (days * most))


def over_time_figure(
    slices: Iterable[TimeBucket],
    window: TimeRange,
    step: int,
    now: int,
    *,
    unknown: bool = False,
) -> Figure:
    """Units by how they ended, over the whole window; steps without any are zero. The first step may begin before
    the window. ``unknown``: of those that count as ok nothing says it."""
    starts = range(window.start // step * step, window.end, step)
    by_start = {each.start: each.statistics for each in slices}
    instants = [iso(start) for start in starts]
    bars = []
    for state in STATUSES:
        name = status_name(state)
        y = [getattr(by_start[at], name) if at in by_start else 0 for at in starts]
        shown = "unknown" if unknown and state is State.OK else name
        bars.append(go.Bar(name=shown, x=instants, y=y, width=step / 1000, offset=0))
    axis = {"type": "date", "range": [iso(window.start), iso(window.end)]}
    meta = unfinished(window, step, now)
    counts = _counts(map(sum, zip(*(bar.y for bar in bars), strict=True)))
    return _figure(bars, barmode="stack", xaxis=axis, yaxis=counts, meta=meta)


def unfinished(window: TimeRange, step: int, now: int) -> dict[str, str] | None:
    """The step that the end of the window, or the present, cuts: where it starts, and until when it is counted. Of
    figures in steps, a layout's ``meta``."""
    until = min(window.end, now)
    if until <= window.start or until % step == 0:
        return None
    return {"unfinished": iso(until // step * step), "until": iso(until)}


def traces_figure(dots: Sequence[Dot], window: TimeRange) -> Figure:
    """Traces by start and response time, over the whole window: one mark each, or a heatmap of many
    with marks for those that failed (the newest of them)."""
    low, high = response_range([dot.time for dot in dots if dot.state != State.IN_PROGRESS])
    if len(dots) <= MOST_MARKS:
        series = marks(dots, low)
    else:
        failed = [dot for dot in dots if dot.state in FAILED]
        newest = sorted(failed, key=lambda dot: dot.start, reverse=True)[:MOST_FAILED_MARKS]
        series = [heatmap(dots, window, low, high), *marks(newest, low)]
    x_axis = {"type": "date", "range": [iso(window.start), iso(window.end)]}
    return _figure(series, xaxis=x_axis, yaxis=duration_axis(low, high))


def response_range(times: Sequence[int]) -> tuple[float, float]:
    """The response times (microseconds) that an axis shows: the fastest in a thousand may lie below."""
    ordered = sorted(times)
    if not ordered:
        return 1_000.0, 1_000_000.0
    low = max(1, ordered[len(ordered) // 1000])
    high = max(ordered[-1], low * 4)
    return low / 1.25, high * 1.25


def marks(dots: Sequence[Dot], low: float) -> list[Any]:
    """A series per status. What is in progress has no response time yet, and what is faster than
    ``low`` has no place on the axis: both stand at its edge."""
    series = []
    for state in (*STATUSES, State.IN_PROGRESS):
        shown = [dot for dot in dots if dot.state == state]
        if shown:
            waiting = state == State.IN_PROGRESS
            series.append(
                go.Scatter(
                    name=status_name(state),
                    mode="markers",
                    x=[iso(dot.start) for dot in shown],
                    y=[_ms(low if waiting else max(low, dot.time)) for dot in shown],
                    customdata=[dot.trace_id for dot in shown],
                    cliponaxis=False,
                )
            )
    return series


def heatmap(dots: Sequence[Dot], window: TimeRange, low: float, high: float) -> Any:
    """Finished traces counted in a grid of equal steps of time and of equal ratios of response time."""
    width = (window.end - window.start) / COLUMNS
    ratio = log(high / low) / ROWS
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for dot in dots:
        if dot.state != State.IN_PROGRESS:
            column = int((dot.start - window.start) / width)
            row = int(log(max(low, dot.time) / low) / ratio)
            counts[min(max(row, 0), ROWS - 1), min(max(column, 0), COLUMNS - 1)] += 1
    grid = [[counts.get((row, column)) for column in range(COLUMNS)] for row in range(ROWS)]
    return go.Heatmap(
        name="traces",
        x=[iso(int(window.start + width * at)) for at in range(COLUMNS + 1)],
        y=[_ms(low * exp(ratio * at)) for at in range(ROWS + 1)],
        # Logarithms: one crowded cell must not wash out all the others.
        z=[[None if count is None else round(log10(count), 3) for count in row] for row in grid],
        customdata=grid,
        hovertemplate="%{customdata} traces<br>%{x|%H:%M:%S}, %{text}<extra></extra>",
        showscale=False,
    )


def duration_axis(low: float, high: float) -> dict[str, Any]:
    """A logarithmic axis from ``low`` to ``high`` microseconds, with ticks in words."""
    bounds = [log10(low / 1000), log10(high / 1000)]
    return {"type": "log", "range": bounds, **_response_times(durations.log_ticks(low, high))}


def _response_times(ticks: Sequence[float]) -> dict[str, Any]:
    return {
        "title": {"text": "response time"},
        "tickmode": "array",
        "tickvals": [_ms(tick) for tick in ticks],
        "ticktext": [durations.words(tick) for tick in ticks],
    }


def iso(microseconds: int) -> str:
    """An instant in UTC; plotly takes it as it is."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000, 4)


def _figure(traces: list[Any], **layout: Any) -> Figure:
    drawn = go.Figure(data=traces, layout={"template": "none", **layout}).to_plotly_json()
    return {"data": drawn["data"], "layout": drawn["layout"]}
