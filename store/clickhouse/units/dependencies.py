"""The input rows of the units of some buckets or minutes: their rows, and rows elsewhere.

A unit may depend on rows of its trace in other buckets (the two halves of a call may be hours apart)
or on rows of another trace (links). Such a reference is a *cross-bucket reference*. The table
`cross_bucket_refs` records these references by trace for every bucket that was aggregated, so that
they are found from the other end, whichever of the two ends arrived last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql, Template
from store.clickhouse.units.aggregates import UNWEIGHTED, WEIGHTED
from store.model import TimeRange
from store.rules import other_names
from store.times import MINUTE

_PLACES = Sql(
    "SELECT DISTINCT trace_id, minute, bucket FROM traces "
    "WHERE trace_id IN (SELECT trace_id FROM cross_bucket_traces)"
)
_RECORDED_BUCKETS = (
    "SELECT bucket FROM cross_bucket_refs "
    "WHERE trace_id IN (SELECT trace_id FROM cross_bucket_traces)"
)
SHARED = Sql("(minute, bucket, trace_id) IN (SELECT minute, bucket, trace_id FROM places)")
"""Rows of the traces in ``cross_bucket_traces``."""
_SEGMENTS_WITH_PARENTS = Sql("SELECT trace_id FROM unresolved_parents WHERE independent = 0")
"""The traces of the segments whose parents may not be calls: few, of which calls are read."""
_TABLES = (
    "detached_calls",
    "unresolved_parents",
    "cross_bucket_refs_in_scope",
    "cross_bucket_traces",
    "places",
)


@dataclass(frozen=True, slots=True)
class UnitScope:
    """SQL conditions on rows that select the units of some buckets or minutes and all rows they depend on."""

    minutes: str
    """Rows of the buckets or minutes."""
    target: str
    """Rows of ``minutes`` whose units are wanted."""
    input: str
    """Rows that the units of ``target`` may depend on, ``target`` included."""
    cross_bucket: str = "trace_id IN (SELECT trace_id FROM cross_bucket_traces)"
    """Traces with rows outside ``minutes`` that units of ``target`` may depend on."""
    sender_rows: str = "1"
    """Rows of `links` that may lead to traces of ``target``."""
    whole_minutes: str = ""
    """All rows of the minutes that ``minutes`` lies in."""
    many_names: bool = False
    """Whether some of the minutes have names of nodes in excess (`store.rules.other_names`)."""
    weighed: bool = True
    """Whether weights above 1 may occur; aggregation without them is faster."""

    def fill(
        self, template: Template, fragments: Mapping[str, Sql] | None = None, **parameters: object
    ) -> Sql:
        """A statement with the conditions of this scope and the fragments of units/count.sql filled in."""
        known = {**self._fragments(), **(fragments or {})}
        if "units" in template.fragments:
            known["units"] = self.fill(
                queries.UNITS_WITH_OTHER_NAMES if self.many_names else queries.UNITS
            )
        given = {name: known[name] for name in template.fragments if name in known}
        return template.render(given, **parameters)

    def _fragments(self) -> dict[str, Sql]:
        input = Sql(f"({self.input})")
        return {
            **(WEIGHTED if self.weighed else UNWEIGHTED),
            "minutes": Sql(self.minutes),
            "target": Sql(f"{self.target} AND {NOT_PINNED_COPY}"),
            "input": Sql(f"{input.text} AND {NOT_PINNED_COPY}"),
            "has_document": queries.HAS_DOCUMENT.render(
                {"input": input, "traces": queries.RECENT_TRACES.render({"input": input})}
            ),
            "has_document_there": queries.HAS_DOCUMENT.render(
                {"input": input, "traces": _SEGMENTS_WITH_PARENTS}
            ),
            "cross_bucket": Sql(self.cross_bucket),
            "sender_rows": Sql(self.sender_rows),
            "not_pinned_copy": Sql(NOT_PINNED_COPY),
            "whole_minutes": Sql(f"{self.whole_minutes or self.minutes} AND {NOT_PINNED_COPY}"),
            "newest_segments": Sql(_NEWEST.format("segments")),
            "newest_calls": Sql(_NEWEST.format("calls")),
        }


_NEWEST = "(trace_id, id, bucket) NOT IN (SELECT trace_id, id, bucket FROM superseded_{})"
"""Rows that are not superseded by a copy in another bucket."""


def resolve_dependencies(run: RunQuery, minutes: str) -> None:
    """Find the references between rows (a condition) and rows elsewhere, and where their traces have rows.

    Fills the temporary tables of `_TABLES` on this connection. Dirty buckets elsewhere may have
    references that are not recorded yet: include them, or look again afterwards.
    """
    drop_scope(run)
    fill = UnitScope(minutes, minutes, minutes).fill
    create(run, "detached_calls", fill(queries.DETACHED_CALLS))
    create(run, "unresolved_parents", fill(queries.UNRESOLVED_PARENTS))
    create(run, "cross_bucket_refs_in_scope", fill(queries.CROSS_BUCKET_REFS))
    create(run, "cross_bucket_traces", fill(queries.CROSS_BUCKET_TRACES))
    create(run, "places", _PLACES)


def resolve_scope(run: RunQuery, minutes: str, windows: Collection[TimeRange] = ()) -> UnitScope:
    """The scope of the units in some minutes (a condition), or only of those in windows inside them.

    `resolve_dependencies` is part of it.
    """
    resolve_dependencies(run, minutes)
    weighted = UnitScope(minutes, minutes, minutes).fill(queries.WEIGHTED_ROWS)
    many, heavy = run_concurrently(run, many_names_statement(minutes), weighted)
    target = minutes
    if windows:
        times = " OR ".join(f"start >= {w.start} AND start < {w.end}" for w in windows)
        target = f"({minutes} AND ({times}))"
    return UnitScope(
        minutes,
        target,
        f"{minutes} OR {SHARED.text}",
        sender_rows=sender_rows(minutes),
        many_names=bool(many),
        weighed=bool(heavy),
    )


def sender_rows(rows: str) -> str:
    """A condition on rows of `links`: in these buckets, or where `cross_bucket_refs` has recorded some."""
    return f"({rows} OR bucket IN ({_RECORDED_BUCKETS}))"


def many_names_statement(whole_minutes: str) -> Sql:
    """The minutes and accounts that may have names of nodes in excess."""
    condition = Sql(f"{whole_minutes} AND {NOT_PINNED_COPY}")
    return queries.MANY_NAMES.render({"whole_minutes": condition}, most=other_names.MOST_NAMES)


def minutes_of(windows: Collection[TimeRange]) -> str:
    """A condition on rows: those of the minutes that windows lie in."""
    parts = [
        f"minute BETWEEN {w.start // MINUTE} AND {(w.end - 1) // MINUTE}" for w in sorted(windows)
    ]
    return f"({' OR '.join(parts)})"


def full_scope(run: RunQuery, window: TimeRange) -> UnitScope | None:
    """The scope of a window, found without `cross_bucket_refs`: its input is all the time its traces span.

    Slow when one trace is long. None when no trace overlaps the window.
    """
    minutes = f"minute BETWEEN {window.start // MINUTE} AND {(window.end - 1) // MINUTE}"
    bounds = queries.TRACE_BOUNDS.render(
        {"minutes": Sql(minutes)}, start=window.start, end=window.end
    )
    ((low, high),) = run(bounds)
    if not high and not low:
        return None
    target = f"({minutes} AND start >= {window.start} AND start < {window.end})"
    input = f"minute BETWEEN {low // MINUTE} AND {high // MINUTE}"
    drop_scope(run)
    many = bool(run(many_names_statement(minutes)))
    scope = UnitScope(minutes, target, input, cross_bucket="1", many_names=many)
    create(run, "detached_calls", scope.fill(queries.DETACHED_CALLS))
    create(run, "unresolved_parents", scope.fill(queries.UNRESOLVED_PARENTS))
    return scope


def drop_scope(run: RunQuery) -> None:
    """Drop the temporary tables of a scope."""
    drop(run, _TABLES)


def create(run: RunQuery, table: str, query: Sql) -> None:
    """Create a temporary table of this connection from a query."""
    text = f"CREATE TEMPORARY TABLE {table} ENGINE = Memory AS {query.text}"
    run(Sql(text, query.parameters))


def drop(run: RunQuery, tables: Collection[str]) -> None:
    """Drop the temporary tables that exist."""
    run(f"DROP TEMPORARY TABLE IF EXISTS {', '.join(tables)}")
