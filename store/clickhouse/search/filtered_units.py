"""The units of the traces that satisfy a filter expression: what the map of a group counts.

The traces with rows in the window that may satisfy it (`store.clickhouse.search.compile`) are read whole, chunk
by chunk, judged by `store.filters.evaluate` and counted by `store.units`, so that the result is exact.
"""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, everywhere
from store.clickhouse.queries import Sql, in_traces
from store.clickhouse.search.bounds import disjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.get_traces import LinkPresence, get_traces
from store.errors import TooManyTraces
from store.facts import FindTrace, LinkedIds, links_among
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
    for trace, find, linked_ids in filtered_traces(ask, window, filter):
        for unit in all_units(trace, find, linked_ids):
            if unit.start in window:
                yield trace.trace_id, unit


def filtered_traces(
    ask: RunQuery, window: TimeRange, filter: Expression
) -> Iterator[tuple[Trace, FindTrace, LinkedIds]]:
    """The traces with rows in the window that satisfy the filter, each with what its units take."""
    ids = _candidates(ask, window, filter)
    linked_ids = links_among(list(_matching(everywhere(ask), _senders(ask, ids), filter)))
    linked: dict[bytes, Trace] = {}
    for trace in _matching(ask, ids, filter):
        if trace.links:
            linked[trace.trace_id] = trace
        else:
            yield trace, linked.get, linked_ids
    # The other end of a link may lie outside the window.
    others = {link.link.trace_id for trace in linked.values() for link in trace.links.values()}
    found = {t.trace_id: t for t in _matching(everywhere(ask), sorted(others), filter)}
    known = found | linked
    for trace in linked.values():
        yield trace, known.get, linked_ids


def _senders(ask: RunQuery, ids: list[bytes]) -> list[bytes]:
    """Ids of the traces with links to what they caused in some traces."""
    found: set[bytes] = set()
    for first in range(0, len(ids), CHUNK * 10):
        statement = queries.SENDERS.render(ids=ids[first : first + CHUNK * 10])
        found.update(bytes.fromhex(digits) for (digits,) in everywhere(ask)(statement))
    return sorted(found)


def _candidates(ask: RunQuery, window: TimeRange, filter: Expression) -> list[bytes]:
    """Ids of the traces with a document, call or link that starts in the window, and that may satisfy the
    filter, as far as their rows there tell; of traces with rows elsewhere they do not."""
    minutes = _minutes(window)
    near = Sql("minute BETWEEN {first:UInt32} AND {last:UInt32}", minutes)
    far = Sql(
        "SELECT trace_id FROM traces WHERE minute < {first:UInt32} OR minute > {last:UInt32}",
        minutes,
    )
    may = compiled(filter, near, sure=False).may
    ids = traces_in(ask, window, disjunction([may, in_traces(far)]), MAX_FILTERED_TRACES)
    if ids is None:
        raise TooManyTraces(
            f"the window has more than {MAX_FILTERED_TRACES:,} traces that may match, too many to "
            "filter each: choose a shorter one"
        )
    return ids


def traces_in(ask: RunQuery, window: TimeRange, condition: Sql, most: int) -> list[bytes] | None:
    """Ids of the traces with a document or call that starts in the window and meets a condition; None if there
    are more than ``most``."""
    statement = queries.TRACES_IN_WINDOW.render(
        {"condition": condition},
        start=window.start,
        end=window.end,
        most=most + 1,
        **_minutes(window),
    )
    rows = ask(statement)
    return None if len(rows) > most else [bytes.fromhex(digits) for (digits,) in rows]


def _minutes(window: TimeRange) -> dict[str, int]:
    return {"first": max(0, window.start // MINUTE), "last": max(0, window.end // MINUTE)}


def _matching(ask: RunQuery, ids: list[bytes], filter: Expression) -> Iterator[Trace]:
    raw, linked = needs_documents(filter), LinkPresence()
    linked.seen = True
    for first in range(0, len(ids), CHUNK):
        traces = get_traces(ask, ids[first : first + CHUNK], linked, raw=raw)
        yield from (trace for trace in traces.values() if matches(trace, filter))
