"""What inserting one batch costs ClickHouse, by table: CPU without merges, and what merging all of it takes.

Spans of the shop (`bench.peers.load`) in batches of a small installation's second, and of a collector at full speed.
One process and an engine of its own.

    python -m bench.inserts
    python -m bench.inserts --documents 100 --batches 200
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from clickhouse_driver import Client
from rich.console import Console
from rich.table import Table

from bench.disk import seconds
from bench.peers.load import Round, Template
from bench.shop import Shop
from collector.decode.otlp.columns import decode_otlp_columns
from collector.submission import columns_in_chunks
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.write.inserts import EncodedDocuments, encode, insert_encoded
from store.clickhouse.write.operations import KnownOperations

WARM = 5
"""Batches before the measurement."""
IDLE = 3.0
"""Seconds in which the engine's own work is measured, which is deducted."""


class Metered:
    """A client whose statements are added up by table."""

    def __init__(self, client: Client, server: psutil.Process) -> None:
        self._client, self._server = client, server
        self.spent: dict[str, list[float]] = defaultdict(list)
        """CPU-seconds of each statement, the engine's own work deducted."""
        before = seconds(server)
        time.sleep(IDLE)
        self._idle = (seconds(server) - before) / IDLE

    def execute(self, statement: str, *given: Any, **named: Any) -> Any:
        """As the client's."""
        before, begun = seconds(self._server), time.monotonic()
        answer = self._client.execute(statement, *given, **named)
        took = time.monotonic() - begun
        table = statement.split()[2]
        self.spent[table].append(seconds(self._server) - before - self._idle * took)
        return answer


def batches(documents: int, number: int) -> Iterator[tuple[int, list[EncodedDocuments]]]:
    """Batches of about so many documents, and how many each has."""
    size = min(800, documents)
    shop = Shop(max(4, size // 2), size)
    numbers: dict[bytes, int] = {}
    templates = [Template(body, numbers) for body in shop.bodies]
    place = 0
    for _ in range(number):
        batch: list[EncodedDocuments] = []
        count = 0
        while count < documents:
            if place % len(templates) == 0:
                fresh = Round(len(numbers), shop.begun)
            body = templates[place % len(templates)].render(fresh)
            found = decode_otlp_columns(body, time.time_ns() // 1000).documents
            batch += map(encode, columns_in_chunks(found))
            count, place = count + len(found), place + 1
        yield count, batch


def measure(console: Console, client: Client, server: psutil.Process, made: Sequence[Any]) -> None:
    """Insert batches, merge, and print."""
    client.execute("SYSTEM STOP MERGES")
    metered = Metered(client, server)
    known = KnownOperations()
    for number, (_, batch) in enumerate(made):
        if number == WARM:
            metered.spent.clear()
        insert_encoded(metered, batch, f"inserts-{number}", known)
    client.execute("SYSTEM START MERGES")
    counted = made[WARM:]
    documents, stored = (sum(count for count, _ in each) for each in (counted, made))
    table = Table(title=f"{documents // len(counted):,} documents a batch", title_justify="left")
    for column in ("insert into", "ms a batch", "µs a document", "one merge, µs a document"):
        table.add_column(column, justify="left" if column == "insert into" else "right")
    total = merging = 0.0

    def figures(spent: float, merged: float) -> tuple[str, str, str]:
        each = spent * 1e3 / len(counted), spent * 1e6 / documents, merged * 1e6 / stored
        return f"{each[0]:.1f}", f"{each[1]:.2f}", f"{each[2]:.2f}"

    for name, spent in metered.spent.items():
        before = seconds(server)
        client.execute(f"OPTIMIZE TABLE {name} FINAL")
        merged = seconds(server) - before
        total, merging = total + sum(spent), merging + merged
        table.add_row(name, *figures(sum(spent), merged))
    table.add_row("all", *figures(total, merging))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.inserts", description=__doc__)
    parser.add_argument("--documents", type=int, help="of a batch; by default 80, then 50,000")
    parser.add_argument("--batches", type=int, default=100)
    options = parser.parse_args()
    sizes = (
        [(options.documents, options.batches)] if options.documents else [(80, 100), (50_000, 4)]
    )
    console = Console()
    for documents, number in sizes:
        with (
            tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder,
            EmbeddedClickHouse(Path(folder), memory_bytes=4 << 30) as engine,
        ):
            assert engine.process is not None
            migrate(engine.address, {"retention_days": 30})
            client = connect(engine.address)
            made = list(batches(documents, number + WARM))
            measure(console, client, psutil.Process(engine.process.pid), made)
            client.disconnect()


if __name__ == "__main__":
    main()
