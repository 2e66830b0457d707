"""Statistics of the versions of a node, counted from rows when they are requested."""

from __future__ import annotations

from collections.abc import Collection

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import TRUE, conjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.scan_ranges import started
from store.filters.ast import Expression
from store.graph import Statistics
from store.model import NodeKey, TimeRange
from store.query import MOST_VERSIONS, OTHER_VERSIONS, TimeBucket, VersionStatistics
from store.times import HOUR, MINUTE

LONGEST_TRACE = HOUR
"""How far from a segment the document of its trace may start that names its environment."""
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
    fragments = _fragments(nodes, window, within)
    apart = list(versions or ())
    if versions is None:
        statement = queries.MOST_FREQUENT_VERSIONS.render(fragments, most=MOST_VERSIONS)
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
    return {
        version: VersionStatistics(first, last, _statistics(*columns))
        for version, _, first, last, *columns in rows
    }


def version_series(
    ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange, version: str, step: int
) -> list[TimeBucket]:
    """See `store.protocol.GraphReader.version_series`."""
    if not nodes or window.end <= window.start:
        return []
    rows = ask(
        queries.VERSION_STATISTICS.render(
            {**_fragments(nodes, window), "weight": Sql("weight"), "later": _later(window)},
            versions=[version],
            all=False,
            rest=OTHER_VERSIONS,
            step=step,
        )
    )
    return [TimeBucket(at, _statistics(*columns)) for _, at, _, _, *columns in rows]


def _fragments(
    nodes: Collection[NodeKey], window: TimeRange, within: Expression | None = None
) -> dict[str, Sql]:
    return {
        "nodes": conjunction([_of(nodes), _traces(window, within)]),
        "rows": started(window),
        "not_pinned_copy": Sql(NOT_PINNED_COPY),
    }


def _later(window: TimeRange) -> Sql:
    """A condition on rows: they may stand below those of the window."""
    bounds = {
        "first": max(0, window.start // MINUTE),
        "last": (window.end + LONGEST_TRACE) // MINUTE,
    }
    return Sql("minute BETWEEN {first:UInt32} AND {last:UInt32}", bounds)


def _traces(window: TimeRange, within: Expression | None) -> Sql:
    """A condition on rows: they are of a trace whose documents, as they are last, satisfy an expression."""
    if within is None:
        return TRUE
    minutes = {
        "near_first": max(0, (window.start - LONGEST_TRACE) // MINUTE),
        "near_last": (window.end + LONGEST_TRACE) // MINUTE,
    }
    near = Sql("minute BETWEEN {near_first:UInt32} AND {near_last:UInt32}", minutes)
    return compiled(within, near, sure=True).must


def _of(nodes: Collection[NodeKey]) -> Sql:
    """A condition on rows; names first, which lie together least."""
    names = sorted({node.name for node in nodes})
    return Sql(
        f"name IN {{names:Array(String)}} AND ({', '.join(NodeKey._fields)}) IN {{nodes:Array({_KEY_TYPE})}}",
        {"names": names, "nodes": sorted(tuple(node) for node in nodes)},
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
