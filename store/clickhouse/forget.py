"""Removes traces from every table, and has the map counted again without them.

Rows are deleted by mutations, which write new parts without them: other ways (lightweight deletes,
DROP PART) leave them on the disk or take others with them. The old parts are deleted within a minute.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection import sql
from store.clickhouse.connection.missing_rows import RowsMissing, has_all_rows
from store.clickhouse.connection.pool import is_replicated
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.logs import forget as logs
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import WIDTHS
from store.clickhouse.units.base_buckets import buckets_of
from store.forget import Subject
from store.times import PER_MINUTE

T = TypeVar("T")
MOST = 5_000
"""Traces, and minutes of the map, in one statement."""
SETTINGS = {"mutations_sync": 2, "max_query_size": 64 << 20, "max_ast_elements": 5_000_000}
"""A mutation has ended when its statement returns."""
PATIENCE: dict[str, int | str] = {"receive_timeout": 30}
"""Seconds for rows of another replica."""


def require_all_rows(client: Client) -> None:
    """Raise RowsMissing unless the server has the rows of all replicas, and all answer: what it lacks it cannot find,
    and where one does not answer, the rows stay."""
    if not is_replicated(client):
        return
    absent = "SELECT max(total_replicas - active_replicas) FROM system.replicas WHERE database = currentDatabase()"
    if client.execute(absent)[0][0]:
        raise RowsMissing(
            "A replica of ClickHouse does not answer, and would keep what is forgotten"
        )
    named = "SELECT table FROM system.replicas WHERE database = currentDatabase()"
    if not has_all_rows(client, [name for (name,) in client.execute(named)], PATIENCE):
        raise RowsMissing(
            f"{client.connection.host} lacks rows that another replica of ClickHouse has"
        )


def find(client: Client, subject: Subject) -> list[bytes]:
    """The traces of a subject that any table has: all copies of a document count, pinned ones too."""
    require_all_rows(client)
    found = execute(
        client,
        queries.FORGOTTEN_TRACES.render(
            user=subject.user, items=list(subject.items), forms=list(subject.forms)
        ),
        {"max_execution_time": 0},
    )
    traces = {bytes.fromhex(digits) for (digits,) in found}
    of_trace = f"trace_id = {sql.trace_literal(subject.trace_id)}"
    if subject.trace_id and any(_count(client, name, of_trace) for name in tables(client)):
        traces.add(subject.trace_id)
    return sorted(traces)


def tables(client: Client) -> list[str]:
    """The tables with rows of traces, by their columns: a new table need not be named here. Pins come
    first, so that no copy is made of what is being deleted."""
    found = [name for (name,) in execute(client, queries.TABLES_OF_TRACES.render())]
    return sorted(found, key=lambda name: name != "pins")


def forget(client: Client, trace_ids: Sequence[bytes]) -> dict[str, int]:
    """Delete the rows of traces; how many rows by table."""
    removed: dict[str, int] = {}
    names = tables(client)
    for few in _chunks(trace_ids):
        buckets = _buckets(client, few)
        of_traces = f"trace_id IN {sql.trace_list(few)}"
        operations = _operations(client, of_traces)
        # Lines that name no trace come first: once the documents are gone, nothing leads to them.
        for name, condition in [
            *(("log_lines", each) for each in logs.conditions(client, few)),
            *((name, of_traces) for name in names),
        ]:
            count = _count(client, name, condition)
            if count:
                _delete(client, name, condition)
                removed[name] = removed.get(name, 0) + count
        _forget_operations(client, operations)
        _count_again(client, buckets)
    return removed


def _count(client: Client, table: str, condition: str) -> int:
    statement = f"SELECT count() FROM {sql.identifier(table)} WHERE {condition}"
    limits = {name: SETTINGS[name] for name in ("max_query_size", "max_ast_elements")}
    ((rows,),) = client.execute(statement, settings=limits)
    return int(rows)


def _delete(client: Client, table: str, condition: str) -> None:
    statement = f"ALTER TABLE {sql.identifier(table)} DELETE WHERE {condition}"
    client.execute(statement, settings=SETTINGS)


def _buckets(client: Client, trace_ids: Sequence[bytes]) -> set[int]:
    """The buckets whose units are theirs or depend on them."""
    ids = Sql(sql.trace_list(trace_ids))
    rows = execute(client, queries.BUCKETS_OF_TRACES.render({"ids": ids}), SETTINGS)
    return {bucket for (bucket,) in rows}


def _operations(client: Client, rows: str) -> set[tuple[str, str]]:
    """What services did in some rows, by service."""
    return set(execute(client, queries.FORGOTTEN_OPERATIONS.render({"rows": Sql(rows)}), SETTINGS))


def _forget_operations(client: Client, candidates: Collection[tuple[str, str]]) -> None:
    """Take those that no row has any more out of the dictionary: a name may be an address, or have one in its path."""
    for few in _chunks(sorted(candidates)):
        listed = ", ".join(f"({sql.text(service)}, {sql.text(name)})" for service, name in few)
        left = _operations(client, f"(service, called) IN ({listed})")
        gone = [f"({sql.text(s)}, {sql.text(name)})" for s, name in few if (s, name) not in left]
        if gone:
            _delete(client, "operations", f"(service, operation) IN ({', '.join(gone)})")


def _count_again(client: Client, buckets: Collection[int]) -> None:
    """Delete the aggregates of these minutes and have them counted from the rows that remain.

    Minutes whose rows are gone would otherwise count as expired, and stay as they are.
    """
    for minutes in _chunks(sorted({bucket // PER_MINUTE for bucket in buckets})):
        siblings = [bucket for minute in minutes for bucket in buckets_of(minute)]
        wides = {
            width: sorted({minute // width * width for minute in minutes}) for width in (1, *WIDTHS)
        }
        parts = [
            f"(width = {width} AND bucket IN ({', '.join(map(str, firsts))}))"
            for width, firsts in wides.items()
        ]
        _delete(client, "rollups", " OR ".join(parts))
        _delete(client, "bucket_rollups", f"bucket IN ({', '.join(map(str, siblings))})")
        ((now,),) = client.execute("SELECT toUnixTimestamp64Micro(now64(6))")
        marks = [(bucket, now, now, 0, 0) for bucket in siblings]
        execute(client, queries.MARK.render()._replace(rows=marks), SETTINGS)


def _chunks(values: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while few := list(islice(rest, MOST)):
        yield few
