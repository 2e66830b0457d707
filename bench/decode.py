"""What decoding costs, one process and no ClickHouse: OTLP spans one by one and by column, and X-Ray documents.

Loads: ``shop``, 12 services with 10 spans a trace and 11 attributes a span, one request a service;
``distinct``, the same spans with an id in a value on which each one's case depends; ``small``, the
shop in requests of 5 spans.

    python -m bench.decode
    python -m bench.decode --loads shop --rounds 5
"""

from __future__ import annotations

import argparse
import gc
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.shop import Shop
from collector.decode.otlp import columns as by_column
from collector.decode.otlp.columns import decode_otlp_columns
from collector.decode.otlp.frames import read_frames
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from collector.submission import MIN_COLUMNAR, columns_in_chunks
from store.clickhouse.write.inserts import EncodedDocuments, encode
from store.model import Document

VERSION = 1_700_000_000_000_000
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Load:
    """Requests, and how many spans are in all of them."""

    name: str
    bodies: Sequence[bytes]
    spans: int


def one_by_one(bodies: Sequence[bytes]) -> list[Sequence[Document]]:
    return [
        [found for found in decode_otlp(body, VERSION) if isinstance(found, Document)]
        for body in bodies
    ]


def by_columns(bodies: Sequence[bytes]) -> list[Sequence[Document]]:
    return [decode_otlp_columns(body, VERSION).documents for body in bodies]


def first_time(bodies: Sequence[bytes]) -> list[Sequence[Document]]:
    """As after a start: nothing is remembered."""
    by_column.forget()
    return by_columns(bodies)


def otlp_steps(load: Load) -> list[tuple[str, float]]:
    """Step → microseconds a span."""
    bodies, spans = load.bodies, load.spans
    alone, together = batches(one_by_one(bodies)), batches(by_columns(bodies))
    return [
        ("frames", cost(lambda: [list(_spans(body)) for body in bodies], spans)),
        ("one by one: decode", cost(lambda: one_by_one(bodies), spans)),
        ("one by one: columns and encode", cost(lambda: encoded(alone), spans)),
        ("by column: decode, first time", cost(lambda: first_time(bodies), spans)),
        ("by column: decode", cost(lambda: by_columns(bodies), spans)),
        ("by column: columns and encode", cost(lambda: encoded(together), spans)),
    ]


def batches(requests: list[Sequence[Document]]) -> list[Sequence[Document]]:
    """Requests as the collector encodes them: small ones together."""
    if len(requests[0]) >= MIN_COLUMNAR:
        return requests
    return [[document for request in requests for document in request]]


def encoded(requests: list[Sequence[Document]]) -> list[EncodedDocuments]:
    return [encode(few) for request in requests for few in columns_in_chunks(request)]


def _spans(body: bytes) -> list[bytes | Rejected]:
    return [s for part in read_frames(body) for scope in part.scope_spans for s in scope.spans]


def cost(work: Callable[[], object], count: int) -> float:
    """Microseconds of CPU for each of ``count``, the best of a few."""
    gc.collect()
    gc.freeze()
    best = float("inf")
    for _ in range(REPEATS):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    gc.unfreeze()
    return best * 1e6 / count


def remembered(load: Load) -> str:
    """What the memory of cases contains and takes after a load."""
    tracemalloc.start()
    by_column.forget()
    before = tracemalloc.get_traced_memory()[0]
    by_columns(load.bodies)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    memory = by_column.memory
    cases = sum(len(pattern.cases) for pattern in memory.patterns.values())
    return (
        f"{load.name}: {cases:,} cases of {len(memory.patterns):,} patterns, "
        f"{len(memory.attributes):,} attributes, {used / (1 << 20):.1f} MiB"
    )


def loads(names: Sequence[str], traces: int) -> list[Load]:
    found = []
    for name in names:
        size = 5 if name == "small" else 800
        shop = Shop(traces, size, distinct=name == "distinct")
        found.append(Load(name, shop.bodies, shop.spans))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.decode", description=__doc__)
    parser.add_argument("--loads", default="shop,distinct,small")
    parser.add_argument("--traces", type=int, default=2000, help="of 10 spans")
    options = parser.parse_args()
    console = Console()
    table = Table(title="µs of CPU a span", title_justify="left")
    table.add_column("step")
    found = loads(options.loads.split(","), options.traces)
    columns = [otlp_steps(load) for load in found]
    for load in found:
        table.add_column(load.name, justify="right")
    for steps in zip(*columns, strict=True):
        table.add_row(steps[0][0], *[f"{value:.2f}" for _, value in steps])
    console.print(table)
    for load in found:
        console.print(remembered(load))


if __name__ == "__main__":
    main()
