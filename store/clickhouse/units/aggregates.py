"""RED aggregates of units: their columns in SQL, and the Python objects read from them.

Aggregates computed from units and sums of rollup rows have the same columns, so that the two can be
merged and compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from store.clickhouse.connection import sql
from store.model import MINUTE, EdgeStats, NodeKey, ServiceGraph, ServiceStats, Statistics
from store.rules import histogram
from store.service_graph import add_missing_endpoints, join_accounts, resolve_clients

UNITS = (Path(__file__).parents[1] / "queries" / "units.sql").read_text()

NODE, EDGE, LINK = 0, 1, 2

COLUMNS = (
    "names, active, start, end, trace_minutes, ok, error, throttle, fault, in_progress, observed, "
    "total_time, histogram, duration_delta, failures"
)
COLUMNS_COUNTED = ", ".join(f"{name}_" for name in COLUMNS.split(", "))
KEY = "source_account, source_name, source_type, account, name, type"
KEY_COUNTED = ", ".join(f"{name}_" for name in KEY.split(", "))

# `store.rules.classify.failure_label`, prefixed with the state.
_LABEL = (
    "concat(toString(state), ':', multiIf(exception != '', toString(exception), "
    "status >= 400, concat('HTTP ', toString(status)), 'No exception recorded'))"
)

# Histograms are built from sorted arrays after grouping: `sumMap` over rows takes twice as long.
COUNT = f"""
SELECT bucket, kind, {KEY_COUNTED}, names_, active_, start_, end_, trace_minutes_, ok_, error_, throttle_,
       fault_, in_progress_, observed_, total_time_,
       arraySort(times) AS sorted, :ordered AS ordered,
       arrayFilter((sum, here, next) -> here != next, :sums, ordered,
                   arrayPopFront(arrayPushBack(ordered, 18446744073709551615))) AS last,
       mapFromArrays(
           arrayCompact(ordered),
           arrayMap((sum, before) -> toUInt64(sum - before), last,
                    arrayPopBack(arrayPushFront(last, 0)))
       ) AS histogram_,
       mapAdd(more, less) AS duration_delta_, failures_
FROM (
    SELECT :bucket AS bucket, units.kind AS kind,
           cityHash64({", ".join(f"units.{name}" for name in KEY.split(", "))}) AS key,
           {", ".join(f"any(units.{name}) AS {name}_" for name in KEY.split(", "))},
           arraySort(groupUniqArrayIf(toString(word), word != '')) AS names_,
           max(active) AS active_, min(start) AS start_, max(start + duration) AS end_,
           :trace_minutes AS trace_minutes_,
           sumIf(:weight, state = 1) AS ok_, sumIf(:weight, state = 2) AS error_,
           sumIf(:weight, state = 3) AS throttle_, sumIf(:weight, state = 4) AS fault_,
           sumIf(:weight, state = 0) AS in_progress_, count() AS observed_,
           sumIf(toInt128(duration) * :weight, state > 0) AS total_time_,
           groupArrayIf(:time, state > 0) AS times,
           sumMapIf(map(whole, toInt64(:weight)), state > 0 AND whole != time) AS more,
           sumMapIf(map(time, -toInt64(:weight)), state > 0 AND whole != time) AS less,
           sumMapIf(map(if(state > 1, {_LABEL}, ''), toUInt64(:weight)), state > 1) AS failures_
    FROM (
        SELECT *, {sql.bucket("duration", "power")} AS time,
               {sql.bucket("last_duration", "last_power")} AS whole
        FROM (
            SELECT *, {sql.power("duration")} AS power, {sql.power("last_duration")} AS last_power
            FROM ({UNITS}) WHERE :key
        )
    ) AS units
    GROUP BY bucket, kind, key
)
"""
"""Aggregates of the units that match `:key`: one row per `:bucket`, kind, and node or edge.

`trace_minutes` counts traces per bucket and is only meaningful when a bucket is a minute (MINUTE_OF).
The other places are those of UNWEIGHTED or WEIGHTED."""

UNWEIGHTED = {
    "weight": "1",
    "trace_minutes": "uniqExactIf(trace_id, units.kind = 0)",
    "time": "time",
    "ordered": "sorted",
    "sums": "arrayEnumerate(sorted)",
}
"""Places of COUNT when every unit has weight 1, as when nothing is sampled."""
WEIGHTED = {
    "weight": "weight",
    "trace_minutes": """arraySum(
               (pair, before) -> if(pair.1 != before.1 OR before.2 = 0, pair.2, 0),
               arraySort(groupUniqArrayIf((trace_id, weight), units.kind = 0)) AS pairs,
               arrayPopBack(arrayPushFront(pairs, (toFixedString('', 16), toUInt32(0))))
           )""",
    "time": "(time, weight)",
    "ordered": "sorted.1",
    "sums": "arrayCumSum(sorted.2)",
}
"""Places of COUNT for units of any weight; takes 1.5 times as long."""

MINUTE_OF = f"toUInt32(greatest(0, intDiv(start, {MINUTE})))"

SUMMED = """
    arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, sum(trace_minutes) AS trace_minutes_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_
