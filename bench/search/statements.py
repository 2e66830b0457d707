"""The statements that a request to the API leads to: what ClickHouse says that each took.

The request is answered in this process, by an app of its own on the server's engine.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from clickhouse_driver.connection import Connection
from clickhouse_driver.protocol import ServerPacketTypes
from fastapi.testclient import TestClient

from api.app import create_app
from bench.sections import table
from store.clickhouse.connection import query_runner
from store.clickhouse.connection.query_runner import Statement, execute, text_of
from store.clickhouse.embedded import address
from store.clickhouse.queries import Sql
from store.clickhouse.store import ClickHouseStore

HEAD = ("statement", "begins ms", "ms", "CPU ms", "rows", "KiB read", "answer", "MiB memory")
WARM = 3


class Taken(NamedTuple):
    """What a statement took; ``at``: when it began."""

    name: str
    at: float
    seconds: float
    cpu: float
    rows: int
    bytes: int
    answer: int
    memory: int


def statements_of(folder: Path, path: str, params: dict[str, Any]) -> Iterator[str]:
    """A table of the statements of a request, in the order in which they began."""
    store = ClickHouseStore(address(folder))
    with TestClient(create_app(store, version="bench")) as client, recorded() as taken:
        for _ in range(WARM):
            taken.clear()
            begun = time.perf_counter()
            client.get(path, params=params).raise_for_status()
            ended = time.perf_counter()
    store.close()
    yield from table(HEAD, (_line(each, begun) for each in sorted(taken, key=lambda t: t.at)))
    yield f"{len(taken)} statements, {sum(t.seconds for t in taken) * 1000:.0f} ms, in {(ended - begun) * 1000:.0f} ms"


def _line(taken: Taken, begun: float) -> tuple[str, ...]:
    return (
        taken.name,
        f"{(taken.at - begun) * 1000:.0f}",
        f"{taken.seconds * 1000:.1f}",
        f"{taken.cpu * 1000:.1f}",
        f"{taken.rows:,}",
        f"{taken.bytes / 1024:,.0f}",
        f"{taken.answer:,}",
        f"{taken.memory / (1 << 20):.1f}",
    )


@contextmanager
def recorded() -> Iterator[list[Taken]]:
    """What the statements take that are run meanwhile."""
    taken: list[Taken] = []
    events = threading.local()

    def recording(client: Any, statement: Statement, settings: Any = None) -> Any:
        events.found = defaultdict(int)
        begun = time.perf_counter()
        rows = execute(client, statement, settings)
        seconds = time.perf_counter() - begun
        found, read = events.found, client.last_query.progress
        cpu = (found["UserTimeMicroseconds"] + found["SystemTimeMicroseconds"]) / 1e6
        name = (isinstance(statement, Sql) and statement.name) or text_of(statement)[:40]
        memory = found["MemoryTrackerPeakUsage"]
        taken.append(Taken(name, begun, seconds, cpu, read.rows, read.bytes, len(rows), memory))
        return rows

    receive = Connection.receive_packet

    def receiving(connection: Connection) -> Any:
        packet = receive(connection)
        if packet.type == ServerPacketTypes.PROFILE_EVENTS and hasattr(events, "found"):
            for _, _, thread, kind, name, value in packet.block.get_rows():
                if thread == 0:
                    _add(events.found, name, kind, value)
        return packet

    with (
        patch.object(query_runner, "execute", recording),
        patch.object(Connection, "receive_packet", receiving),
    ):
        yield taken


def _add(found: dict[str, int], name: str, kind: object, value: int) -> None:
    """An increment, or a gauge's greatest value."""
    is_gauge = kind in ("gauge", 2)
    found[name] = max(found[name], value) if is_gauge else found[name] + value
