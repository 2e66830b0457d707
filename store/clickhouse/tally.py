"""What is counted of units: the columns of an aggregate in SQL, and their reading in Python.

The same columns whether they are counted from units or added up from rollups, so that the two can
be merged and compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from store.clickhouse import sql
from store.edges import add_silent_ends
from store.model import EdgeStats, NodeKey, ServiceGraph, ServiceStats, Statistics
from store.rules import histogram

UNITS = (Path(__file__).parent / "queries" / "units.sql").read_text()

NODE, EDGE, LINK = 0, 1, 2

_LABEL = (
    "concat(toString(state), ':', multiIf(exception != '', toString(exception), "
    "status >= 400, concat('HTTP ', toString(status)), 'without a status'))"
)
"""`store.rules.classify.failure_label`, the state in front."""

COLUMNS = (
    "names, active, start, end, touched, ok, error, throttle, fault, in_progress, total_time, "
    "histogram, longer, failures"
)

COUNTED = f"""
    arraySort(groupUniqArrayIf(toString(word), word != '')) AS names_, max(active) AS active_,
    min(start) AS start_, max(start + duration) AS end_,
    uniqExactIf((intDiv(start, 60000000), trace_id), kind = 0) AS touched_,
    countIf(state = 1) AS ok_, countIf(state = 2) AS error_, countIf(state = 3) AS throttle_,
    countIf(state = 4) AS fault_, countIf(state = 0) AS in_progress_,
    sumIf(duration, state > 0) AS total_time_,
    sumMapIf(map({sql.bucket("duration")}, toUInt64(1)), state > 0) AS histogram_,
    sumMapIf(map({sql.bucket("last_duration")}, toInt64(1)), state > 0 AND last_duration != duration) AS more_,
    sumMapIf(map({sql.bucket("duration")}, toInt64(-1)), state > 0 AND last_duration != duration) AS less_,
    sumMapIf(map({_LABEL}, toUInt64(1)), state > 1) AS failures_
"""
"""Aggregates over units, in the order of COLUMNS; more_ and less_ together are `longer`."""

_BEFORE_LONGER = (
    "names_, active_, start_, end_, touched_, ok_, error_, throttle_, fault_, in_progress_, "
    "total_time_, histogram_, "
)
COUNTED_COLUMNS = _BEFORE_LONGER + "mapAdd(more_, less_), failures_"
SUMMED_COLUMNS = _BEFORE_LONGER + "longer_, failures_"

SUMMED = """
    arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, sum(touched) AS touched_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(total_time) AS total_time_, sumMap(histogram) AS histogram_, sumMap(longer) AS longer_,
    sumMap(failures) AS failures_
"""
"""The same aggregates over rows of `rollups`, in the order of COLUMNS."""


class Tally(Struct):
    """What was counted of one node or edge."""

    names: set[str]
    active: bool
    start: int
    end: int
    touched: int
    statistics: Statistics
    longer: dict[int, int]
    failures: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add what was counted of other units of the same node or edge."""
        self.names |= other.names
        self.active |= other.active
        self.start = min(self.start, other.start)
        self.end = max(self.end, other.end)
        self.touched += other.touched
        add_statistics(self.statistics, other.statistics)
        histogram.add(self.longer, other.longer)
        for label, count in other.failures.items():
            self.failures[label] = self.failures.get(label, 0) + count


Key = tuple[int, NodeKey, NodeKey]
"""kind, source (empty for a node), and the node or the edge's target."""


def add_statistics(into: Statistics, more: Statistics) -> None:
    """Add counts, times and histogram."""
    into.ok += more.ok
    into.error += more.error
    into.throttle += more.throttle
    into.fault += more.fault
    into.in_progress += more.in_progress
    into.total_time += more.total_time
    histogram.add(into.histogram, more.histogram)


def read_tally(columns: Iterable[Any]) -> Tally:
    """One row's COLUMNS."""
    names, active, start, end, touched, *counts, buckets, longer, failures = columns
    ok, error, throttle, fault, in_progress, total_time = counts
    statistics = Statistics(ok, error, throttle, fault, in_progress, total_time, dict(buckets))
    return Tally(
        set(names), bool(active), start, end, touched, statistics, dict(longer), dict(failures)
    )


def collect(rows: Iterable[tuple[Any, ...]], into: dict[Key, Tally]) -> None:
    """Add rows of (kind, source, target, COLUMNS) to what was counted so far."""
    for kind, source, target, *columns in rows:
        key = (kind, NodeKey(*source), NodeKey(*target))
        tally = read_tally(columns)
        known = into.get(key)
        if known is None:
            into[key] = tally
        else:
            known.add(tally)


def graph_of(tallies: dict[Key, Tally]) -> ServiceGraph:
    """The service graph of what was counted (as `store.edges.weave` would make it)."""
    services: dict[NodeKey, ServiceStats] = {}
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    for (kind, source, target), tally in tallies.items():
        if kind == NODE:
            services[target] = _service(target, tally)
        else:
            known = links if kind == LINK else edges
            known[source, target] = EdgeStats(
                source,
                target,
                aliases=frozenset(tally.names),
                start=tally.start,
                end=tally.end,
                statistics=tally.statistics,
                link=kind == LINK,
            )
    for source, target in edges:
        if source.is_client and target in services:
            services[target].root = True
    add_silent_ends(services, [*edges.values(), *links.values()])
    return ServiceGraph(services, edges, links)


def _service(key: NodeKey, tally: Tally) -> ServiceStats:
    durations = dict(tally.statistics.histogram)
    histogram.add(durations, tally.longer)
    return ServiceStats(
        key,
        names=frozenset((key.name, *tally.names)),
        active=tally.active,
        root=False,
        start=tally.start,
        end=tally.end,
        touched=tally.touched,
        statistics=tally.statistics,
        durations={value: count for value, count in durations.items() if count},
    )
