"""Statistics of the versions of a node, counted from rows when they are requested."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import TRUE, conjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.get_traces import LinkPresence, get_traces
from store.clickhouse.search.scan_ranges import started
from store.filters.ast import Expression
from store.graph import Statistics
from store.layers import TOLERANCE
from store.model import Document, Independent, NodeKey, TimeRange
from store.query import MOST_VERSIONS, OTHER_VERSIONS, TimeBucket, VersionStatistics
from store.service_graph import merge_statistics
from store.times import HOUR, MINUTE
from store.unit_filter import reported_versions, unit_series, unit_versions
from store.units import NodeUnit, Unit, trace_units

LONGEST_TRACE = HOUR
"""How far from a segment another document of its trace may start: the one that names its environment, and the
request that it is part of."""
CHUNK = 500
"""Traces read at once."""
_KEY_TYPE = f"Tuple({', '.join(['String'] * len(NodeKey._fields))})"


def version_statistics(
    ask: RunQuery,
    nodes: Collection[NodeKey],
    window: TimeRange,
    versions: Collection[str] | None,
    *,
    weighted: bool,
    within: Expression | None,
) -> dict[str, VersionStatistics]:
    """See `store.protocol.GraphReader.version_statistics`."""
    if not nodes or window.end <= window.start:
        return {}
    shapes = _shapes(ask, nodes, window)
    fragments = _fragments(ask, nodes, window, shapes, within)
    apart = list(versions or ())
    if versions is None:
        places = {name: fragments[name] for name in queries.MOST_FREQUENT_VERSIONS.fragments}
        statement = queries.MOST_FREQUENT_VERSIONS.render(places, most=MOST_VERSIONS)
        apart = [version for (version,) in ask(statement)]
    rows = ask(
        queries.VERSION_STATISTICS.render(
            {**fragments, "weight": Sql("weight" if weighted else "1"), "later": _later(window)},
            versions=apart,
            all=versions is None,
            rest=OTHER_VERSIONS,
            step=0,
        )
    )
    found = {
        version: VersionStatistics(first, last, _statistics(*columns))
        for version, _, first, last, *columns in rows
    }
    entered = _entered(ask, nodes, window, within) if shapes.entering else []
    more = unit_versions(entered, apart, weighted=weighted, others=versions is None)
    return {version: _sum(found.get(version), more.get(version)) for version in {**found, **more}}


def version_series(
    ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange, version: str, step: int
) -> list[TimeBucket]:
    """See `store.protocol.GraphReader.version_series`."""
    if not nodes or window.end <= window.start:
        return []
    shapes = _shapes(ask, nodes, window)
    rows = ask(
        queries.VERSION_STATISTICS.render(
            {
                **_fragments(ask, nodes, window, shapes),
                "weight": Sql("weight"),
                "later": _later(window),
            },
            versions=[version],
            all=False,
            rest=OTHER_VERSIONS,
            step=step,
        )
    )
    units = _entered(ask, nodes, window) if shapes.entering else []
    entered = [unit for unit, reported in reported_versions(units) if reported == version]
    found = {at: _statistics(*columns) for _, at, _, _, *columns in rows}
    for each in unit_series(entered, step):
        merge_statistics(found.setdefault(each.start, Statistics(histogram={})), each.statistics)
    return [TimeBucket(at, found[at]) for at in sorted(found)]


def _entered(
    ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange, within: Expression | None = None
) -> list[Unit]:
    """The units of nodes that are spans which enter their services: the traces with some are read whole."""
    named = _named(nodes)
    places = {
        **_places(nodes, window, within),
        "near": _near(window),
        "named": named,
        "owned": Sql(f"owner_{named.text}", named.parameters),
        "not_pinned_copy": Sql(NOT_PINNED_COPY),
    }
    ids = [bytes.fromhex(digits) for (digits,) in ask(queries.ENTERED.render(places))]
    found: list[Unit] = []
    for first in range(0, len(ids), CHUNK):
        traces = get_traces(ask, ids[first : first + CHUNK], LinkPresence(), links=False)
        units = chain.from_iterable(trace_units(trace) for trace in traces.values())
        found += (unit for unit in units if _is_entered(unit, nodes) and unit.start in window)
    return found


def _is_entered(unit: Unit, nodes: Collection[NodeKey]) -> bool:
    if not isinstance(unit, NodeUnit) or not isinstance(unit.origin, Document):
        return False
    return unit.node in nodes and unit.origin.independent != Independent.NO


def _sum(one: VersionStatistics | None, other: VersionStatistics | None) -> VersionStatistics:
    found = one or other
    assert found is not None
    if one and other:
        merge_statistics(one.statistics, other.statistics)
        first, last = min(one.first, other.first), max(one.last, other.last)
        return VersionStatistics(first, last, one.statistics)
    return found


def _fragments(
    ask: RunQuery,
    nodes: Collection[NodeKey],
    window: TimeRange,
    shapes: _Shapes,
    within: Expression | None = None,
) -> dict[str, Sql]:
    return {
        **_places(nodes, window, within),
        "not_pinned_copy": Sql(NOT_PINNED_COPY),
        "request": _is_request(ask, nodes, window) if shapes.nested else TRUE,
    }


def _later(window: TimeRange) -> Sql:
    """A condition on rows: they may stand below those of the window."""
    bounds = {
        "first": max(0, window.start // MINUTE),
        "last": (window.end + LONGEST_TRACE) // MINUTE,
    }
    return Sql("minute BETWEEN {first:UInt32} AND {last:UInt32}", bounds)


def _places(
    nodes: Collection[NodeKey], window: TimeRange, within: Expression | None = None
) -> dict[str, Sql]:
    """Conditions on the rows of nodes in a window."""
    return {
        "rows": started(window),
        "nodes": conjunction([_of(nodes), _traces(window, within)]),
    }


class _Shapes(NamedTuple):
    """Whether nodes have spans that may enter their services, and SERVER spans with a parent."""

    entering: int
    nested: int


def _shapes(ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange) -> _Shapes:
    """Mostly neither."""
    [row] = ask(queries.SHAPES.render({"rows": started(window), "named": _named(nodes)}))
    return _Shapes(*row)


def _is_request(ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange) -> Sql:
    """A condition on segments: they are no part of another's request. Mostly none is."""
    places = {**_places(nodes, window), "near": _near(window), "named": _named(nodes)}
    if not ask(queries.ANY_REPEATED.render(places)):
        return TRUE
    repeated = queries.REPEATED.render({**places, "tolerance": Sql(str(TOLERANCE))})
    return Sql(f"(trace_id, id) NOT IN ({repeated.text})", repeated.parameters)


