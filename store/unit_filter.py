"""Which units of traces match a query, and what is said of them: pure functions for every store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from store.facts import FindTrace
from store.graph import Statistics
from store.grouped_units import GroupedUnit, with_values
from store.model import Document, NodeKey, Trace, confirmed, is_settled
from store.query import (
    MOST_LISTED_OPERATIONS,
    MOST_VERSIONS,
    OTHER_VERSIONS,
    EntryTime,
    TimeBucket,
    UnitQuery,
    UnitTrace,
    VersionStatistics,
)
from store.rules.operations import OTHER_OPERATIONS
from store.service_graph import count
from store.units import NodeUnit, Unit, link_units, trace_units


def matching_units(trace: Trace, query: UnitQuery, find: FindTrace) -> list[Unit]:
    """The units of a trace that match, those of its links included; `Trace.caused` is known."""
    units = chain(trace_units(trace), link_units(trace, find))
    found = [unit for unit in units if _matches(unit, query)]
    if query.by is None or not found:
        return found
    return list(matching_grouped(with_values(trace, found, query.by.dimension), query))


def matching_grouped(units: Iterable[GroupedUnit], query: UnitQuery) -> Iterator[Unit]:
    """Of units whose values are known those that match."""
    for each in units:
        if _matches(each.unit, query) and (query.by is None or query.by.has(each)):
            yield each.unit


def unit_trace(trace: Trace, units: Iterable[Unit], time: int | None = None) -> UnitTrace | None:
    """The trace with its matching units; None without any. ``time`` defaults to the latest start."""
    found = list(units)
    if not found:
        return None
    latest = max(unit.start for unit in found) if time is None else time
    worst = max(unit.state for unit in found)
    return UnitTrace(trace.trace_id, latest, sum(unit.weight for unit in found), worst)


def unit_series(units: Iterable[Unit], step: int) -> list[TimeBucket]:
    """Statistics of units by the multiple of ``step`` (microseconds) since the epoch, ascending."""
    slices: dict[int, Statistics] = {}
    for unit in units:
        start = unit.start // step * step
        statistics = slices.setdefault(start, Statistics(histogram={}))
        count(statistics, unit.state, unit.end - unit.start, unit.weight)
    return [TimeBucket(start, slices[start]) for start in sorted(slices)]


def reported_versions(units: Iterable[Unit]) -> list[tuple[NodeUnit, str]]:
    """The units that are segments, each with the version that it reported, '' without one: requests, or background
    work if there is no request. Other spans report none."""
    segments = [
        (unit, unit.origin.service_version)
        for unit in units
        if isinstance(unit, NodeUnit)
        and isinstance(unit.origin, Document)
        and not unit.origin.independent
    ]
    return [each for each in segments if not each[0].background] or segments


def unit_versions(
    units: Iterable[Unit],
    versions: Collection[str] | None,
    *,
    weighted: bool,
) -> dict[str, VersionStatistics]:
    """See `store.protocol.GraphReader.version_statistics`."""
    segments = reported_versions(units)
    frequency = Counter(version for _, version in segments)
    ranked = sorted(frequency, key=lambda version: (-frequency[version], version))
    apart = set(ranked[:MOST_VERSIONS] if versions is None else versions)
    found: dict[str, VersionStatistics] = {}
    for unit, version in segments:
        if version not in apart:
            if versions is not None:
                continue
            version = OTHER_VERSIONS
        known = found.get(version)
        statistics = known.statistics if known else Statistics(histogram={})
        count(statistics, unit.state, unit.end - unit.start, unit.weight if weighted else 1)
        first, last = (known.first, known.last) if known else (unit.start, unit.start)
        found[version] = VersionStatistics(
            min(first, unit.start), max(last, unit.start), statistics
        )
    return found


def unit_operations(
    units: Iterable[GroupedUnit], nodes: Collection[NodeKey], *, background: bool
) -> dict[str, Statistics]:
    """See `store.protocol.GraphReader.operation_statistics`; ``units``: with their operations."""
    found = [
        (each.value, each.unit)
        for each in units
        if isinstance(each.unit, NodeUnit)
        and each.unit.node in nodes
        and each.unit.background is background
    ]
    frequency = Counter(operation for operation, _ in found)
    ranked = sorted(frequency, key=lambda operation: (-frequency[operation], operation))
    apart = set(ranked[:MOST_LISTED_OPERATIONS])
    statistics: dict[str, Statistics] = {}
    for operation, unit in found:
        name = operation if operation in apart else OTHER_OPERATIONS
        counted = statistics.setdefault(name, Statistics(histogram={}))
        count(counted, unit.state, unit.end - unit.start, unit.weight)
    return statistics


def entry_time(trace: Trace) -> EntryTime | None:
    """See `store.protocol.TraceReader.entry_times`."""
    segments = [d for d in trace.documents.values() if not d.independent]
    entry = min(segments, key=lambda d: (d.start, d.id), default=None)
    if entry is None or entry.parent_id or entry.in_progress:
        return None
    start = min(d.start for d in trace.documents.values())
    return EntryTime(start, entry.end - entry.start, entry.state)


def _matches(unit: Unit, query: UnitQuery) -> bool:
    if query.window is not None and unit.start not in query.window:
        return False
    if query.states and unit.state not in query.states:
        return False
    if query.label is not None and unit.label != query.label:
        return False
    if isinstance(unit, NodeUnit):
        return unit.node in query.nodes and unit.background is query.background
    if query.link is not None and unit.link is not query.link:
        return False
    if not is_settled(unit.source, query.settled_before):
        return False
    return (confirmed(unit.source), unit.target) in query.edges
