"""Finds the traces that contain units of a node or an edge, those with the latest unit first.

Statements select rows that may be such units: the superseded copies of a document and calls of which
a segment decides are among them. Whole traces are then judged by `store.unit_filter`, so that the
units found are those that the map counts. A page is sorted by the latest of a trace's rows.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, everywhere, run_concurrently
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.queries.registry import numbers_in
from store.clickhouse.queries.rules import IS_STREAMED, PASSED_ON, SERVES_NO_REQUEST
from store.clickhouse.search.get_traces import (
    PAGE,
    LinkPresence,
    get_traces,
    link_ends,
    located,
    without_links,
)
from store.clickhouse.search.scan_ranges import started
from store.clickhouse.search.unit_rows import (
    REQUEST,
    STANDS_FOR_REQUEST,
    UNEXPLAINED,
    UNPLACED,
)
from store.cursor import decode_cursor, encode_cursor
from store.grouped_units import Grouped
from store.layers import MILD
from store.model import NodeKey, State, TimeRange, Trace
from store.query import EntryTime, UnitPage, UnitQuery, UnitTrace
from store.rules.classify import statuses_called
from store.rules.dimensions import Dimension
from store.unit_filter import matching_units, unit_trace

CHUNK = 500
"""Maximum number of traces judged at once."""
ROWS_OF_TRACE = 8
"""How many rows to reach back for, per trace that is looked for: a trace has several."""
WIDENED = 8
"""How many times as many rows, where those were of too few traces."""
MOST_COUNTED = 5000
"""Maximum number of traces in which units are counted by one statement."""
GROWTH = 4
"""Ratio between the numbers of traces that are judged one after the other."""
MAX_SECONDS = 20.0
"""Seconds after which a page ends short."""
MAX_INT64 = 2**63 - 1
_GETS_MESSAGES = queries.GETS_MESSAGES.render({"broker": Sql("before_name")})
_CONSUMER = joined(" AND ", [REQUEST.may, _GETS_MESSAGES])
_KEY = ", ".join(NodeKey._fields)
_KEY_TYPE = f"Tuple({', '.join(['String'] * len(NodeKey._fields))})"


class _Rows(NamedTuple):
    """Rows of a table that may be units, in some window."""

    table: str
    condition: Sql

    def within(self, window: TimeRange) -> Sql:
        """The condition on those that start in a window."""
        return joined(" AND ", [started(window), self.condition])


def find_units(
    ask: RunQuery, query: UnitQuery, linked: LinkPresence, *, limit: int, cursor: str | None
) -> UnitPage:
    """A page of traces; see `TraceReader.find_units`."""
    deadline = time.monotonic() + MAX_SECONDS
    before = decode_cursor(cursor)
    found: list[UnitTrace] = []
    # Of nodes, ClickHouse itself says what the units are; of an edge, many rows are of other edges, and of a node that is
    # split, of other values.
    of_nodes, traces = bool(query.nodes) and query.by is None, dict[bytes, Trace]()
    counted = of_nodes and limit > PAGE
    most, size = MOST_COUNTED if counted else CHUNK, (1 if of_nodes else 2) * (limit + 1)
    while True:
        size = min(most, size)
        candidates = _candidates(ask, query, before, size)
        if counted:
            judged = _node_units(ask, query, linked, candidates)
        else:
            judged, read = _judged(ask, query, linked, candidates)
            traces |= read if limit <= PAGE else {}
        room = limit - len(found)
        found += judged[:room]
        if len(judged) > room or (len(found) == limit and len(candidates) == size):
            cursor = encode_cursor(found[-1].time, found[-1].trace_id)
            return UnitPage(found, cursor, traces)
        if len(candidates) < size:
            return UnitPage(found, None, traces)
        before, size = candidates[-1], GROWTH * size
        if time.monotonic() > deadline:
            return UnitPage(found, encode_cursor(*before), traces)


def entry_times(ask: RunQuery, trace_ids: Sequence[bytes]) -> dict[bytes, EntryTime]:
    """See `TraceReader.entry_times`."""
    if not trace_ids:
        return {}
    rows = ask(queries.ENTRY_TIMES.render(ids=list(trace_ids)))
    return {
        bytes.fromhex(digits): EntryTime(start, duration, State(state))
        for digits, start, duration, state in rows
    }


def _candidates(
    ask: RunQuery, query: UnitQuery, before: tuple[int, bytes] | None, size: int
) -> list[tuple[int, bytes]]:
    """The newest traces with rows that may be units, from the end of the window only as far back as it takes."""
    window = query.window
    assert window is not None, "every row of the database is no answer"
    at, id = before if before is not None else (MAX_INT64, b"\xff" * 16)
    at = min(at, MAX_INT64)
    tables, few = _rows(query), ROWS_OF_TRACE * size
    while True:
        start = _reach(ask, tables, TimeRange(window.start, min(window.end, at + 1)), few)
        rows = joined(
            " UNION ALL ", [_select(each, TimeRange(start, window.end)) for each in tables]
        )
        found = ask(
            queries.UNIT_CANDIDATES.render({"rows": rows}, before_at=at, before_id=id, size=size)
        )
        if len(found) == size or start == window.start:
            return [(at, bytes.fromhex(digits)) for digits, at in found]
        few *= WIDENED


def _reach(ask: RunQuery, tables: Sequence[_Rows], window: TimeRange, few: int) -> int:
    """When the newest rows of a window begin, a few of one table; its start if no table has that many."""
    for each in tables:
        places = {"table": Sql(each.table), "rows": each.within(window)}
        for (start,) in ask(queries.NEWEST_FITTING.render(places, few=few)):
            return max(window.start, int(start))
    return window.start


def _node_units(
    ask: RunQuery, query: UnitQuery, linked: LinkPresence, candidates: Sequence[tuple[int, bytes]]
) -> list[UnitTrace]:
    """As `_judged` for the work of nodes, which mostly depends on few rows of a trace."""
    if not candidates:
        return []
    assert query.window is not None
    key = Sql(f"({_KEY}) IN {{node:Array({_KEY_TYPE})}}", {"node": sorted(map(tuple, query.nodes))})
    ids = [id for _, id in candidates]
    fragments = {
        "located": located(ids),
        "meant": joined(" AND ", [key, _starts_in(query.window), _failed(query)]),
    }
    background = {"background": Sql(str(int(query.background)))}
    segments, *called_by = run_concurrently(
        ask,
        queries.NODE_SEGMENTS.render({**fragments, **background}, ids=ids),
        *(
            []
            if query.background
            else [queries.NODE_CALLS.render({**fragments, "may": _unplaced(query.nodes)})]
        ),
    )
    calls = list(chain.from_iterable(called_by))
    called: dict[str, list[tuple[int, int, int]]] = {digits: ids for digits, ids, _ in calls}
    unplaced = {digits for digits, _, may in calls if may}
    units: dict[bytes, tuple[int, State]] = {}
    filtered = bool(query.states) or query.label is not None
    linked_ids = _linked(ask, [digits for digits, *_, is_alone in segments if is_alone])
    unsure = {
        digits
        for digits, *_, is_unsure, is_nested, _ in segments
        if is_unsure
        or digits in linked_ids
        or digits in unplaced
        or (is_nested and (filtered or digits in called))
    }
    among = [each for each in candidates if each[1].hex().upper() in unsure]
    for first in range(0, len(among), CHUNK):
        judged, _ = _judged(ask, query, linked, among[first : first + CHUNK])
        units |= {each.trace_id: (each.units, each.state) for each in judged}
    for digits, number, worst, parents, processing, fetching, *_ in segments:
        if digits in unsure:
            continue
        answered, processed = frozenset(parents), frozenset(processing)
        for id, node, weight, state in fetching:
            if (id, node) not in processed:
                number, worst = number + weight, max(worst, state)
        for id, weight, state in called.get(digits, ()):
            if id not in answered:
                number, worst = number + weight, max(worst, state)
        if number:
            units[bytes.fromhex(digits)] = number, State(worst)
    return [UnitTrace(id, at, *units[id]) for at, id in candidates if id in units]


def _linked(ask: RunQuery, digits: Collection[str]) -> set[str]:
    """Of traces with work that is in the background unless something caused it, those with links: mostly there are none."""
    ids = [bytes.fromhex(each) for each in digits]
    return (
        {id for (id,) in everywhere(ask)(queries.LINKED_TRACES.render(ids=ids))} if ids else set()
    )


def _starts_in(window: TimeRange) -> Sql:
    return Sql(
        "start >= {window_start:Int64} AND start < {window_end:Int64}",
        {"window_start": window.start, "window_end": window.end},
    )


def _judged(
    ask: RunQuery, query: UnitQuery, linked: LinkPresence, candidates: Sequence[tuple[int, bytes]]
) -> tuple[list[UnitTrace], dict[bytes, Trace]]:
    """The units of traces, and those that have some, without their links."""
    links, sources = query.link is not False, {source for source, _ in query.edges}
    clients = any(source.is_client for source in sources)
    causes = clients or bool(query.nodes)
    ids = [id for _, id in candidates]
    traces = get_traces(ask, ids, linked, links=links or clients, causes=causes)
    if not causes and any(_names_one(trace, sources) for trace in traces.values()):
        traces = get_traces(ask, ids, linked)  # to know what caused the roots
    around = traces
    if links:
        others = {key[1] for trace in traces.values() for key in trace.links} - traces.keys()
        around = {**traces, **link_ends(ask, sorted(others), links=True)}
    judged = (
        unit_trace(traces[id], matching_units(traces[id], query, around.get), at)
        for at, id in candidates
        if id in traces
    )
    found = [each for each in judged if each is not None]
    return found, {each.trace_id: without_links(traces[each.trace_id]) for each in found}


def _names_one(trace: Trace, sources: Collection[NodeKey]) -> bool:
    return any(document.caller in sources for document in trace.documents.values())


def _rows(query: UnitQuery) -> list[_Rows]:
    """Rows of segments, calls and links that may be units of the query."""
    failed = _failed(query)
    if query.nodes:
        own = _nodes("", query.nodes, "node")
        ended = joined(" AND ", [own, _failed_request(query)])
        sort = [SERVES_NO_REQUEST] if query.background else []
        work = _Rows("segments", joined(" AND ", [REQUEST.may, *sort, ended, _has_value(query.by)]))
        meant = parenthesized(joined(" OR ", [own, _unplaced(query.nodes)]))
        called = _Rows("calls", joined(" AND ", [meant, _failed_call(query)]))
        return [work] if query.background else [work, called]
    sources, targets = (set(ends) for ends in zip(*query.edges, strict=True))
    callers = _nodes("owner_", sources, "source")
    calls = [
        _Rows(
            "segments",
            joined(" AND ", [REQUEST.may, _failed_request(query), _nodes("", targets, "target")]),
        ),
        _Rows("calls", joined(" AND ", [_failed_call(query), _streamed_or(callers)])),
    ]
    either = _nodes("", sources | targets, "end")
    got = joined(" AND ", [_CONSUMER, failed, _nodes("", targets, "target")])
    links = [
        _Rows("links", joined(" AND ", [failed, _streamed_or(either)])),
        _Rows("segments", got),
        _Rows("segments", joined(" AND ", [failed, _nodes("before_", targets, "queue")])),
    ]
    return [*(calls if query.link is not True else []), *(links if query.link is not False else [])]


_VALUES = {
    Dimension.VERSION: "service_version",
    Dimension.ENVIRONMENT: "environment",
    Dimension.METHOD: "method",
    Dimension.OPERATION: "operation",
}


def _has_value(by: Grouped | None) -> Sql:
    """A condition on segments that are units of a node with a value."""
    column = by and _VALUES.get(by.dimension)
    if by is None or by.value is None or column is None:
        return Sql("1")
    has = Sql(f"{column} = {{value_of_unit:String}}", {"value_of_unit": by.value})
    if by.dimension is not Dimension.OPERATION:
        return has
    return parenthesized(joined(" OR ", [has, PASSED_ON]))


def _failed(query: UnitQuery) -> Sql:
    """A condition on the outcome of a unit, which is the row's."""
    conditions = [Sql("1")]
    if query.states:
        conditions.append(numbers_in("state", [int(state) for state in sorted(query.states)]))
    if query.label is not None:
        named = "if(exception = '', status IN {statuses:Array(UInt16)}, exception = {label:String})"
        values = {"statuses": statuses_called(query.label), "label": query.label}
        conditions.append(Sql(named, values))
    return joined(" AND ", conditions)


