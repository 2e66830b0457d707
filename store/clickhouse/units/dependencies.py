"""Which rows the units of some minutes are made of: their own, and those elsewhere they depend on.

A unit may depend on rows of its trace that lie in other minutes (the two halves of a call, hours
apart), or on another trace (links). Rows with such a reference are *strays*; the table `cross_minute_refs`
remembers them by trace for every minute that was counted, so that whoever holds the other end finds
them, whichever of the two came last.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.connection.sql import bind
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.rollup.partitions import partition_of
from store.clickhouse.units.aggregates import UNWEIGHTED, WEIGHTED
from store.model import MINUTE, TimeRange

_FOLDER = Path(__file__).parents[1] / "queries"
LOOSE, UNHELD, STRAYS = (
    (_FOLDER / f"{name}.sql").read_text() for name in ("loose", "unheld", "strays")
)

# Traces of these minutes that other minutes depend on: `cross_minute_refs` knows. Those whose own rows are
# noted there are among them too: a copy that came later may have another parent. `cross_minute_refs` is asked
# for the traces of these minutes, a range of its key, and never read as a whole: it is long.
_FAR = """
SELECT DISTINCT trace_id FROM (
    SELECT trace_id FROM strays
    UNION ALL
    SELECT trace_id FROM cross_minute_refs WHERE trace_id IN (
        SELECT trace_id FROM segments WHERE :minutes
        UNION ALL
        SELECT trace_id FROM calls WHERE :minutes
    )
)
"""
_PLACES = """
SELECT DISTINCT trace_id, minute FROM traces WHERE trace_id IN (SELECT trace_id FROM far)
"""
_BOUNDS = """
SELECT min(lo), max(hi) FROM traces WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE lo < :to AND hi >= :from
    UNION ALL
    SELECT other_trace FROM links WHERE :minutes
)
"""
_HEAVY = """
SELECT 1 FROM segments WHERE :minutes AND weight > 1 LIMIT 1
UNION ALL SELECT 1 FROM calls WHERE :minutes AND weight > 1 LIMIT 1
UNION ALL SELECT 1 FROM links WHERE :minutes AND weight > 1 LIMIT 1
"""
_RECENT = "toUnixTimestamp64Micro(now64(6)) - 10000000"
"""Ten seconds ago: a batch's calls are there before its segments, a moment apart."""
_TABLES = ("loose", "unheld", "strays", "far", "places")


@dataclass(frozen=True, slots=True)
class UnitScope:
    """Conditions on rows: in which minutes, of which units, and near enough to matter to them."""

    minutes: str
    own: str
    near: str
    far: str = "trace_id IN (SELECT trace_id FROM far)"
    """Traces with rows outside ``minutes`` that matter."""
    weighed: bool = True
    """Whether units may weigh more than 1; when not, they are counted faster."""

    def fill(self, text: str, **more: int | str) -> str:
        """A statement with ``:minutes``, ``:own``, ``:near``, ``:far`` and ``:whole`` filled in, and
        the places of `tally.COUNT`."""
        places: dict[str, int | str] = {
            **(WEIGHTED if self.weighed else UNWEIGHTED),
            "minutes": self.minutes,
            "own": f"{self.own} AND {NOT_PINNED_COPY}",
            "near": f"({self.near}) AND {NOT_PINNED_COPY}",
            "whole": bind(_WHOLE, near=f"({self.near})"),
            "far": self.far,
            "newest_segments": _NEWEST.format("segments"),
            "newest_links": _NEWEST_LINKS,
            "newest_calls": _NEWEST.format("calls"),
        }
        return bind(text, **places, **more)


_NEWEST = "(trace_id, id, minute) NOT IN (SELECT trace_id, id, minute FROM superseded_{})"
"""Rows that no copy in another minute supersedes."""
_NEWEST_LINKS = """(trace_id, document_id, other_trace, other_id, upstream, minute)
    NOT IN (SELECT * FROM superseded_links)"""

_WHOLE = f"""(trace_id, document_id) NOT IN (SELECT trace_id, document_id FROM partial)
AND (inserted < {_RECENT} OR (trace_id, document_id) IN (
    SELECT trace_id, id FROM segments WHERE :near AND trace_id IN (
        SELECT trace_id FROM calls WHERE :near AND inserted >= {_RECENT}
        UNION ALL
        SELECT trace_id FROM links WHERE :near AND inserted >= {_RECENT}
    )
))"""
"""Calls and links whose documents are there (queries/partial.sql). Rows that came in after `partial`
was filled are not in it: of what came lately the same is asked once more, in the statement that counts."""


