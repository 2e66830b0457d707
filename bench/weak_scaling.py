"""What a document costs as cells are added: one, two and four, with as many times the documents.

Each cell is an engine of its own. Batches of X-Ray documents are split by their trace and stored, each cell counts itself
meanwhile, and in the end every bucket is compared with its rows. A share of the documents links to an earlier trace, which any
cell may have. CPU time is that of the engines' processes and of this one (decode, split, counting's Python), by the kernel; a
machine that does little else still gives figures a third apart within an hour, so each is compared with one cell in the same
round, and the medians of several rounds are judged.
Fails unless every document is stored once, no bucket differs, the CPU of a document stays within the bounds of `MOST`, and its
bytes are those of one cell.

    python -m bench.weak_scaling
"""

from __future__ import annotations

import argparse
import gc
import re
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import psutil

from bench.documents import Documents
from bench.recall.rollup_driver import crossing_links
from bench.sections import table
from collector.decode.columnar.documents import decode_columns
from raymap.embedded import EmbeddedClickHouse
from store.cells.store import CellStore
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.migrate import migrate
from store.model import TimeRange
from store.times import MINUTE, SECOND
from tests.waiting import eventually

CELLS = (1, 2, 4)
LINKED = (0.0, 0.1)
MOST = {0.0: 1.25, 0.1: 1.6}
"""How many times the CPU of one cell without links a document may take, by the share with a link."""
BYTES = 0.05
"""By which the bytes of a document may differ."""
INTERVAL = 0.5
"""Seconds between batches, as a collector makes them."""
_ID = re.compile(rb'"id": "([0-9a-f]{16})"').search
SETTLED = 8.0
"""Seconds without documents until all is counted."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a document, in microseconds and bytes."""

    cells: int
    linked: float
    documents: int
    engines: float
    python: float
    bytes: float
    crossing: str

    @property
    def cpu(self) -> float:
        return self.engines + self.python


class Linking:
    """Documents of which some link to a trace of an earlier batch.

    Their trace ids are drawn: those of `Documents` are counted up, and each cell would have some of its templates only.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._source = Documents()
        self._random = Random(7)
        self._earlier: list[tuple[bytes, bytes]] = []
        """Traces of the last batch, with the ids of their documents."""

    def take(self, count: int) -> list[bytes]:
        raws, sent = [], []
        for counted_up, raw in self._source.take(count):
            trace = b"%b%024x" % (counted_up[:11], self._random.getrandbits(96))
            raws.append(self._linked(raw.replace(counted_up, trace)))
            own = _ID(raw)
            assert own
            sent.append((trace, own[1]))
        self._earlier = sent
        return raws

    def _linked(self, raw: bytes) -> bytes:
        if not self._earlier or self._random.random() >= self._share:
            return raw
        link = b'{"trace_id":"%s","id":"%s","attributes":{"aws.xray.reserved.reference_type":"parent"}}'
        return raw[:-1] + b',"links":[' + link % self._random.choice(self._earlier) + b"]}"


@contextmanager
def engines(count: int) -> Iterator[list[EmbeddedClickHouse]]:
    """So many migrated engines."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cells-")))
        started = [stack.enter_context(EmbeddedClickHouse(folder / str(n))) for n in range(count)]
        for engine in started:
            migrate(engine.address, {"retention_days": 30})
        yield started


def measure(cells: int, linked: float, options: argparse.Namespace) -> Cost:
    """Store and count at the rate of so many cells."""
    with engines(cells) as started:
        store = CellStore([engine.address for engine in started], connections=4)
        stop = threading.Event()
        counting = threading.Thread(target=store.run_rollups, args=(stop,))
        counting.start()
        time.sleep(3)
        gc.collect()
        before, own = _engines_cpu(started), time.process_time()
        sent = _send(
            store, Linking(linked), round(options.rate * cells * INTERVAL), options.seconds
        )
        time.sleep(SETTLED)
        cpu, python = _engines_cpu(started) - before, time.process_time() - own
        _check(store, sent)
        stop.set()
        counting.join()
        links, crossing = crossing_links(store)
        size = sum(_bytes(engine) for engine in started)
        store.close()
    scale = 1e6 / sent
    return Cost(
        cells, linked, sent, cpu * scale, python * scale, size / sent, f"{crossing} of {links}"
    )


