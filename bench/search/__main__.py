"""How fast filters find the newest traces of a long window, cold and warm, and what they read.

Fills an embedded ClickHouse of its own with the traffic of `bench.scale` over 30 days, in which one
trace in 20,000 has an annotation with a key of its own, and searches it through the store. *read*:
the share of the granules of `segments` that the first probe reads, by ``EXPLAIN indexes = 1``.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from clickhouse_driver import Client
from rich.console import Console
from rich.table import Table

from bench.scale.generate import DataSet, fill
from bench.scale.measure import Bench
from bench.scale.shapes import SHAPES, SHOP
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.embedded import default_memory
from store.clickhouse.queries import Sql
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.search.probe import probes
from store.clickhouse.store import ClickHouseStore
from store.filters.parse import parse
from store.query import TraceQuery
from store.times import MINUTE

SHAPE = "shop with rare keys"
RARE = "if(j = 0 AND t % 20000 = 7, ['incident=\"INC-7\"'], [])"
SHAPES[SHAPE] = replace(
    SHOP,
    segment_columns={
        **SHOP.segment_columns,
        "annotations": f"arrayConcat({SHOP.segment_columns['annotations']}, {RARE})",
    },
)
LIMIT = 20
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A class of filters; ``target``: milliseconds."""

    name: str
    text: str
    target: float = 1500


CASES = (
    Case("annotation =, rare", "annotation.order_id = 4242", 300),
    Case("annotation =, common", 'annotation.customer_tier = "gold"', 300),
    Case("user =", 'user = "user-4242"', 300),
    Case("rare key", "annotation.incident EXISTS", 300),
    Case("rare key, text", 'annotation.incident BEGINSWITH "INC"', 300),
    Case("key that never occurs", "annotation.nothing EXISTS", 300),
    Case("service, common", 'service("svc-07")', 300),
    Case("service, unknown", 'service("nothing")', 300),
    Case("service { fault }", 'service("svc-07") { fault }', 300),
    Case("edge { error }", 'edge("svc-07", "svc-20") { error OR fault }', 300),
    Case("fault", "fault", 300),
    Case("ok and hidden fault", "ok AND service() { fault }", 300),
    Case("not through a service", '!service("svc-07")', 300),
    Case("number >, rare", "annotation.order_id > 999990"),
    Case("number >, common", "annotation.order_id > 10"),
    Case("url, rare", 'http.url CONTAINS "/order/4242"'),
    Case("url, common", 'http.url CONTAINS "/order/"'),
    Case("url, regex", 'http.url =~ "/order/424[0-9]$"'),
    Case("duration, rare", "duration > 0.2"),
    Case("duration, none", "duration > 3600"),
    Case("response time, rare", "responsetime > 0.2"),
    Case("status", "http.status >= 500"),
    Case("user agent, common", 'http.useragent CONTAINS "Firefox"'),
)


@contextmanager
def filled(
    options: argparse.Namespace, console: Console
) -> Iterator[tuple[ClickHouseStore, Bench]]:
    """The store with the data set, which a folder may already contain."""
    data = DataSet(SHAPE, round(options.rows * 1_000_000), options.days * 24.0)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="raymap-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    with EmbeddedClickHouse(folder, memory_bytes=min(4 << 30, default_memory())) as engine:
        migrate(engine.address, {"retention_days": 10_000})
        store = ClickHouseStore(engine.address)
        client = connect(engine.address)
        mark = folder / "bench-search.json"
        if not mark.exists():
            seconds = fill(client, data)
            console.print(f"{data.rows:,} rows in {seconds:.0f} s")
            while client.execute("SELECT count() FROM system.merges") != [(0,)]:
                time.sleep(1.0)
            mark.write_text(json.dumps({"rows": data.rows}))
        client.disconnect()
        yield store, Bench(store, data, folder)
        store.close()


def granules(client: Client, filter: str, first: int, last: int) -> str:
    """Granules that the first probe of a filter reads, of all."""
    statements = [s for probe in probes(parse(filter))[:1] for s in probe.statements(first, last)]
    parts = []
    for statement in statements:
        text = f"EXPLAIN indexes = 1 {statement.text}"
        lines = [line for (line,) in execute(client, Sql(text, statement.parameters))]
        found = [re.search(r"Granules: (\d+)/(\d+)", line) for line in lines]
        counts = [(int(match[1]), int(match[2])) for match in found if match]
        if counts:
            parts.append(f"{counts[-1][0]}/{counts[0][1]}")
    return " + ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--rows", type=float, default=1.0, help="millions of segments and calls")
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--folder", type=Path, help="for the data, and used again")
    parser.add_argument("--only", default="", help="part of a case's name")
    options = parser.parse_args()
    console = Console(width=140, highlight=False)
    table = Table("", "filter", "found", "cold ms", "warm ms", "target", "read")
    with filled(options, console) as (store, bench):
        client = connect(store.address)
        window = bench.data.window
        for case in CASES:
            if options.only not in case.name:
                continue
            query = TraceQuery(window, filter=parse(case.text))
            bench.cool()
            times = []
            for _ in range(1 + REPEATS):
                begun = time.perf_counter()
                page = store.find_traces(query, limit=LIMIT)
                times.append((time.perf_counter() - begun) * 1000)
            warm = statistics.median(times[1:])
            read = granules(client, case.text, window.start // MINUTE, window.end // MINUTE)
            table.add_row(
                case.name,
                case.text,
                f"{len(page.found)} of {page.scanned}{'' if page.cursor is None else '+'}",
                f"{times[0]:.0f}",
                f"{warm:.0f}{'' if warm <= case.target else ' !'}",
                f"{case.target:.0f}",
                read,
            )
        console.print(table)
        client.disconnect()


if __name__ == "__main__":
    main()
