"""Charts as plotly figures, binned here so that a browser gets sixty bars and not a million times.

No colours and no fonts: a trace that shows one status is named after it, and the console's theme
knows what that looks like. Pure: statistics in, figure out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log
from typing import Any, NamedTuple

import plotly.graph_objects as go

from api.schemas import Figure, Status
from store.model import State, TimeRange
from store.protocol import TimeBucket

SECOND = 1_000_000
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


def histogram_figure(histogram: Mapping[int, int]) -> Figure:
    """Requests by response time in milliseconds."""
    edges = bin_edges(histogram)
    counts = _binned(histogram, edges)
    bar = go.Bar(
        name="requests",
        x=[_ms(edge) for edge in edges[:-1]],
        width=[_ms(b) - _ms(a) for a, b in itertools.pairwise(edges)],
        offset=0,
        y=counts,
        customdata=[_ms(edge) for edge in edges[1:]],
        hovertemplate="%{x:.4~g} to %{customdata:.4~g} ms: %{y}<extra></extra>",
    )
    axis = {"title": {"text": "response time (ms)"}, "type": _scale(edges)}
    return _figure([bar], xaxis=axis, yaxis={"title": {"text": "requests"}, "rangemode": "tozero"})


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


def _scale(edges: Sequence[float]) -> str:
    return "log" if edges and edges[0] > 0 else "linear"


def step_of(window: TimeRange) -> int:
    """A round length of which at most sixty cover the window."""
    length = window.end - window.start
    for step in ROUND_STEPS:
        if step * BINS >= length:
            return step
    days = 30 * 86400 * SECOND
    return days * -(-length // (days * BINS))


def over_time_figure(slices: Iterable[TimeBucket], window: TimeRange, step: int) -> Figure:
    """Units by how they ended, over the whole window; steps without any are zero."""
    starts = range(window.start, window.end, step)
    by_start = {each.start: each.statistics for each in slices}
    instants = [iso(start) for start in starts]
    bars = []
    for state in STATUSES:
        name = status_name(state)
        y = [getattr(by_start[at], name) if at in by_start else 0 for at in starts]
        bars.append(go.Bar(name=name, x=instants, y=y, width=step / 1000, offset=0))
    axis = {"type": "date", "range": [iso(window.start), iso(window.end)]}
    return _figure(bars, barmode="stack", xaxis=axis, yaxis={"rangemode": "tozero"})


def scatter_figure(dots: Sequence[Dot]) -> Figure:
    """Traces by when they began and how long their answer took."""
    traces = []
    for state in (*STATUSES, State.IN_PROGRESS):
        shown = [dot for dot in dots if dot.state == state]
        if shown:
            traces.append(
                go.Scatter(
                    name=status_name(state),
                    mode="markers",
                    x=[iso(dot.start) for dot in shown],
                    # A logarithmic axis has no place for nothing: a microsecond stands for it.
                    y=[_ms(max(1, dot.time)) for dot in shown],
                    customdata=[dot.trace_id for dot in shown],
                )
            )
    axis = {"title": {"text": "response time (ms)"}, "type": "log"}
    return _figure(traces, xaxis={"type": "date"}, yaxis=axis)


def iso(microseconds: int) -> str:
    """An instant in UTC; plotly takes it as it is."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000, 4)


def _figure(traces: list[Any], **layout: Any) -> Figure:
    drawn = go.Figure(data=traces, layout={"template": "none", **layout}).to_plotly_json()
    return {"data": drawn["data"], "layout": drawn["layout"]}
