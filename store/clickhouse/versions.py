"""Statistics of the versions of a node, counted from rows when they are requested."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import QueryRunner, RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql, Template
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
SEGMENTS = Sql("segments FINAL")
"""Without the copies that were replaced."""
_KEY_TYPE = f"Tuple({', '.join(['String'] * len(NodeKey._fields))})"


def frequent(ask: RunQuery, fragments: Mapping[str, Sql], most: int) -> list[str]:
    """The values that most segments have."""
    places = {name: fragments[name] for name in queries.MOST_FREQUENT.fragments}
    return [value for (value,) in ask(queries.MOST_FREQUENT.render(places, most=most))]


def _fragments(
    ask: RunQuery,
    nodes: Collection[NodeKey],
    window: TimeRange,
    within: Expression | None = None,
    *,
    beside_requests: bool,
) -> dict[str, Sql]:
    places = places_of(nodes, window, within)
    counted = _is_counted(ask, nodes, places, beside_requests=beside_requests)
    places["nodes"] = conjunction([places["nodes"], counted])
    return {
        **places,
        **conditions_of(ask, nodes, window),
        "value": Sql("service_version"),
        "segments": SEGMENTS,
    }


def conditions_of(ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange) -> dict[str, Sql]:
    """What decides which segments of nodes are units of their own."""
    return {"later": _later(window), "request": _is_request(ask, nodes, window)}


def _is_counted(
    ask: RunQuery, nodes: Collection[NodeKey], places: Mapping[str, Sql], *, beside_requests: bool
) -> Sql:
    """A condition on segments: they are no background work, unless all are. Mostly none is."""
    requests = requests_among(ask, nodes, places)
    if requests is None:
        return TRUE
    if beside_requests:
        return requests
    return requests if ask(queries.ANY_REQUEST.render({**places, "request": requests})) else TRUE


def requests_among(
    ask: RunQuery, nodes: Collection[NodeKey], places: Mapping[str, Sql]
) -> Sql | None:
    """A condition on segments: they are no background work; None if all are none, as mostly."""
    given = {**places, "named": named(nodes)}
    if not ask(_rendered(queries.ANY_BACKGROUND, given)):
        return None
    return _rendered(queries.REQUEST, given)


def _rendered(template: Template, given: Mapping[str, Sql]) -> Sql:
    return template.render({name: given[name] for name in template.fragments})


def _later(window: TimeRange) -> Sql:
    """A condition on rows: they may stand below those of the window."""
    bounds = {
        "first": max(0, window.start // MINUTE),
        "last": (window.end + LONGEST_TRACE) // MINUTE,
    }
    return Sql("minute BETWEEN {first:UInt32} AND {last:UInt32}", bounds)


def places_of(
    nodes: Collection[NodeKey], window: TimeRange, within: Expression | None = None
) -> dict[str, Sql]:
    """Conditions on the rows of nodes in a window."""
    return {
        "rows": started(window),
        "nodes": conjunction([_of(nodes), _traces(window, within)]),
        "not_pinned_copy": Sql(NOT_PINNED_COPY),
    }


def _is_request(ask: RunQuery, nodes: Collection[NodeKey], window: TimeRange) -> Sql:
    """A condition on segments: they are no part of another's request. Mostly none is."""
    of_name = named(nodes)
    if not ask(queries.ANY_NESTED.render({"rows": started(window), "named": of_name})):
        return TRUE
    of_nodes = {name: places_of(nodes, window)[name] for name in ("rows", "nodes")}
    places = {**of_nodes, "near": near(window), "named": of_name}
    if not ask(queries.ANY_REPEATED.render(places)):
        return TRUE
    repeated = queries.REPEATED.render({**places, "tolerance": Sql(str(TOLERANCE))})
    return Sql(f"(trace_id, id) NOT IN ({repeated.text})", repeated.parameters)


def _traces(window: TimeRange, within: Expression | None) -> Sql:
    """A condition on rows: they are of a trace whose documents, as they are last, satisfy an expression."""
    if within is None:
        return TRUE
    return compiled(within, near(window), sure=True).must


