"""The input rows of the units of some minutes: rows of those minutes, and rows elsewhere.

A unit may depend on rows of its trace in other minutes (the two halves of a call may be hours apart)
or on rows of another trace (links). Such a reference is a *cross-minute reference*. The table
`cross_minute_refs` records these references by trace for every minute that was aggregated, so that
they are found from the other end, whichever of the two ends arrived last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_concurrently
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql, Template
from store.clickhouse.units.aggregates import UNWEIGHTED, WEIGHTED
from store.clickhouse.units.partition import partition_of
from store.model import TimeRange
from store.rules import other_names
from store.times import MINUTE

_PLACES = Sql(
    "SELECT DISTINCT trace_id, minute FROM traces "
    "WHERE trace_id IN (SELECT trace_id FROM cross_minute_traces)"
)
_RECORDED_MINUTES = (
    "SELECT minute FROM cross_minute_refs "
    "WHERE trace_id IN (SELECT trace_id FROM cross_minute_traces)"
)
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
    sender_minutes: str = "1"
    """Rows of `links` that may lead to traces of ``target``."""
    whole_minutes: str = ""
    """``minutes``, and all other rows of the same minutes."""
    many_names: bool = False
    """Whether some of the minutes have names of nodes in excess (`store.rules.other_names`)."""
    weighed: bool = True
    """Whether weights above 1 may occur; aggregation without them is faster."""

    def fill(
        self, template: Template, fragments: Mapping[str, Sql] | None = None, **parameters: int
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
            "has_document": queries.HAS_DOCUMENT.render({"input": input}),
            "cross_minute": Sql(self.cross_minute),
            "sender_minutes": Sql(self.sender_minutes),
            "not_pinned_copy": Sql(NOT_PINNED_COPY),
            "whole_minutes": Sql(f"{self.whole_minutes or self.minutes} AND {NOT_PINNED_COPY}"),
            "newest_segments": Sql(_NEWEST.format("segments")),
            "newest_links": Sql(_NEWEST_LINKS),
            "newest_calls": Sql(_NEWEST.format("calls")),
        }


_NEWEST = "(trace_id, id, minute) NOT IN (SELECT trace_id, id, minute FROM superseded_{})"
"""Rows that are not superseded by a copy in another minute."""
_NEWEST_LINKS = """(trace_id, document_id, other_trace, other_id, upstream, minute)
    NOT IN (SELECT * FROM superseded_links)"""


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
    run: RunQuery,
    minutes: str,
    windows: Collection[TimeRange] = (),
    *,
    weighed: bool | None = None,
    whole_minutes: str = "",
) -> UnitScope:
    """The scope of the units in some minutes (a condition), or only of those in windows inside them.

    Fills the temporary tables of `_TABLES` on this connection. Dirty minutes elsewhere may have
    references that are not recorded yet: include them, or recount them afterwards.
    ``weighed``: `UnitScope.weighed` when the caller knows it, else it is queried. ``whole_minutes``
    as in `UnitScope`.
    """
    drop_scope(run)
    fill = UnitScope(minutes, minutes, minutes, whole_minutes=whole_minutes).fill
    create(run, "detached_calls", fill(queries.DETACHED_CALLS))
    create(run, "unresolved_parents", fill(queries.UNRESOLVED_PARENTS))
    create(
        run,
        "cross_minute_refs_in_scope",
        fill(queries.CROSS_MINUTE_REFS, {"partition": Sql(partition_of("trace_id", "minute"))}),
    )
    create(run, "cross_minute_traces", fill(queries.CROSS_MINUTE_TRACES))
    create(run, "places", _PLACES)
    unknown = [fill(queries.WEIGHTED_ROWS)] if weighed is None else []
    ((elsewhere,),), many, *heavy = run_concurrently(
        run,
        f"SELECT countIf(NOT {minutes}) FROM places",
        many_names_statement(whole_minutes or minutes),
        *unknown,
    )
    target = minutes
    if windows:
        times = " OR ".join(f"start >= {w.start} AND start < {w.end}" for w in windows)
        target = f"({minutes} AND ({times}))"
    input = minutes
    if elsewhere:
        input = f"{minutes} OR (minute, trace_id) IN (SELECT minute, trace_id FROM places)"
    senders = f"({minutes} OR minute IN ({_RECORDED_MINUTES}))"
    return UnitScope(
        minutes,
        target,
        input,
        sender_minutes=senders,
        whole_minutes=whole_minutes,
        many_names=bool(many),
        weighed=bool(weighed) or any(heavy),
    )


def many_names_statement(whole_minutes: str) -> Sql:
    """The minutes and accounts that may have names of nodes in excess."""
    condition = Sql(f"{whole_minutes} AND {NOT_PINNED_COPY}")
    return queries.MANY_NAMES.render({"whole_minutes": condition}, most=other_names.MOST_NAMES)


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
    scope = UnitScope(minutes, target, input, cross_minute="1", many_names=many)
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
