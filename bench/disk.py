"""Bytes a span on disk, by table and column, and what inserting it costs ClickHouse.

Spans of the shop (`bench.peers.load`), decoded and inserted as a collector does, in batches, then
merged. One process and an engine of its own.

    python -m bench.disk
    python -m bench.disk --spans 500000 --columns documents,segments
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from clickhouse_driver import Client
from rich.console import Console
from rich.table import Table

from bench.peers.load import Round, Template
from bench.shop import Shop
from collector.decode.otlp.columns import decode_otlp_columns
from collector.submission import columns_in_chunks
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.write.inserts import EncodedDocuments, encode, insert_encoded
from store.clickhouse.write.operations import KnownOperations

BATCH = 20_000
TRACES = 600


def batches(spans: int) -> Iterator[tuple[int, list[EncodedDocuments]]]:
    """Batches as a collector makes them from requests of some 500 spans, and their documents."""
    shop = Shop(TRACES, 800)
    numbers: dict[bytes, int] = {}
    templates = [Template(body, numbers) for body in shop.bodies]
    batch: list[EncodedDocuments] = []
    waiting = done = 0
    while done < spans:
        fresh = Round(len(numbers), shop.begun)
        for template in templates:
            now = time.time_ns() // 1000
            found = decode_otlp_columns(template.render(fresh), now).documents
            batch += map(encode, columns_in_chunks(found))
            waiting, done = waiting + len(found), done + len(found)
            if waiting >= BATCH:
                yield waiting, batch
                batch, waiting = [], 0
    if batch:
        yield waiting, batch


def seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def insert(client: Client, server: psutil.Process, spans: int) -> tuple[int, float]:
    """Documents, and CPU-seconds of the server without merges."""
    client.execute("SYSTEM STOP MERGES")
    documents, spent = 0, 0.0
    known = KnownOperations()
    for number, (count, batch) in enumerate(batches(spans)):
        before = seconds(server)
        insert_encoded(client, batch, f"disk-{number}", known)
        spent += seconds(server) - before
        documents += count
    client.execute("SYSTEM START MERGES")
    return documents, spent


def merge(client: Client, server: psutil.Process) -> float:
    """CPU-seconds of merging all parts of a table, each once."""
    before = seconds(server)
    for table in ("segments", "calls", "traces"):
        client.execute(f"OPTIMIZE TABLE {table} FINAL")
    return seconds(server) - before


def print_tables(console: Console, client: Client, documents: int) -> None:
    rows = client.execute(
        "SELECT table, sum(bytes_on_disk), sum(rows) FROM system.parts "
        "WHERE active AND database = currentDatabase() GROUP BY table ORDER BY 2 DESC"
    )
    table = Table(title="merged", title_justify="left")
    for column in ("table", "B a span", "rows", "B a row"):
        table.add_column(column, justify="left" if column == "table" else "right")
    for name, size, count in rows:
        table.add_row(name, f"{size / documents:.2f}", f"{count:,}", f"{size / count:.1f}")
    total = sum(size for _, size, _ in rows)
    table.add_row("all", f"{total / documents:.2f}", "", "")
    console.print(table)


def print_columns(console: Console, client: Client, name: str, documents: int) -> None:
    rows = client.execute(
        "SELECT column, sum(column_data_compressed_bytes), sum(column_data_uncompressed_bytes), "
        "sum(column_marks_bytes) FROM system.parts_columns WHERE active AND "
        f"database = currentDatabase() AND table = '{name}' GROUP BY column ORDER BY 2 DESC"
    )
    table = Table(title=name, title_justify="left")
    for column in ("column", "B a span", "uncompressed", "marks"):
        table.add_column(column, justify="left" if column == "column" else "right")
    for column, *sizes in rows:
        table.add_row(column, *(f"{size / documents:.2f}" for size in sizes))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.disk", description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--columns", default="documents,segments,calls")
    options = parser.parse_args()
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder,
        EmbeddedClickHouse(Path(folder), memory_bytes=4 << 30) as engine,
    ):
        assert engine.process is not None
        migrate(engine.address, {"retention_days": 30})
        client, server = connect(engine.address), psutil.Process(engine.process.pid)
        documents, inserting = insert(client, server, options.spans)
        merging = merge(client, server)
        print_tables(console, client, documents)
        for name in filter(None, options.columns.split(",")):
            print_columns(console, client, name, documents)
        console.print(
            f"{documents:,} spans: inserts {inserting * 1e6 / documents:.1f} µs of ClickHouse's CPU a "
            f"span, one merge {merging * 1e6 / documents:.1f} µs"
        )
        client.disconnect()


if __name__ == "__main__":
    main()