"""
"""The same aggregates as sums over rows of `rollups`, in the order of COLUMNS."""
SUMMED_BUT_TIMES = SUMMED.replace("sumMap(histogram)", "map()")


class Aggregate(Struct):
    """RED aggregates of one node or edge; times in microseconds."""

    names: set[str]
    active: bool
    start: int
    end: int
    trace_minutes: int
    statistics: Statistics
    duration_delta: dict[int, int]
    failures: dict[str, int] = field(default_factory=dict)

    def add(self, other: Aggregate) -> None:
        """Add the aggregates of other units of the same node or edge."""
        self.names |= other.names
        self.active |= other.active
        self.start = min(self.start, other.start)
        self.end = max(self.end, other.end)
        self.trace_minutes += other.trace_minutes
        add_statistics(self.statistics, other.statistics)
        histogram.add(self.duration_delta, other.duration_delta)
        for label, count in other.failures.items():
            self.failures[label] = self.failures.get(label, 0) + count


def copy_of(aggregate: Aggregate) -> Aggregate:
    """A copy that shares no mutable object with the original."""
    statistics = aggregate.statistics
    return replace(
        aggregate,
        names=set(aggregate.names),
        statistics=replace(statistics, histogram=dict(statistics.histogram)),
        duration_delta=dict(aggregate.duration_delta),
        failures=dict(aggregate.failures),
    )


Key = tuple[int, NodeKey, NodeKey]
"""kind, source (empty for a node), and the node or the edge's target."""


def add_statistics(into: Statistics, more: Statistics) -> None:
    """Add counts, times and histogram."""
    into.ok += more.ok
    into.error += more.error
    into.throttle += more.throttle
    into.fault += more.fault
    into.in_progress += more.in_progress
    into.observed += more.observed
    into.total_time += more.total_time
    histogram.add(into.histogram, more.histogram)


def read_aggregate(columns: Iterable[Any]) -> Aggregate:
    """The aggregate in one row of COLUMNS."""
    names, active, start, end, trace_minutes, *counts, buckets, duration_delta, failures = columns
    ok, error, throttle, fault, in_progress, observed, total_time = counts
    statistics = Statistics(
        ok, error, throttle, fault, in_progress, total_time, dict(buckets), observed
    )
    return Aggregate(
        set(names),
        bool(active),
        start,
        end,
        trace_minutes,
        statistics,
        dict(duration_delta),
        dict(failures),
    )


def collect(rows: Iterable[tuple[Any, ...]], into: dict[Key, Aggregate]) -> None:
    """Add rows of (kind, source, target, COLUMNS) to the aggregates in ``into``.

    Source and target are three columns each: account, name and type.
    """
    for kind, *rest in rows:
        key, columns = (kind, NodeKey(*rest[:3]), NodeKey(*rest[3:6])), rest[6:]
        aggregate = read_aggregate(columns)
        known = into.get(key)
        if known is None:
            into[key] = aggregate
        else:
            known.add(aggregate)


def graph_of(aggregates: dict[Key, Aggregate], settled_before: int | None = None) -> ServiceGraph:
    """The service graph, equal to that of `store.service_graph.build_service_graph` over the same units."""
    services: dict[NodeKey, ServiceStats] = {}
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    for (kind, source, target), aggregate in aggregates.items():
        if kind == NODE:
            services[target] = _service(target, aggregate)
        else:
            known = links if kind == LINK else edges
            known[source, target] = EdgeStats(
                source,
                target,
                aliases=frozenset(aggregate.names),
                start=aggregate.start,
                end=aggregate.end,
                statistics=aggregate.statistics,
                link=kind == LINK,
            )
    resolve_clients(services, edges, settled_before)
    join_accounts(services, edges, links)
    add_missing_endpoints(services, [*edges.values(), *links.values()])
    return ServiceGraph(services, edges, links)


def _service(key: NodeKey, aggregate: Aggregate) -> ServiceStats:
    durations = dict(aggregate.statistics.histogram)
    histogram.add(durations, aggregate.duration_delta)
    return ServiceStats(
        key,
        names=frozenset((key.name, *aggregate.names)),
        active=aggregate.active,
        root=False,
        start=aggregate.start,
        end=aggregate.end,
        trace_minutes=aggregate.trace_minutes,
        statistics=aggregate.statistics,
        durations={value: count for value, count in durations.items() if count},
    )