def _failed_request(query: UnitQuery) -> Sql:
    """The same of a request, of which only a call may be stored."""
    wanted = query.states or (query.label is not None and set(State))
    if not wanted or State.OK not in wanted:
        return _failed(query)
    return parenthesized(joined(" OR ", [_failed(query), STANDS_FOR_REQUEST]))


def _failed_call(query: UnitQuery) -> Sql:
    """The same of a call, which may be what its requests say."""
    if query.states and query.states.isdisjoint(MILD):
        return _failed(query)
    return parenthesized(joined(" OR ", [_failed(query), UNEXPLAINED]))


def _nodes(prefix: str, nodes: Collection[NodeKey], name: str) -> Sql:
    """A condition on the columns of a node's key; of a client, which has no rows, anything."""
    if any(node.is_client for node in nodes):
        return Sql("1")
    keys = sorted(tuple(node) for node in nodes)
    columns = ", ".join(f"{prefix}{field}" for field in NodeKey._fields)
    # The name alone leaves few rows whose tuple is made.
    return Sql(
        f"{prefix}name IN {{{name}_names:Array(String)}} "
        f"AND ({columns}) IN {{{name}:Array({_KEY_TYPE})}}",
        {name: keys, f"{name}_names": sorted({node.name for node in nodes})},
    )


def _unplaced(nodes: Collection[NodeKey]) -> Sql:
    """A condition on rows of `calls` that lead to some nodes if their callers are where these are."""
    keys = sorted({(node.name, node.type) for node in nodes})
    named = Sql("(name, type) IN {unplaced:Array(Tuple(String, String))}", {"unplaced": keys})
    return joined(" AND ", [UNPLACED, named])


def _streamed_or(condition: Sql) -> Sql:
    """Whose the call or link of a streamed subsegment is, its row may not say."""
    return Sql(f"({IS_STREAMED.text} OR {condition.text})", condition.parameters)


def _select(rows: _Rows, window: TimeRange) -> Sql:
    where = rows.within(window)
    return Sql(f"SELECT trace_id, start FROM {rows.table} WHERE {where.text}", where.parameters)
