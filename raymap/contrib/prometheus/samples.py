"""The edges of the map as Prometheus' counters, by the minute: the metrics of `raymap.contrib.openmetrics` without a scrape.

Counts are the minutes' own (`store.minutes`), so what a counter grew by in a range is what the map counts in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.context import Context
from api.errors import ApiError
from raymap.contrib.openmetrics.numbers import BOUNDS, STATES, Pair, pair_of
from raymap.contrib.openmetrics.router import PREFIX
from raymap.contrib.prometheus.ast import NAME, Matcher
from store.graph import EdgeStats, ServiceGraph
from store.minutes import MinuteCounts, Series, SeriesKind
from store.model import NodeKey, TimeRange
from store.times import MINUTE, SECOND

MOST_MINUTES = 1_500
"""Minutes of a query, with the range of its first step."""
MOST_CELLS = 300_000
"""Minutes times edges: some 40 MB."""
Values = NDArray[np.float64]
_LIMITS = np.array([round(bound * SECOND) for bound in BOUNDS], dtype=np.uint64)
_LES = [*map(str, BOUNDS), "+Inf"]
_PARTS = {"server": "entries", "client": "calls", "messaging_system": "events"}


class Family(NamedTuple):
    """A metric: what it is, and its unit."""

    type: str
    help: str
    unit: str = ""


_HISTOGRAMS = {
    "server": "Response time in seconds of requests that enter, as measured by the server",
    "client": "Response time in seconds of all other calls, as measured by the caller",
    "messaging_system": "Age of received events in seconds, since the end of the sender's work",
}
METADATA: Mapping[str, Family] = {
    f"{PREFIX}_total": Family("counter", "Finished requests"),
    f"{PREFIX}_failed_total": Family("counter", "Requests that ended in error, throttle or fault"),
    f"{PREFIX}_state_total": Family(
        "counter",
        "Finished requests by how they ended: ok, error (4xx), throttle (429), fault (5xx)",
    ),
    **{
        f"{PREFIX}_{part}_seconds": Family("histogram", text, "seconds")
        for part, text in _HISTOGRAMS.items()
    },
}
NAMES = [
    *(name for name, family in METADATA.items() if family.type == "counter"),
    *(
        f"{name}_{suffix}"
        for name, family in METADATA.items()
        if family.type == "histogram"
        for suffix in ("bucket", "sum", "count")
    ),
]
"""Names of the series."""


class _Counts(NamedTuple):
    """Of each minute and pair: outcomes in the order of `STATES`, requests by bucket of the histogram, microseconds."""

    pairs: list[tuple[str, Pair]]
    """With the part of the map: entries, calls or events."""
    states: Values
    times: Values
    spent: Values


class Samples:
    """Counters of some minutes, the first of which is ``first``."""

    def __init__(self, first: int, counts: _Counts) -> None:
        self.first = first
        self._counts = counts

    def select(
        self, matchers: Sequence[Matcher]
    ) -> Iterator[tuple[dict[str, str], Values, Values]]:
        """The series that meet all matchers: labels without the name, what each grew by in each minute, and the requests of
        its edge, without which it is not there. An edge in several parts of the map is one series of the counters."""
        of_name = [each for each in matchers if each.label == NAME]
        of_labels = [each for each in matchers if each.label != NAME]
        for name in NAMES:
            if not all(each.fits({NAME: name}) for each in of_name):
                continue
            found: dict[tuple[tuple[str, str], ...], tuple[Values, Values]] = {}
            for labels, values, requests in self._series(name):
                if all(each.fits(labels) for each in of_labels):
                    key = tuple(labels.items())
                    more = found.get(key)
                    sums = (
                        (values, requests)
                        if more is None
                        else (more[0] + values, more[1] + requests)
                    )
                    found[key] = sums
            yield from ((dict(key), *sums) for key, sums in found.items())

    def _series(self, name: str) -> Iterator[tuple[dict[str, str], Values, Values]]:
        metric = name.removeprefix(f"{PREFIX}_")
        counts = self._counts
        part, _, rest = metric.partition("_seconds_")
        for at, (of, pair) in enumerate(counts.pairs):
            labels = labels_of(pair)
            states, times = counts.states[:, at], counts.times[:, at]
            if rest and of != _PARTS[part]:
                continue
            requests = states.sum(axis=1)
            match rest or metric:
                case "total":
                    yield labels, requests, requests
                case "failed_total":
                    yield labels, states[:, 1:].sum(axis=1), requests
                case "state_total":
                    for number, state in enumerate(STATES):
                        yield {**labels, "state": state}, states[:, number], requests
                case "bucket":
                    cumulated = times.cumsum(axis=1)
                    for number, le in enumerate(_LES):
                        yield {**labels, "le": le}, cumulated[:, number], requests
                case "sum":
                    yield labels, counts.spent[:, at] / SECOND, requests
                case "count":
                    yield labels, times.sum(axis=1), requests


def labels_of(pair: Pair) -> dict[str, str]:
    """The labels of an edge; empty ones are none."""
    return {name: value for name, value in pair._asdict().items() if value}


def series_of(graph: ServiceGraph) -> Iterator[dict[str, str]]:
    """The series that the edges of a graph have."""
    found: dict[tuple[str, Pair], None] = {}
    for stats, part in _edges(graph):
        found.setdefault((part, pair_of(graph, stats.source, stats.target, stats.stats)))
    pairs = dict.fromkeys(pair for _, pair in found)
    for name in NAMES:
        part, _, rest = name.removeprefix(f"{PREFIX}_").partition("_seconds_")
        of_name = [p for of, p in found if of == _PARTS[part]] if rest else pairs
        further = {"bucket": ("le", _LES)}.get(rest) or (
            ("state", STATES) if "_state_" in name else None
        )
        for pair in of_name:
            labels = {NAME: name, **labels_of(pair)}
            if further is None:
                yield labels
            else:
                yield from ({**labels, further[0]: value} for value in further[1])


class _Edge(NamedTuple):
    source: NodeKey
    target: NodeKey
    stats: EdgeStats


def _edges(graph: ServiceGraph) -> Iterator[tuple[_Edge, str]]:
    for (source, target), stats in graph.edges.items():
        yield _Edge(source, target, stats), "entries" if source.is_client else "calls"
    for (source, target), stats in graph.links.items():
        yield _Edge(source, target, stats), "events"


def no_samples() -> Samples:
    """Of an expression that reads none."""
    nothing = np.zeros((0, 0))
    return Samples(0, _Counts([], nothing, nothing, nothing))


def read_samples(context: Context, window: TimeRange) -> Samples:
    """The counters of the whole minutes of a window. ApiError (422) if it has too many."""
    first, last = window.start // MINUTE, max(window.start, window.end - 1) // MINUTE
    if last - first >= MOST_MINUTES:
        raise ApiError(
            f"the query needs {last - first + 1:,} minutes of samples, of at most {MOST_MINUTES:,}: choose a shorter time or range",
            code="execution",
            status=422,
        )
    graph = context.service_graph(TimeRange(first * MINUTE, (last + 1) * MINUTE))
    minutes = context.store.minute_counts(first, last)
    ids = {int(id) for each in minutes for id in np.unique(_numbers(each.ids))}
    series = context.store.minute_series(sorted(ids), first, last)
    return Samples(first, _counts(first, last, minutes, series, graph))


def _counts(
    first: int,
    last: int,
    minutes: Collection[MinuteCounts],
    series: Mapping[int, Series],
    graph: ServiceGraph,
) -> _Counts:
    places: dict[tuple[str, Pair], int] = {}
    nodes = _nodes(graph)
    columns = {
        id: places.setdefault(place, len(places))
        for id, each in sorted(series.items())
        if (place := _place(nodes, each, graph)) is not None
    }
    length, width = last - first + 1, len(places)
    if length * width > MOST_CELLS:
        raise ApiError(
            f"the query needs {length:,} minutes of {width:,} edges, of at most {MOST_CELLS:,} together: choose a shorter time or range",
            code="execution",
            status=422,
        )
    states = np.zeros((length, width, len(STATES)))
    times = np.zeros((length, width, len(BOUNDS) + 1))
    spent = np.zeros((length, width))
    known = np.array(sorted(columns), dtype=np.uint64)
    column = np.array([columns[int(id)] for id in known], dtype=np.int64)
    for minute in minutes if width else ():
        row = minute.minute - first
        ids = _numbers(minute.ids)
        at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        found = known[at] == ids
        own = column[at]
        for number, state in enumerate(STATES):
            np.add.at(states[row, :, number], own[found], _numbers(getattr(minute, state))[found])
        lengths = _numbers(minute.lengths).astype(np.int64)
        of, inside = np.repeat(own, lengths), np.repeat(found, lengths)
        took = np.frombuffer(minute.times, np.float32)[inside].astype(np.float64)
        weights = np.frombuffer(minute.weights, np.float32)[inside].astype(np.float64)
        np.add.at(times[row], (of[inside], np.searchsorted(_LIMITS, took)), weights)
        np.add.at(spent[row], of[inside], weights * took)
    return _Counts(list(places), states, times, spent)


def _nodes(graph: ServiceGraph) -> Mapping[NodeKey, NodeKey]:
    """The nodes of a graph by those whose units they have."""
    return {key: node for node, stats in graph.services.items() for key in stats.keys}


def _place(
    nodes: Mapping[NodeKey, NodeKey], series: Series, graph: ServiceGraph
) -> tuple[str, Pair] | None:
    """Which part of the map a series is of, and its labels; None of a node."""
    if series.kind not in (SeriesKind.CALLS, SeriesKind.LINKS):
        return None
    source, target = (nodes.get(end, end) for end in (series.source, series.node))
    link = series.kind is SeriesKind.LINKS
    edge = (graph.links if link else graph.edges).get((source, target))
    if edge is None:  # of a root whose parent may still arrive
        return None
    part = "events" if link else "entries" if source.is_client else "calls"
    return part, pair_of(graph, source, target, edge)


def _numbers(column: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(column, dtype=np.uint64)
