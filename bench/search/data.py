"""The data set of `bench.search`: a month of `bench.scale`'s shop with rare keys and slow traces."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
from rich.console import Console

from bench.scale.generate import DataSet, fill
from bench.scale.measure import Bench
from bench.scale.shapes import SHAPES, SHOP, T0
from bench.search.rolled_up import roll_up
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import default_memory
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.store import ClickHouseStore

SHAPE = "shop with rare keys"
RARE = "if(j = 0 AND t % 20000 = 7, ['incident=\"INC-7\"'], [])"
PLANTED = "if(j = 0 AND t % 20 = 3, ['release=\"canary\"'], [])"
SLOWER = "if(t % 20 = 3, 400000, 0)"
SHAPES[SHAPE] = replace(
    SHOP,
    common={**SHOP.common, "d0": f"{SHOP.common['d0']} + {SLOWER}"},
    segment_columns={
        **SHOP.segment_columns,
        "annotations": f"arrayConcat({SHOP.segment_columns['annotations']}, {RARE}, {PLANTED})",
    },
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `filled` needs."""
    parser.add_argument("--rows", type=float, default=1.0, help="millions of segments and calls")
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--documents", action="store_true", help="with raw documents")
    parser.add_argument("--folder", type=Path, help="for the data, and used again")


@contextmanager
def filled(
    options: argparse.Namespace, console: Console
) -> Iterator[tuple[ClickHouseStore, Bench, psutil.Process]]:
    """The store with the data set, which a folder may already contain."""
    start = T0 - round(options.days * 86_400)  # what is over is rolled up into hours
    data = DataSet(
        SHAPE,
        round(options.rows * 1_000_000),
        options.days * 24.0,
        documents=options.documents,
        start=start,
    )
    folder = options.folder or Path(tempfile.mkdtemp(prefix="raymap-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    with EmbeddedClickHouse(folder, memory_bytes=min(4 << 30, default_memory())) as engine:
        prepare_database(engine.address, {"traces": 10_000})
        store = ClickHouseStore(engine.address)
        client = connect(engine.address)
        mark = folder / "bench-search.json"
        if not mark.exists():
            seconds = fill(client, data)
            console.print(f"{data.rows:,} rows in {seconds:.0f} s")
            console.print(f"rolled up in {roll_up(client):.0f} s")
            while client.execute("SELECT count() FROM system.merges") != [(0,)]:
                time.sleep(1.0)
            mark.write_text(json.dumps({"rows": data.rows}))
        client.disconnect()
        assert engine.process is not None
        yield store, Bench(store, data, folder), psutil.Process(engine.process.pid)
        store.close()
