"""Lists of traces by a column: a part of the newest is read and sorted, a page of it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from api.console.params import TraceFilter
from api.console.trace_lists import entries_of, lines, newest_traces
from api.console.trace_search import FoundTrace, TraceSearch
from api.context import Context
from api.errors import ApiError
from api.schemas.traces import TraceList
from store.model import TimeRange
from store.protocol import Store
from store.summary import Summary, summarize

Sort = Literal["start", "status", "response", "duration", "entry", "request", "code", "services"]
OFFSET = "offset-"
"""Begins the cursors of lists that are not sorted by time."""
MOST_READ = 2_000
"""Traces that are read whole for a column that their entries do not have."""
CHUNK = 500


class Sorting(NamedTuple):
    """A column, and whether its greatest value comes first."""

    column: Sort
    descending: bool


_COLUMNS: dict[str, Callable[[Summary], Any]] = {
    "duration": lambda summary: summary.duration,
    "entry": lambda summary: (
        summary.name_of(summary.entry.node).casefold() if summary.entry else None
    ),
    "request": lambda summary: summary.http.url.casefold() or None,
    "code": lambda summary: summary.http.status or None,
    "services": lambda summary: len(summary.nodes),
}
"""Values of the columns that a trace is read for; None: it has none."""


def sorted_traces(
    context: Context,
    window: TimeRange,
    filters: TraceFilter,
    limit: int,
    cursor: str | None,
    by: Sorting,
) -> TraceList:
    """A page of the newest traces by a column; the cursor is an offset."""
    search = TraceSearch(context, window, filters)
    by_entry = by.column in ("response", "status")
    found, rest = newest_traces(search) if by_entry else newest_traces(search, MOST_READ)
    read = _entry_values if by_entry else _read_values
    values = dict(read(context.store, found, by.column))
    ordered = _ordered([each for each in found if each.trace_id in values], values, by.descending)
    at = _offset(cursor)
    more = at + limit < len(ordered)
    return {
        "traces": lines(context.store, ordered[at : at + limit], {}),
        "next": f"{OFFSET}{at + limit}" if more else None,
        "total": len(ordered) if rest is None else None,
        "matching_units": search.units_counted(),
        "sorted": {"traces": len(ordered), "complete": rest is None},
    }


def _entry_values(
    store: Store, found: Sequence[FoundTrace], column: Sort
) -> Iterator[tuple[bytes, Any]]:
    """Response times, or how the trace ended at the node or edge searched for."""
    for each, entry in entries_of(store, found):
        state = each.there.state if each.there else entry.state
        yield each.trace_id, entry.time if column == "response" else state


def _read_values(
    store: Store, found: Sequence[FoundTrace], column: Sort
) -> Iterator[tuple[bytes, Any]]:
    value = _COLUMNS[column]
    ids = [each.trace_id for each in found]
    for at in range(0, len(ids), CHUNK):
        for id, trace in store.get_traces(ids[at : at + CHUNK]).items():
            yield id, value(summarize(trace))


def _ordered(
    found: list[FoundTrace], values: dict[bytes, Any], descending: bool
) -> list[FoundTrace]:
    """By value, those without one last; of equals the first found, which is the newest, first."""
    known = [each for each in found if values[each.trace_id] is not None]
    known.sort(key=lambda each: values[each.trace_id], reverse=descending)
    return known + [each for each in found if values[each.trace_id] is None]


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    digits = cursor.removeprefix(OFFSET)
    if not digits.isdecimal() or digits == cursor:
        raise ApiError("cursor must be `next` of a page with the same sort")
    return int(digits)