def in_minutes(minutes: Collection[int]) -> str:
    """A condition on ``minute``: ranges where they follow one another, as the sort key likes it."""
    ordered = sorted(minutes)
    starts = ordered[:1] + [b for a, b in pairwise(ordered) if b != a + 1]
    ends = [a for a, b in pairwise(ordered) if b != a + 1] + ordered[-1:]
    alone = [a for a, b in zip(starts, ends, strict=True) if a == b]
    parts = [f"minute BETWEEN {a} AND {b}" for a, b in zip(starts, ends, strict=True) if a != b]
    if alone:
        parts.append(f"minute IN ({', '.join(map(str, alone))})")
    return f"({' OR '.join(parts)})" if parts else "0"


def resolve_scope(
    ask: RunQuery, minutes: str, windows: Collection[TimeRange] = (), *, weighed: bool | None = None
) -> UnitScope:
    """The scope of the units in some minutes (a condition), or of those in windows inside them.

    Fills `cross_minute_refs`, `far` and `places` on this connection. Minutes elsewhere that were not counted
    since rows arrived there may hide a dependency: count them in the same call, or afterwards.
    ``weighed`` is `UnitScope.weighed` from who knows it; else it is counted_at up.
    """
    drop_scope(ask)
    fill = UnitScope(minutes, minutes, minutes).fill
    create(ask, "loose", fill(LOOSE))
    create(ask, "unheld", fill(UNHELD))
    create(ask, "strays", fill(STRAYS, partition=partition_of("trace_id", "minute")))
    create(ask, "far", fill(_FAR))
    create(ask, "places", _PLACES)
    unknown = [fill(_HEAVY)] if weighed is None else []
    ((away,),), *heavy = run_concurrently(
        ask, f"SELECT countIf(NOT {minutes}) FROM places", *unknown
    )
    own = minutes
    if windows:
        times = " OR ".join(f"start >= {w.start} AND start < {w.end}" for w in windows)
        own = f"({minutes} AND ({times}))"
    near = minutes
    if away:
        near = f"{minutes} OR (minute, trace_id) IN (SELECT minute, trace_id FROM places)"
    return UnitScope(minutes, own, near, weighed=bool(weighed) or any(heavy))


def minutes_of(windows: Collection[TimeRange]) -> str:
    """A condition on ``minute``: those that windows lie in."""
    parts = [
        f"minute BETWEEN {w.start // MINUTE} AND {(w.end - 1) // MINUTE}" for w in sorted(windows)
    ]
    return f"({' OR '.join(parts)})"


def full_scope(ask: RunQuery, window: TimeRange) -> UnitScope | None:
    """The scope of a window, found without `cross_minute_refs`: all of the time that its traces take.

    Slow where one trace is long. None when no trace touches the window.
    """
    minutes = f"minute BETWEEN {window.start // MINUTE} AND {(window.end - 1) // MINUTE}"
    places: dict[str, int | str] = {"from": window.start, "to": window.end, "minutes": minutes}
    ((low, high),) = ask(bind(_BOUNDS, **places))
    if not high and not low:
        return None
    own = f"({minutes} AND start >= {window.start} AND start < {window.end})"
    near = f"minute BETWEEN {low // MINUTE} AND {high // MINUTE}"
    drop_scope(ask)
    scope = UnitScope(minutes, own, near, far="1")
    create(ask, "loose", scope.fill(LOOSE))
    create(ask, "unheld", scope.fill(UNHELD))
    return scope


def drop_scope(ask: RunQuery) -> None:
    """Drop the temporary tables."""
    drop(ask, _TABLES)


def create(ask: RunQuery, table: str, query: str) -> None:
    """A temporary table of this connection, from a query."""
    ask(f"CREATE TEMPORARY TABLE {table} ENGINE = Memory AS {query}")


def drop(ask: RunQuery, tables: Collection[str]) -> None:
    """Drop temporary tables, those that are there."""
    ask(f"DROP TEMPORARY TABLE IF EXISTS {', '.join(tables)}")
