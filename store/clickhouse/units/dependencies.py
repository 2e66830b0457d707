"""The rows that the units of some buckets or minutes come from, and the rows elsewhere that decide on them.

A unit may depend on rows of its trace in other buckets (the two halves of a call may be hours apart)
or on rows of another trace (links). Such a reference is a *cross-bucket reference*. The table
`cross_bucket_refs` records these references by trace for every bucket that was aggregated, so that
they are found from the other end, whichever of the two ends arrived last.

Temporary tables of one connection:

* ``scope_rows``, ``scope_links``: the documents, calls and links of the buckets, read once;
* ``unresolved``: the ids that looking each up once in its bucket does not resolve;
* ``entering``: spans that may enter their services, or are within calls elsewhere;
* ``within``: those within calls; ``nested``: of these the calls, and what may have calls below it;
* ``odd_traces``: the traces of these, and which of them all rows of the scope do not resolve either;
* ``cross_bucket_traces``: those with references to or from other buckets; ``places``: all their buckets,
  with how many documents came there;
* ``dependent_traces``: those whose units here may depend on rows elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import QueryRunner, RunQuery, cells_of
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql, Template
from store.clickhouse.units.aggregates import UNWEIGHTED, WEIGHTED
from store.clickhouse.units.base_buckets import buckets_within, rows_in_buckets
from store.model import SYNTHETICS_AGENT, TimeRange
from store.rules import other_names
from store.times import MINUTE

_PLACES = Sql(
    "SELECT trace_id, minute, bucket, sum(revision) AS documents FROM traces "
    "WHERE trace_id IN (SELECT trace_id FROM cross_bucket_traces) GROUP BY trace_id, minute, bucket"
)
_RECORDED_BUCKETS = (
    "SELECT bucket FROM cross_bucket_refs "
    "WHERE trace_id IN (SELECT trace_id FROM cross_bucket_traces)"
)
SHARED = Sql("(minute, bucket, trace_id) IN (SELECT minute, bucket, trace_id FROM places)")
"""Rows of the traces in ``cross_bucket_traces``."""
_TABLES = (
    "scope_rows", "scope_links", "unresolved", "entering", "within", "nested", "odd_traces", "cross_bucket_traces", "places", "dependent_traces",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitScope:
    """The units of some buckets or minutes, or of windows in them."""

    target: str
    """A condition on ``scope_rows``: those whose units are wanted."""
    wanted: Callable[[int], bool]
    """The same, of the start of a unit."""
    whole_minutes: str
    """All rows of the minutes that ``target`` lies in."""
    many_names: bool = False
    """Whether some of the minutes have names of nodes in excess (`store.rules.other_names`)."""
    weighed: bool = True
    """Whether weights above 1 may occur; aggregation without them is faster."""

    def fill(
        self, template: Template, fragments: Mapping[str, Sql] | None = None, **parameters: object
    ) -> Sql:
        """A statement over these units, with the fragments of units/count.sql filled in."""
        units = queries.UNITS_WITH_OTHER_NAMES if self.many_names else queries.UNITS
        known = {**(WEIGHTED if self.weighed else UNWEIGHTED), **(fragments or {})}
        known["units"] = units.render({name: known[name] for name in units.fragments})
        return template.render({name: known[name] for name in template.fragments}, **parameters)


def resolve_dependencies(run: RunQuery, rows: str) -> bool:
    """Read the rows that meet a condition, find their references elsewhere, and where those traces have rows.

    Returns whether there are such references: without any, ``places`` does not exist. Buckets elsewhere
    that are dirty may have references that are not recorded yet: include them, or look again afterwards.
    """
    _read_rows(run, rows)
    if cells_of(run):
        run(queries.CAUSED_ELSEWHERE.render())
    create(run, "cross_bucket_traces", queries.CROSS_BUCKET_TRACES.render())
    if not run("SELECT 1 FROM cross_bucket_traces LIMIT 1"):
        create(run, "dependent_traces", Sql("SELECT trace_id FROM cross_bucket_traces"))
        return False
    create(run, "places", _PLACES)
    create(run, "dependent_traces", queries.DEPENDENT_TRACES.render())
    return True


def _read_rows(run: RunQuery, rows: str) -> None:
    drop_scope(run)
    condition = {"rows": Sql(f"({rows}) AND {NOT_PINNED_COPY}")}
    seed = {"seed": Sql(str(secrets.randbits(63)))}
    rows_of_scope = queries.SCOPE_ROWS.render({**condition, **seed}, canary=SYNTHETICS_AGENT)
    create(run, "scope_rows", rows_of_scope)
    create(run, "scope_links", queries.SCOPE_LINKS.render({**condition, **seed}))
    create(run, "unresolved", queries.UNRESOLVED.render())
    entering = nested = Sql("")
    if run("SELECT 1 FROM scope_rows WHERE below != 0 LIMIT 1"):
        create(run, "entering", queries.ENTERING.render())
        entering = queries.ENTERING_TRACES.render()
        create(run, "within", queries.WITHIN.render())
        if run("SELECT 1 FROM within LIMIT 1"):
            create(run, "nested", queries.NESTED.render())
            nested = queries.NESTED_TRACES.render()
    create(run, "odd_traces", queries.ODD_TRACES.render({"entering": entering, "nested": nested}))


def resolve_scope(run: RunQuery, windows: Collection[TimeRange]) -> UnitScope:
    """The scope of the units in windows. `resolve_dependencies` is part of it."""
    scope = _of_windows(run, windows)
    buckets = rows_in_buckets(buckets_within(windows))
    resolve_dependencies(run, scope.whole_minutes if scope.many_names else buckets)
    return scope


def _of_windows(run: RunQuery, windows: Collection[TimeRange]) -> UnitScope:
    times = " OR ".join(f"start >= {w.start} AND start < {w.end}" for w in windows)
    minutes = minutes_of(windows)
    many = bool(run(many_names_statement(minutes)))
    return UnitScope(
        f"({times})", lambda start: any(start in window for window in windows), minutes, many
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


def full_scope(run: RunQuery, window: TimeRange) -> UnitScope:
    """The scope of a window, found without `cross_bucket_refs`: whatever has rows elsewhere may depend on them."""
    scope = _of_windows(run, [window])
    _read_rows(run, scope.whole_minutes)
    create(run, "dependent_traces", queries.TRACES_ELSEWHERE.render())
    _add_caused_elsewhere(run)
    return scope


def _add_caused_elsewhere(run: RunQuery) -> None:
    """Add what traces of other cells say that they caused here."""
    cells = cells_of(run)
    if cells is None or not isinstance(run, QueryRunner):
        return
    ours = Sql(cells.owners.may_be_at_sql("other_trace", cells.index))
    statement = queries.SENDERS_ELSEWHERE.render({"ours": ours})
    found = {digits for _, other in run.elsewhere() for (digits,) in other(statement)}
    if found:
        rows = [(bytes.fromhex(digits),) for digits in sorted(found)]
        run(Sql("INSERT INTO dependent_traces VALUES", rows=rows))


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
