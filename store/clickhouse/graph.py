"""The service graph, its series and its failures, asked of ClickHouse.

The units come from queries/*.sql; here they are counted by service, edge, step or label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.clickhouse import kinship, sql
from store.edges import add_silent_ends
from store.interface import Failure, Slice, failures_by_frequency
from store.model import (
    EdgeStats,
    NodeKey,
    ServiceGraph,
    ServiceStats,
    State,
    Statistics,
    TimeRange,
)
from store.rules.classify import failure_label

Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]
"""Runs a statement and gives its rows."""

_FOLDER = Path(__file__).parent / "queries"
NODE_UNITS, EDGE_UNITS = (
    (_FOLDER / f"{name}.sql").read_text() for name in ("node_units", "edge_units")
)

_COUNTS = f"""
    countIf(state = 1), countIf(state = 2), countIf(state = 3), countIf(state = 4),
    countIf(state = 0), sumIf(duration, state > 0),
    sumMapIf(map({sql.bucket("duration")}, toUInt64(1)), state > 0)
"""

NODES = f"""
SELECT account, name, type, groupUniqArray(service), max(active), min(start),
       max(start + duration), uniqExact((intDiv(start, 60000000), trace_id)),
       sumMapIf(map({sql.bucket("last_duration")}, toUInt64(1)), state > 0), {_COUNTS}
FROM (
{NODE_UNITS}
)
GROUP BY account, name, type
"""

EDGES = f"""
SELECT source, target, link, groupUniqArrayIf(alias, alias != ''), min(start), max(start + duration), {_COUNTS}
FROM (
{EDGE_UNITS}
)
GROUP BY source, target, link
"""

_BOUNDS = """
SELECT count(), min(lo), max(hi) FROM traces WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE lo < :to AND hi >= :from
    UNION ALL
    SELECT other_trace FROM links
    WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
)
"""

# A batch is three tables, `segments` last. Until its document is there a call or link is not: its
# answer may lie in the same batch, and a map asked in between would show a node that is none.
_WHOLE = """(trace_id, document_id) IN (
    SELECT trace_id, id FROM segments
    WHERE minute BETWEEN intDiv(:lo, 60000000) AND intDiv(:hi, 60000000)
)"""


def bind(statement: str, **values: int | str) -> str:
    """A statement with its ``:name`` places filled in; numbers and ready SQL only."""
    return re.sub(r"(?<![:\w]):([a-z]+)\b", lambda match: str(values[match[1]]), statement)


def service_graph(ask: Ask, window: TimeRange) -> ServiceGraph:
    """`store.edges.weave` over the window."""
    values = _places(ask, window)
    if values is None:
        return ServiceGraph({}, {})
    services: dict[NodeKey, ServiceStats] = {}
    for account, name, type, used, active, start, end, touched, durations, *rest in ask(
        bind(NODES, **values)
    ):
        key = NodeKey(account, name, type)
        services[key] = ServiceStats(
            key,
            names=frozenset((name, *used)),
            active=bool(active),
            root=False,
            start=start,
            end=end,
            touched=touched,
            statistics=_statistics(rest),
            durations=_histogram(durations),
        )
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    for source, target, link, aliases, start, end, *rest in _with_kinship(ask, values, EDGES):
        pair = NodeKey(*source), NodeKey(*target)
        (links if link else edges)[pair] = EdgeStats(
            *pair,
            aliases=frozenset(aliases),
            start=start,
            end=end,
            statistics=_statistics(rest),
            link=bool(link),
        )
        if pair[0].is_client and pair[1] in services:
            services[pair[1]].root = True
    add_silent_ends(services, [*edges.values(), *links.values()])
    return ServiceGraph(services, edges, links)


def node_series(ask: Ask, node: NodeKey, window: TimeRange, step: int) -> list[Slice]:
    """Statistics of a node per step."""
    values = _places(ask, window)
    if values is None:
        return []
    return _series(ask(bind(_series_of(_of_node(node), window, step), **values)), window, step)


def edge_series(
    ask: Ask, pair: tuple[NodeKey, NodeKey], window: TimeRange, step: int
) -> list[Slice]:
    """Statistics of an edge per step."""
    values = _places(ask, window)
    if values is None:
        return []
    rows = _with_kinship(ask, values, _series_of(_of_edge(pair), window, step))
    return _series(rows, window, step)


def node_failures(ask: Ask, node: NodeKey, window: TimeRange) -> list[Failure]:
    """Error breakdown of a node."""
    values = _places(ask, window)
    if values is None:
        return []
    return _failures(ask(bind(_failures_of(_of_node(node)), **values)))


def edge_failures(ask: Ask, pair: tuple[NodeKey, NodeKey], window: TimeRange) -> list[Failure]:
    """Error breakdown of an edge."""
    values = _places(ask, window)
    if values is None:
        return []
    return _failures(_with_kinship(ask, values, _failures_of(_of_edge(pair))))


def _with_kinship(ask: Ask, values: dict[str, int | str], statement: str) -> Rows:
    """The rows of a statement about edges, which needs to know who owns what."""

    def fill(text: str) -> str:
        return bind(text, **values)

    kinship.prepare(ask, fill)
    rows = ask(fill(statement))
    kinship.release(ask)
    return rows


def _places(ask: Ask, window: TimeRange) -> dict[str, int | str] | None:
    """The numbers the queries need; None when no trace touches the window."""
    times: dict[str, int | str] = {"from": window.start, "to": window.end}
    ((count, lo, hi),) = ask(bind(_BOUNDS, **times))
    if not count:
        return None
    places = {**times, "lo": lo, "hi": hi}
    return {**places, "whole": bind(_WHOLE, **places)}


def _of_node(node: NodeKey) -> str:
    key = sql.node_tuple(node)
    return f"SELECT * FROM ({NODE_UNITS}) WHERE (account, name, type) = {_guarded(key)}"


def _of_edge(pair: tuple[NodeKey, NodeKey]) -> str:
    source, target = (_guarded(sql.node_tuple(node)) for node in pair)
    return f"SELECT * FROM ({EDGE_UNITS}) WHERE source = {source} AND target = {target}"


def _guarded(literal: str) -> str:
    """A literal whose colons `bind` must not read as places."""
    return literal.replace(":", "\\x3A")


def _series_of(units: str, window: TimeRange, step: int) -> str:
    return (
        f"SELECT intDiv(start - {window.start}, {step}) AS step, {_COUNTS} "
        f"FROM ({units}) GROUP BY step ORDER BY step"
    )


def _series(rows: Rows, window: TimeRange, step: int) -> list[Slice]:
    return [Slice(window.start + index * step, _statistics(rest)) for index, *rest in rows]


def _failures_of(units: str) -> str:
    return (
        "SELECT if(exception != '', 0, status) AS code, exception, state, count() "
        f"FROM ({units}) WHERE state > 1 GROUP BY code, exception, state"
    )


def _failures(rows: Rows) -> list[Failure]:
    counts: Counter[tuple[str, State]] = Counter()
    for status, exception, state, count in rows:
        counts[failure_label(exception, status), State(state)] += count
    return failures_by_frequency(counts)


def _statistics(columns: list[Any]) -> Statistics:
    ok, error, throttle, fault, in_progress, total_time, histogram = columns
    return Statistics(
        ok=ok,
        error=error,
        throttle=throttle,
        fault=fault,
        in_progress=in_progress,
        total_time=total_time,
        histogram=_histogram(histogram),
    )


def _histogram(value: dict[int, int]) -> dict[int, int]:
    return dict(value)
