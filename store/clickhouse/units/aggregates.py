"""RED aggregates of units: the fragments of their SQL, and the Python objects read from it.

Aggregates computed from units and sums of rollup rows have the same columns
(queries/units/columns.sql), so that the two can be merged and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from store.clickhouse.queries import Sql
from store.graph import (
    NO_WORK,
    EdgeStats,
    ServiceGraph,
    ServiceStats,
    Statistics,
    Work,
    add_failures,
    add_statistics,
)
from store.minutes import SeriesKind
from store.model import NodeKey, State
from store.rules import histogram
from store.service_graph import assemble, merge_service
from store.times import MINUTE
from store.units import NodeUnit

NODE, BACKGROUND = int(SeriesKind.NODE), int(SeriesKind.BACKGROUND)
EDGE, LINK = int(SeriesKind.CALLS), int(SeriesKind.LINKS)
NODES = (NODE, BACKGROUND)
"""Kinds of a node: its requests, and its background work."""
PLACES = {
    state: place
    for place, state in enumerate(
        (State.OK, State.ERROR, State.THROTTLE, State.FAULT, State.IN_PROGRESS), start=1
    )
}
"""Of each state the place of its count among the columns (queries/units/columns.sql)."""
_WIDTH = len(NodeKey._fields)

UNWEIGHTED = {
    "weight": Sql("1"),
    "visits": Sql("groupArray(trace)"),
    "traces": Sql(
        "arrayMap(each -> (each, toUInt32(1)),"
        " arrayCompact(arraySort(groupArrayArrayIf(visits, is_node))))"
    ),
    "time": Sql("time"),
    "ordered": Sql("sorted"),
    "sums": Sql("arrayEnumerate(sorted)"),
}
"""Fragments of units/count.sql when every unit has weight 1, as when nothing is sampled."""
WEIGHTED = {
    "weight": Sql("weight"),
    "visits": Sql("groupUniqArray((trace, toUInt32(weight)))"),
    "traces": Sql("groupUniqArrayArrayIf(visits, is_node)"),
    "time": Sql("(time, weight)"),
    "ordered": Sql("sorted.1"),
    "sums": Sql("arrayCumSum(sorted.2)"),
}
"""Fragments of units/count.sql for units of any weight; takes 1.5 times as long."""

MINUTE_OF = Sql(f"toUInt32(greatest(0, intDiv(start, {MINUTE})))")
ALL_UNITS = Sql("1")
"""The condition that all units match."""


class Aggregate(Struct, gc=False):
    """RED aggregates of one node or edge; times in microseconds."""

    names: frozenset[str]
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
        add_failures(self.failures, other.failures)


def name_in_row(unit: NodeUnit) -> str:
    """The one name of its node that is stored of a unit: another than the node's own, if it has one."""
    return next(iter(unit.names - {unit.node.name}), unit.node.name)


def copy_of(aggregate: Aggregate) -> Aggregate:
    """A copy that shares no mutable object with the original."""
    statistics = aggregate.statistics
    return replace(
        aggregate,
        statistics=replace(statistics, histogram=dict(statistics.histogram)),
        duration_delta=dict(aggregate.duration_delta),
        failures=dict(aggregate.failures),
    )


Key = tuple[int, NodeKey, NodeKey]
"""kind, source (empty for a node), and the node or the edge's target. A node may have two."""


def read_aggregate(columns: Iterable[Any]) -> Aggregate:
    """The aggregate in one row of the columns."""
    names, active, start, end, trace_minutes, *counts, buckets, duration_delta, failures = columns
    ok, error, throttle, fault, in_progress, observed, total_time = counts
    statistics = Statistics(
        ok, error, throttle, fault, in_progress, total_time, dict(buckets), observed
    )
    return Aggregate(
        frozenset(names),
        bool(active),
        start,
        end,
        trace_minutes,
        statistics,
        dict(duration_delta),
        dict(failures),
    )


def collect(rows: Iterable[tuple[Any, ...]], into: dict[Key, Aggregate]) -> None:
    """Add rows of (kind, source, target, columns) to the aggregates in ``into``.

    Source and target are as many columns each as a `NodeKey` has fields.
    """
    nodes: dict[NodeKey, NodeKey] = {}
    for kind, *rest in rows:
        source, target = NodeKey(*rest[:_WIDTH]), NodeKey(*rest[_WIDTH : 2 * _WIDTH])
        # One object for each node: a comparison of all that the keys of a map contain takes longer than all the rest.
        key = kind, nodes.setdefault(source, source), nodes.setdefault(target, target)
        columns = rest[2 * _WIDTH :]
        aggregate = read_aggregate(columns)
        known = into.get(key)
        if known is None:
            into[key] = aggregate
        else:
            known.add(aggregate)


def sum_of(parts: Iterable[Mapping[Key, Aggregate]]) -> dict[Key, Aggregate]:
    """The sum of some aggregates, with which it shares those that occur once: not to be modified."""
    first, *others = sorted(parts, key=len, reverse=True) or [{}]
    total = dict(first)
    for part in others:
        for key, aggregate in part.items():
            known = total.setdefault(key, aggregate)
            if known is not aggregate:
                total[key] = both = copy_of(known)
                both.add(aggregate)
    return total


K = TypeVar("K", Key, int)


def add(more: Mapping[K, Aggregate], into: dict[K, Aggregate]) -> None:
    """Add aggregates to those of the same node or edge, or other key."""
    for key, aggregate in more.items():
        known = into.setdefault(key, aggregate)
        if known is not aggregate:
            known.add(aggregate)


def graph_of(aggregates: dict[Key, Aggregate], settled_before: int | None = None) -> ServiceGraph:
    """The service graph, equal to that of `store.service_graph.build_service_graph` over the same units.

    It shares statistics and failures with the aggregates, which remain as they are: whatever adds to them copies them first
    (`store.graph.merge_edge`, `sum_of_work`).
    """
    services: dict[NodeKey, ServiceStats] = {}
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    for (kind, source, target), aggregate in aggregates.items():
        if kind not in NODES:
            into = links if kind == LINK else edges
            into[source, target] = EdgeStats(
                source,
                target,
                aggregate.names,
                aggregate.start,
                aggregate.end,
                aggregate.statistics,
                kind == LINK,
                aggregate.failures,
            )
            continue
        stats = _service(target, aggregate, kind)
        known = services.setdefault(target, stats)
        if known is not stats:
            merge_service(known, stats)
    return assemble(services, edges, links, settled_before)


def _service(key: NodeKey, aggregate: Aggregate, kind: int) -> ServiceStats:
    statistics = aggregate.statistics
    durations = statistics.histogram
    if aggregate.duration_delta:
        durations = dict(durations)
        histogram.add(durations, aggregate.duration_delta)
        durations = {value: count for value, count in durations.items() if count}
    work = Work(statistics, aggregate.trace_minutes, durations, aggregate.failures)
    # By position: a map of thousands of nodes takes a third longer to make of keywords.
    return ServiceStats(
        key,
        frozenset((key.name, *aggregate.names)),
        aggregate.active,
        False,  # root
        aggregate.start,
        aggregate.end,
        NO_WORK if kind == BACKGROUND else work,
        work if kind == BACKGROUND else NO_WORK,
    )
