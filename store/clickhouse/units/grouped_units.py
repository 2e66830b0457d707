"""The units of a window with their values of a dimension: what a grouped map counts.

All traces with rows in the window are read whole, chunk by chunk, and counted by the same rules as odd traces of the
rollups (`store.clickhouse.units.whole_traces`); with a filter those that satisfy it.
"""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import TRUE
from store.clickhouse.search.filtered_units import CHUNK, filtered_traces, traces_in
from store.clickhouse.units.whole_traces import read_whole
from store.errors import TooManyTraces
from store.facts import FindTrace, LinkedIds
from store.filters.ast import Expression
from store.grouped_units import GroupedUnit, all_grouped
from store.model import TimeRange, Trace
from store.query import MAX_GROUPED_TRACES
from store.rules.dimensions import Dimension
from store.times import MINUTE


def grouped_units(
    ask: RunQuery, window: TimeRange, dimension: Dimension, filter: Expression | None
) -> Iterator[tuple[bytes, GroupedUnit]]:
    """Units that start in the window; see `GraphReader.grouped_units`."""
    traces = _traces(ask, window) if filter is None else filtered_traces(ask, window, filter)
    for trace, find, linked_ids in traces:
        for grouped in all_grouped(trace, dimension, find, linked_ids):
            if grouped.unit.start in window:
                yield trace.trace_id, grouped


def _traces(ask: RunQuery, window: TimeRange) -> Iterator[tuple[Trace, FindTrace, LinkedIds]]:
    traces = traces_where(ask, window, TRUE, MAX_GROUPED_TRACES)
    if traces is None:
        raise TooManyTraces(
            f"the window has more than {MAX_GROUPED_TRACES:,} traces, too many to group each: "
            "choose a shorter one, or a filter"
        )
    return traces


def traces_where(
    ask: RunQuery, window: TimeRange, condition: Sql, most: int
) -> Iterator[tuple[Trace, FindTrace, LinkedIds]] | None:
    """The traces with rows in the window that meet a condition, each with what its units take; None if there are more
    than ``most``."""
    ids = traces_in(ask, window, condition, most)
    return None if ids is None else _read(ask, window, ids)


def _read(
    ask: RunQuery, window: TimeRange, ids: list[bytes]
) -> Iterator[tuple[Trace, FindTrace, LinkedIds]]:
    first, last = window.start // MINUTE, window.end // MINUTE
    here = f"minute BETWEEN {first:d} AND {last:d} AND start >= {window.start:d} AND start < {window.end:d}"
    for at in range(0, len(ids), CHUNK):
        listed = Sql(
            "SELECT arrayJoin({chunk:Array(FixedString(16))})", {"chunk": ids[at : at + CHUNK]}
        )
        read = read_whole(ask, listed, here, deployed=True)
        for trace in read.traces.values():
            yield trace, read.known.get, read.linked_ids
