"""The audit log in ClickHouse (`store.audit`)."""

from __future__ import annotations

from collections.abc import Sequence

from clickhouse_driver import Client

from store.audit import AuditEvent

COLUMNS = "at, actor, via, address, action, target, outcome"


def write(client: Client, events: Sequence[AuditEvent]) -> None:
    """Add events."""
    rows = [(e.at, e.actor, e.via, e.address, e.action, e.target, e.outcome) for e in events]
    client.execute(f"INSERT INTO audit ({COLUMNS}) VALUES", rows)


def read(client: Client, before: int, limit: int) -> list[AuditEvent]:
    """The newest events before an instant, the newest first."""
    rows = client.execute(
        f"SELECT {COLUMNS} FROM audit WHERE at < {before:d} ORDER BY at DESC LIMIT {limit:d}"
    )
    return [AuditEvent(*row) for row in rows]


def last_backup(client: Client) -> int:
    """When `raymap backup` last ran, in microseconds since the epoch; 0 if it never did."""
    ((at,),) = client.execute("SELECT max(at) FROM audit WHERE action = 'backup'")
    return int(at)
