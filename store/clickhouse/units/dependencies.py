"""The input rows of the units of some minutes: rows of those minutes, and rows elsewhere.

A unit may depend on rows of its trace in other minutes (the two halves of a call may be hours apart)
or on rows of another trace (links). Such a reference is a *cross-minute reference*. The table
`cross_minute_refs` records these references by trace for every minute that was aggregated, so that
they are found from the other end, whichever of the two ends arrived last.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.connection.sql import bind
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.units.aggregates import UNWEIGHTED, WEIGHTED
from store.clickhouse.units.partition import partition_of
from store.model import MINUTE, TimeRange

_FOLDER = Path(__file__).parents[1] / "queries"
DETACHED_CALLS, UNRESOLVED_PARENTS, CROSS_MINUTE_REFS = (
    (_FOLDER / f"{name}.sql").read_text()
    for name in ("detached_calls", "unresolved_parents", "cross_minute_refs")
)

# Traces of these minutes with references to or from other minutes. Traces that are recorded in
# `cross_minute_refs` for these minutes are included: a copy that arrived later may have another parent.
# The table is large; it is only read by trace id, a range of its key.
_CROSS_MINUTE_TRACES = """
SELECT DISTINCT trace_id FROM (
    SELECT trace_id FROM cross_minute_refs_in_scope
    UNION ALL
    SELECT trace_id FROM cross_minute_refs WHERE trace_id IN (
        SELECT trace_id FROM segments WHERE :minutes
        UNION ALL
        SELECT trace_id FROM calls WHERE :minutes
    )
)
"""
_PLACES = """
SELECT DISTINCT trace_id, minute FROM traces WHERE trace_id IN (SELECT trace_id FROM cross_minute_traces)
"""
_TRACE_BOUNDS = """
SELECT min(lo), max(hi) FROM traces WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE lo < :to AND hi >= :from
    UNION ALL
    SELECT other_trace FROM links WHERE :minutes
)
"""
_WEIGHTED_ROWS = """
SELECT 1 FROM segments WHERE :minutes AND weight > 1 LIMIT 1
UNION ALL SELECT 1 FROM calls WHERE :minutes AND weight > 1 LIMIT 1
UNION ALL SELECT 1 FROM links WHERE :minutes AND weight > 1 LIMIT 1
"""
_RECENT = "toUnixTimestamp64Micro(now64(6)) - 10000000"
"""Ten seconds ago: a batch inserts its calls a moment before its segments."""
_TABLES = (
    "detached_calls",
    "unresolved_parents",
    "cross_minute_refs_in_scope",
    "cross_minute_traces",
    "places",
)


@dataclass(frozen=True, slots=True)
class UnitScope:
    """SQL conditions on rows that select the units of some minutes and all rows they depend on."""

    minutes: str
    """Rows of the minutes."""
    target: str
    """Rows of ``minutes`` whose units are wanted."""
    input: str
    """Rows that the units of ``target`` may depend on, ``target`` included."""
    cross_minute: str = "trace_id IN (SELECT trace_id FROM cross_minute_traces)"
    """Traces with rows outside ``minutes`` that units of ``target`` may depend on."""
    weighed: bool = True
    """Whether weights above 1 may occur; aggregation without them is faster."""

    def fill(self, text: str, **more: int | str) -> str:
        """A statement with the conditions of this scope and the places of `aggregates.COUNT` filled in."""
        places: dict[str, int | str] = {
            **(WEIGHTED if self.weighed else UNWEIGHTED),
            "minutes": self.minutes,
            "target": f"{self.target} AND {NOT_PINNED_COPY}",
            "input": f"({self.input}) AND {NOT_PINNED_COPY}",
            "has_document": bind(_HAS_DOCUMENT, input=f"({self.input})"),
            "cross_minute": self.cross_minute,
            "newest_segments": _NEWEST.format("segments"),
            "newest_links": _NEWEST_LINKS,
            "newest_calls": _NEWEST.format("calls"),
        }
        return bind(text, **places, **more)


_NEWEST = "(trace_id, id, minute) NOT IN (SELECT trace_id, id, minute FROM superseded_{})"
"""Rows that are not superseded by a copy in another minute."""
_NEWEST_LINKS = """(trace_id, document_id, other_trace, other_id, upstream, minute)
    NOT IN (SELECT * FROM superseded_links)"""

_HAS_DOCUMENT = f"""(trace_id, document_id) NOT IN (SELECT trace_id, document_id FROM incomplete_documents)
AND (inserted < {_RECENT} OR (trace_id, document_id) IN (
    SELECT trace_id, id FROM segments WHERE :input AND trace_id IN (
        SELECT trace_id FROM calls WHERE :input AND inserted >= {_RECENT}
        UNION ALL
        SELECT trace_id FROM links WHERE :input AND inserted >= {_RECENT}
    )
))"""
"""Calls and links whose documents are stored (queries/incomplete_documents.sql). Rows that arrived after
`incomplete_documents` was filled are not in it, so the statement that aggregates checks recent rows again."""


def in_minutes(minutes: Collection[int]) -> str:
    """A condition on ``minute``, as ranges of consecutive minutes where possible: those use the sort key."""
    ordered = sorted(minutes)
    starts = ordered[:1] + [b for a, b in pairwise(ordered) if b != a + 1]
    ends = [a for a, b in pairwise(ordered) if b != a + 1] + ordered[-1:]
    alone = [a for a, b in zip(starts, ends, strict=True) if a == b]
    parts = [f"minute BETWEEN {a} AND {b}" for a, b in zip(starts, ends, strict=True) if a != b]
    if alone:
        parts.append(f"minute IN ({', '.join(map(str, alone))})")
    return f"({' OR '.join(parts)})" if parts else "0"


def resolve_scope(
    run: RunQuery, minutes: str, windows: Collection[TimeRange] = (), *, weighed: bool | None = None
) -> UnitScope:
    """The scope of the units in some minutes (a condition), or only of those in windows inside them.

    Fills the temporary tables of `_TABLES` on this connection. Dirty minutes elsewhere may have
    references that are not recorded yet: include them, or recount them afterwards.
    ``weighed``: `UnitScope.weighed` when the caller knows it, else it is queried.
    """
    drop_scope(run)
    fill = UnitScope(minutes, minutes, minutes).fill
    create(run, "detached_calls", fill(DETACHED_CALLS))
    create(run, "unresolved_parents", fill(UNRESOLVED_PARENTS))
    create(
        run,
        "cross_minute_refs_in_scope",
        fill(CROSS_MINUTE_REFS, partition=partition_of("trace_id", "minute")),
    )
    create(run, "cross_minute_traces", fill(_CROSS_MINUTE_TRACES))
    create(run, "places", _PLACES)
    unknown = [fill(_WEIGHTED_ROWS)] if weighed is None else []
    ((elsewhere,),), *heavy = run_concurrently(
        run, f"SELECT countIf(NOT {minutes}) FROM places", *unknown
    )
    target = minutes
    if windows:
        times = " OR ".join(f"start >= {w.start} AND start < {w.end}" for w in windows)
        target = f"({minutes} AND ({times}))"
    input = minutes
    if elsewhere:
        input = f"{minutes} OR (minute, trace_id) IN (SELECT minute, trace_id FROM places)"
    return UnitScope(minutes, target, input, weighed=bool(weighed) or any(heavy))


def minutes_of(windows: Collection[TimeRange]) -> str:
    """A condition on ``minute``: the minutes that windows lie in."""
    parts = [
        f"minute BETWEEN {w.start // MINUTE} AND {(w.end - 1) // MINUTE}" for w in sorted(windows)
    ]
    return f"({' OR '.join(parts)})"


def full_scope(run: RunQuery, window: TimeRange) -> UnitScope | None:
    """The scope of a window, found without `cross_minute_refs`: its input is all the time its traces span.

    Slow when one trace is long. None when no trace overlaps the window.
    """
    minutes = f"minute BETWEEN {window.start // MINUTE} AND {(window.end - 1) // MINUTE}"
    places: dict[str, int | str] = {"from": window.start, "to": window.end, "minutes": minutes}
    ((low, high),) = run(bind(_TRACE_BOUNDS, **places))
    if not high and not low:
        return None
    target = f"({minutes} AND start >= {window.start} AND start < {window.end})"
    input = f"minute BETWEEN {low // MINUTE} AND {high // MINUTE}"
    drop_scope(run)
    scope = UnitScope(minutes, target, input, cross_minute="1")
    create(run, "detached_calls", scope.fill(DETACHED_CALLS))
    create(run, "unresolved_parents", scope.fill(UNRESOLVED_PARENTS))
    return scope


def drop_scope(run: RunQuery) -> None:
    """Drop the temporary tables of a scope."""
    drop(run, _TABLES)


def create(run: RunQuery, table: str, query: str) -> None:
    """Create a temporary table of this connection from a query."""
    run(f"CREATE TEMPORARY TABLE {table} ENGINE = Memory AS {query}")


def drop(run: RunQuery, tables: Collection[str]) -> None:
    """Drop the temporary tables that exist."""
    run(f"DROP TEMPORARY TABLE IF EXISTS {', '.join(tables)}")
