"""What is counted of units: the columns of an aggregate in SQL, and their reading in Python.

The same columns whether they are counted from units or added up from rollups, so that the two can
be merged and compared.
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

# `store.rules.classify.failure_label`, the state in front.
_LABEL = (
    "concat(toString(state), ':', multiIf(exception != '', toString(exception), "
    "status >= 400, concat('HTTP ', toString(status)), 'No exception recorded'))"
)

# Maps of counts are made of sorted arrays afterwards: `sumMap` row by row took twice as long.
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
"""Counts of the units that meet `:key`: a row for each `:bucket`, kind, and node or edge.

`trace_minutes` counts traces in a bucket, which must be a minute (MINUTE_OF) for it to mean anything. Its other
places are those of ALIKE or WEIGHED."""

UNWEIGHTED = {
    "weight": "1",
    "trace_minutes": "uniqExactIf(trace_id, units.kind = 0)",
    "time": "time",
    "ordered": "sorted",
    "sums": "arrayEnumerate(sorted)",
}
"""COUNT where every unit weighs 1, as all do where nothing is sampled."""
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
"""COUNT of any units, in half as much time again."""

MINUTE_OF = f"toUInt32(greatest(0, intDiv(start, {MINUTE})))"

SUMMED = """
    arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, sum(trace_minutes) AS trace_minutes_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_
"""
"""The same aggregates over rows of `rollups`, in the order of COLUMNS."""
SUMMED_BUT_TIMES = SUMMED.replace("sumMap(histogram)", "map()")


class Aggregate(Struct):
    """What was counted of one node or edge."""

    names: set[str]
    active: bool
    start: int
    end: int
    trace_minutes: int
    statistics: Statistics
    duration_delta: dict[int, int]
    failures: dict[str, int] = field(default_factory=dict)

    def add(self, other: Aggregate) -> None:
        """Add what was counted of other units of the same node or edge."""
        self.names |= other.names
        self.active |= other.active
        self.start = min(self.start, other.start)
        self.end = max(self.end, other.end)
        self.trace_minutes += other.trace_minutes
        add_statistics(self.statistics, other.statistics)
        histogram.add(self.duration_delta, other.duration_delta)
        for label, count in other.failures.items():
            self.failures[label] = self.failures.get(label, 0) + count


def copy_of(tally: Aggregate) -> Aggregate:
    """The same figures, apart from the tally's own."""
    statistics = tally.statistics
    return replace(
        tally,
        names=set(tally.names),
        statistics=replace(statistics, histogram=dict(statistics.histogram)),
        duration_delta=dict(tally.duration_delta),
        failures=dict(tally.failures),
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


def read_tally(columns: Iterable[Any]) -> Aggregate:
    """One row's COLUMNS."""
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
    """Add rows of (kind, source, target, COLUMNS) to what was counted so far.

    Source and target are three columns each: account, name and type.
    """
    for kind, *rest in rows:
        key, columns = (kind, NodeKey(*rest[:3]), NodeKey(*rest[3:6])), rest[6:]
        tally = read_tally(columns)
        known = into.get(key)
        if known is None:
            into[key] = tally
        else:
            known.add(tally)


def graph_of(tallies: dict[Key, Aggregate], settled_before: int | None = None) -> ServiceGraph:
    """The service graph of what was counted (as `store.service_graph.build_service_graph` would make it)."""
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
    resolve_clients(services, edges, settled_before)
    join_accounts(services, edges, links)
    add_missing_endpoints(services, [*edges.values(), *links.values()])
    return ServiceGraph(services, edges, links)


def _service(key: NodeKey, tally: Aggregate) -> ServiceStats:
    durations = dict(tally.statistics.histogram)
    histogram.add(durations, tally.duration_delta)
    return ServiceStats(
        key,
        names=frozenset((key.name, *tally.names)),
        active=tally.active,
        root=False,
        start=tally.start,
        end=tally.end,
        trace_minutes=tally.trace_minutes,
        statistics=tally.statistics,
        durations={value: count for value, count in durations.items() if count},
    )
