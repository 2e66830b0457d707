"""Layouts of maps in ClickHouse: `store.config.protocol.LayoutStore`.

As with the configuration, of two writers of one revision the second loses: the revision is the
deduplication token of the insert.
"""

from __future__ import annotations

import base64
import secrets

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import execute
from store.config.protocol import StoredLayout

COLUMNS = "name, value, revision, writer"


def read_layout(client: Client, name: str) -> StoredLayout | None:
    """The newest layout of a name."""
    for value, revision, _ in execute(client, queries.LAYOUT.render(name=name)):
        return StoredLayout(revision, base64.b64decode(value))
    return None


def write_layout(client: Client, name: str, value: bytes, after: int) -> bool:
    """Write the revision after ``after``; False if it exists already."""
    revision, writer = after + 1, secrets.randbits(63)
    row = (name, base64.b64encode(value).decode(), revision, writer)
    token = f"{name} {revision}"
    client.execute(
        f"INSERT INTO layouts ({COLUMNS}) VALUES",
        [row],
        settings={"insert_deduplicate": 1, "insert_deduplication_token": token},
    )
    newest = execute(client, queries.LAYOUT.render(name=name))
    return bool(newest) and tuple(newest[0][1:]) == (revision, writer)
