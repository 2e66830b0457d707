"""The units of the traces that satisfy a filter expression: what the map of a group counts.

The traces with rows in the window that may satisfy it (`store.clickhouse.search.compile`) are read whole, chunk
by chunk, judged by `store.filters.evaluate` and counted by `store.units`, so that the result is exact.
"""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql, in_traces
from store.clickhouse.search.bounds import disjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.get_traces import LinkPresence, get_traces
from store.errors import TooManyTraces
from store.facts import links_among
from store.filters.ast import Expression, needs_documents
from store.filters.evaluate import matches
from store.model import TimeRange, Trace
from store.query import MAX_FILTERED_TRACES
from store.times import MINUTE
from store.units import Unit, all_units

CHUNK = 500
"""Traces read at once."""


def filtered_units(
    ask: RunQuery, window: TimeRange, filter: Expression
) -> Iterator[tuple[bytes, Unit]]:
    """Units that start in the window; see `GraphReader.filtered_units`."""
    ids = _candidates(ask, window, filter)
    linked_ids = links_among(list(_matching(ask, _senders(ask, ids), filter)))
    linked: dict[bytes, Trace] = {}
    for trace in _matching(ask, ids, filter):
        if trace.links:
            linked[trace.trace_id] = trace
            continue
        for unit in all_units(trace, linked.get, linked_ids):
            if unit.start in window:
                yield trace.trace_id, unit
    # The other end of a link may lie outside the window.
    others = {link.link.trace_id for trace in linked.values() for link in trace.links.values()}
    found = {t.trace_id: t for t in _matching(ask, sorted(others), filter)}
    for trace_id, trace in linked.items():
        for unit in all_units(trace, (found | linked).get, linked_ids):
            if unit.start in window:
                yield trace_id, unit


def _senders(ask: RunQuery, ids: list[bytes]) -> list[bytes]:
    """Ids of the traces with links to what they caused in some traces."""
    found: set[bytes] = set()
    for first in range(0, len(ids), CHUNK * 10):
        statement = queries.SENDERS.render(ids=ids[first : first + CHUNK * 10])
        found.update(bytes.fromhex(digits) for (digits,) in ask(statement))
    return sorted(found)


def _candidates(ask: RunQuery, window: TimeRange, filter: Expression) -> list[bytes]:
    """Ids of the traces with a document, call or link that starts in the window, and that may satisfy the
    filter, as far as their rows there tell; of traces with rows elsewhere they do not."""
    minutes = {"first": max(0, window.start // MINUTE), "last": max(0, window.end // MINUTE)}
    near = Sql("minute BETWEEN {first:UInt32} AND {last:UInt32}", minutes)
    far = Sql(
        "SELECT trace_id FROM traces WHERE minute < {first:UInt32} OR minute > {last:UInt32}",
        minutes,
    )
    may = compiled(filter, near, sure=False).may
    rows = ask(
        queries.TRACES_IN_WINDOW.render(
            {"condition": disjunction([may, in_traces(far)])},
            start=window.start,
            end=window.end,
            most=MAX_FILTERED_TRACES + 1,
            **minutes,
        )
    )
    if len(rows) > MAX_FILTERED_TRACES:
        raise TooManyTraces(
            f"the window has more than {MAX_FILTERED_TRACES:,} traces that may match, too many to "
            "filter each: choose a shorter one"
        )
    return [bytes.fromhex(digits) for (digits,) in rows]


def _matching(ask: RunQuery, ids: list[bytes], filter: Expression) -> Iterator[Trace]:
    raw, linked = needs_documents(filter), LinkPresence()
    linked.seen = True
    for first in range(0, len(ids), CHUNK):
        traces = get_traces(ask, ids[first : first + CHUNK], linked, raw=raw)
        yield from (trace for trace in traces.values() if matches(trace, filter))
