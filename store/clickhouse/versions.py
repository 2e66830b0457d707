"""Statistics of the versions of a node, counted from rows when they are requested."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import TRUE, conjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.scan_ranges import started
from store.filters.ast import Expression
from store.graph import Statistics
from store.layers import TOLERANCE
from store.model import NodeKey, TimeRange
from store.query import MOST_VERSIONS, OTHER_VERSIONS, TimeBucket, VersionStatistics
from store.times import HOUR, MINUTE

LONGEST_TRACE = HOUR
"""How far from a segment another document of its trace may start: the one that names its environment, and the
request that it is part of."""
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
    fragments = _fragments(ask, nodes, window, within)
    apart = list(versions or ())
    if versions is None:
        places = {name: fragments[name] for name in queries.MOST_FREQUENT_VERSIONS.fragments}
        statement = queries.MOST_FREQUENT_VERSIONS.render(places, most=MOST_VERSIONS)
        apart = [version for (version,) in ask(statement)]
    rows = ask(
        queries.VERSION_STATISTICS.render(
            {**fragments, "weight": Sql("weight" if weighted else "1")},
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
    fragments = _fragments(ask, nodes, window)
    rows = ask(
        queries.VERSION_STATISTICS.render(
            {**fragments, "weight": Sql("weight")},
            versions=[version],
            all=False,
            rest=OTHER_VERSIONS,
            step=step,
        )
    )
    return [TimeBucket(at, _statistics(*columns)) for _, at, _, _, *columns in rows]


def _fragments(
    ask: RunQuery,
    nodes: Collection[NodeKey],
    window: TimeRange,
    within: Expression | None = None,
) -> dict[str, Sql]:
    places = {**_places(nodes, window, within), "not_pinned_copy": Sql(NOT_PINNED_COPY)}
    places["nodes"] = conjunction([places["nodes"], _is_counted(ask, nodes, places)])
    return {
        **places,
        "later": _later(window),
        "request": _is_request(ask, nodes, window),
    }


def _is_counted(ask: RunQuery, nodes: Collection[NodeKey], places: Mapping[str, Sql]) -> Sql:
    """A condition on segments: they are no background work, unless all are. Mostly none is."""
    if not ask(queries.ANY_BACKGROUND.render({"rows": places["rows"], "named": _named(nodes)})):
        return TRUE
    requests = queries.REQUEST.render({name: places[name] for name in queries.REQUEST.fragments})
    return requests if ask(queries.ANY_REQUEST.render({**places, "request": requests})) else TRUE


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


def _is_request(ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange) -> Sql:
    """A condition on segments: they are no part of another's request. Mostly none is."""
    named = _named(nodes)
    if not ask(queries.ANY_NESTED.render({"rows": started(window), "named": named})):
        return TRUE
    places = {**_places(nodes, window), "near": _near(window), "named": named}
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
