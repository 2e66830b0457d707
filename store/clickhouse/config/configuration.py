"""Configuration in ClickHouse: `store.config.protocol.ConfigStore`.

Of two writers that make the same revision one must lose. ClickHouse has no transactions, but it
ignores an insert whose deduplication token it has seen, atomically: the token is the revision, and
a writer that does not find its own rows at it came second.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from clickhouse_driver import Client

from store.config.protocol import Change, Configuration
from store.config.records import LARGE

COLUMNS = "kind, name, value, removed, revision, writer, at"


def read_configuration(client: Client, *, large: bool = False) -> Configuration:
    """The newest revision."""
    # One reading of the table: a revision that is newer than the records would let a writer lose what it has not seen.
    rows = client.execute(
        "SELECT kind, if(left_out, '', name) AS of, argMax(if(left_out, '', value), revision), "
        "argMax(removed, revision), max(revision), max(at), kind IN {large:Array(String)} AS left_out "
        "FROM configuration GROUP BY kind, of, left_out",
        {"large": [] if large else sorted(LARGE)},
    )
    values: dict[tuple[str, str], bytes] = {}
    changed: dict[str, int] = {}
    for kind, name, value, removed, _, at, left_out in rows:
        if left_out:
            continue
        changed[kind] = max(at, changed.get(kind, 0))
        if not removed:
            values[kind, name] = value.encode()
    return Configuration(max((row[4] for row in rows), default=0), values, changed)


def change_configuration(client: Client, changes: Sequence[Change], after: int, at: int) -> bool:
    """Write the revision after ``after``; False if it exists already."""
    revision, writer = after + 1, secrets.randbits(63)
    rows = [
        (kind, name, (value or b"").decode(), int(value is None), revision, writer, at)
        for kind, name, value in changes
    ]
    client.execute(
        f"INSERT INTO configuration ({COLUMNS}) VALUES",
        rows,
        settings={"insert_deduplicate": 1, "insert_deduplication_token": f"revision-{revision}"},
    )
    ((written,),) = client.execute(
        f"SELECT count() FROM configuration WHERE revision = {revision} AND writer = {writer}"
    )
    return bool(written)