def near(window: TimeRange) -> Sql:
    """A condition on rows: they may belong to the traces of those of the window."""
    minutes = {
        "near_first": max(0, (window.start - LONGEST_TRACE) // MINUTE),
        "near_last": (window.end + LONGEST_TRACE) // MINUTE,
    }
    return Sql("minute BETWEEN {near_first:UInt32} AND {near_last:UInt32}", minutes)


def named(nodes: Collection[NodeKey]) -> Sql:
    """A condition on rows: their nodes have these names."""
    names = sorted({node.name for node in nodes})
    return Sql("name IN {names:Array(String)}", {"names": names})


def _of(nodes: Collection[NodeKey]) -> Sql:
    """A condition on rows; names first, which lie together least."""
    of_name = named(nodes)
    return Sql(
        f"{of_name.text} AND ({', '.join(NodeKey._fields)}) IN {{nodes:Array({_KEY_TYPE})}}",
        {**of_name.parameters, "nodes": sorted(tuple(node) for node in nodes)},
    )


def statistics_of(
    ok: int,
    error: int,
    throttle: int,
    fault: int,
    in_progress: int,
    total_time: int,
    histogram: dict[int, int],
    observed: int,
) -> Statistics:
    """A row of statistics.sql."""
    counts = ok, error, throttle, fault, in_progress
    return Statistics(*counts, total_time, dict(histogram), observed)


class _HasRunner(Protocol):
    def _asking(self) -> AbstractContextManager[QueryRunner]: ...


class VersionMethods:
    """Methods of `store.protocol.GraphReader`. ``beside_requests``: another cell has requests of these nodes, so that
    background work does not count, even if there is nothing else here."""

    def version_statistics(
        self: _HasRunner,
        nodes: Collection[NodeKey],
        window: TimeRange,
        versions: Collection[str] | None = None,
        *,
        weighted: bool = True,
        within: Expression | None = None,
        beside_requests: bool = False,
    ) -> dict[str, VersionStatistics]:
        """Statistics of nodes by version."""
        with self._asking() as ask:
            if not nodes or window.end <= window.start:
                return {}
            fragments = _fragments(ask, nodes, window, within, beside_requests=beside_requests)
            apart = frequent(ask, fragments, MOST_VERSIONS) if versions is None else list(versions)
            rows = ask(
                queries.STATISTICS_BY.render(
                    {**fragments, "weight": Sql("weight" if weighted else "1")},
                    apart=apart,
                    all=versions is None,
                    rest=OTHER_VERSIONS,
                    step=0,
                )
            )
            return {
                version: VersionStatistics(first, last, statistics_of(*columns))
                for version, _, first, last, *columns in rows
            }

    def version_series(
        self: _HasRunner,
        nodes: Collection[NodeKey],
        window: TimeRange,
        version: str,
        step: int,
        *,
        beside_requests: bool = False,
    ) -> list[TimeBucket]:
        """Statistics of one version per step."""
        with self._asking() as ask:
            if not nodes or window.end <= window.start:
                return []
            fragments = _fragments(ask, nodes, window, beside_requests=beside_requests)
            rows = ask(
                queries.STATISTICS_BY.render(
                    {**fragments, "weight": Sql("weight")},
                    apart=[version],
                    all=False,
                    rest=OTHER_VERSIONS,
                    step=step,
                )
            )
            return [TimeBucket(at, statistics_of(*columns)) for _, at, _, _, *columns in rows]

    def has_requests(
        self: _HasRunner,
        nodes: Collection[NodeKey],
        window: TimeRange,
        within: Expression | None = None,
    ) -> bool:
        """Whether any segment of nodes is no background work."""
        with self._asking() as ask:
            if not nodes or window.end <= window.start:
                return False
            places = places_of(nodes, window, within)
            request = requests_among(ask, nodes, places) or TRUE
            return bool(ask(queries.ANY_REQUEST.render({**places, "request": request})))