def _traces(window: TimeRange, within: Expression | None) -> Sql:
    """A condition on rows: they are of a trace whose documents, as they are last, satisfy an expression."""
    if within is None:
        return TRUE
    return compiled(within, _near(window), sure=True).must


def _near(window: TimeRange) -> Sql:
    minutes = {
        "near_first": max(0, (window.start - LONGEST_TRACE) // MINUTE),
        "near_last": (window.end + LONGEST_TRACE) // MINUTE,
    }
    return Sql("minute BETWEEN {near_first:UInt32} AND {near_last:UInt32}", minutes)


def _named(nodes: Collection[NodeKey]) -> Sql:
    names = sorted({node.name for node in nodes})
    return Sql("name IN {names:Array(String)}", {"names": names})


def _of(nodes: Collection[NodeKey]) -> Sql:
    """A condition on rows; names first, which lie together least."""
    named = _named(nodes)
    return Sql(
        f"{named.text} AND ({', '.join(NodeKey._fields)}) IN {{nodes:Array({_KEY_TYPE})}}",
        {**named.parameters, "nodes": sorted(tuple(node) for node in nodes)},
    )


def _statistics(
    ok: int,
    error: int,
    throttle: int,
    fault: int,
    in_progress: int,
    total_time: int,
    histogram: dict[int, int],
    observed: int,
) -> Statistics:
    counts = ok, error, throttle, fault, in_progress
    return Statistics(*counts, total_time, dict(histogram), observed)