def _send(store: CellStore, source: Linking, batch: int, seconds: float) -> int:
    begun = time.monotonic()
    sent = 0
    for number in range(round(seconds / INTERVAL)):
        columns, rejected = decode_columns(source.take(batch), time.time_ns() // 1000)
        assert not rejected, rejected[0]
        store.put_encoded([store.encode(columns)], f"batch-{number}")
        sent += batch
        time.sleep(max(0.0, begun + (number + 1) * INTERVAL - time.monotonic()))
    return sent


def _check(store: CellStore, sent: int) -> None:
    """All is stored once, and the map has what the rows have."""
    stored = 0
    for cell in store.cells.stores:
        with cell._asking() as ask:
            stored += ask("SELECT uniqExact(trace_id, id) FROM segments")[0][0]
    now = time.time_ns() // 1000
    window = TimeRange(now - 30 * MINUTE, now + SECOND)

    def equal() -> bool:
        return not any(part.differences for part in store.verify(window))

    eventually(equal, "each bucket equals its rows")
    if stored != sent:
        raise SystemExit(f"{sent} documents sent, {stored} stored")


def _engines_cpu(started: list[EmbeddedClickHouse]) -> float:
    total = 0.0
    for engine in started:
        assert engine.process is not None
        process = psutil.Process(engine.process.pid)
        for each in [process, *process.children(recursive=True)]:
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _bytes(engine: EmbeddedClickHouse) -> int:
    client = connect(engine.address)
    for (name,) in client.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    ):
        client.execute(f"OPTIMIZE TABLE `{name}` FINAL")
    ((size,),) = client.execute(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"
    )
    client.disconnect()
    return int(size)


def main() -> int:
    """Print a line for each measurement, and the medians for each number of cells, without and with links."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cells", type=int, nargs="+", default=CELLS, help="first that to compare with"
    )
    parser.add_argument("--rate", type=int, default=600, help="documents a second and cell")
    parser.add_argument("--seconds", type=float, default=30, help="of each")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    costs: dict[tuple[float, int], list[Cost]] = defaultdict(list)
    for _ in range(options.rounds):
        for linked in LINKED:
            for cells in options.cells:
                cost = measure(cells, linked, options)
                costs[linked, cells].append(cost)
                print(cost, flush=True)
    wrong = False
    lines = []
    first = options.cells[0]
    without_links = costs[LINKED[0], first]
    for (linked, cells), rounds in costs.items():
        times = [cost.cpu / base.cpu for cost, base in zip(rounds, without_links, strict=True)]
        size = _median(rounds, "bytes") / _median(costs[linked, first], "bytes")
        wrong |= median(times) > MOST[linked] or abs(size - 1) > BYTES
        lines.append(
            [
                f"{cells}",
                f"{linked:.0%}",
                rounds[0].crossing,
                f"{rounds[0].documents:,}",
                f"{_median(rounds, 'engines'):.0f}",
                f"{_median(rounds, 'python'):.0f}",
                f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})",
                f"{_median(rounds, 'bytes'):.0f}",
            ]
        )
    head = ["cells", "linked", "links that cross", "documents", "engines, µs", "Python, µs"]
    print("\n".join(table([*head, "times one cell without links", "bytes"], lines)))
    return int(wrong)


def _median(rounds: list[Cost], figure: str) -> float:
    return float(median(getattr(cost, figure) for cost in rounds))


if __name__ == "__main__":
    raise SystemExit(main())
