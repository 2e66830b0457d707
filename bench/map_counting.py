"""What counting the map costs while documents arrive: CPU of ClickHouse, and how often rows are counted.

Documents of two shapes (`bench.scale.shapes`: trace ids with an epoch, random trace ids) are inserted as
if so many arrived a second, and after every few seconds of traffic everything that is due is counted. The
clock of the traffic is not the machine's: a busy machine changes no figure but the seconds that a round
took. Ends with the comparison of each bucket after its inserts have settled.

    python -m bench.map_counting --rate 10000 --seconds 60
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
from clickhouse_driver import Client

from bench.scale.generate import SETTINGS, DataSet, statements
from bench.scale.shapes import SHAPES
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import COUNT_LIMITS, Rows, Statement, execute
from store.clickhouse.rollup import worker
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore

SETTLED = 64.0
"""Seconds until all that was inserted is compared once more."""


def main() -> int:
    """Print the figures of both shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="documents a second")
    parser.add_argument("--seconds", type=int, default=60, help="seconds of traffic")
    parser.add_argument("--every", type=int, default=2, help="seconds of traffic between rounds")
    parser.add_argument("--shape", choices=[*SHAPES], action="append", help="default: all")
    parser.add_argument("--statements", type=int, default=0, help="list so many, slowest first")
    options = parser.parse_args()
    for shape in options.shape or [*SHAPES]:
        with tempfile.TemporaryDirectory(prefix="map-counting-") as folder:
            measure(shape, options, Path(folder))
    return 0


def measure(shape: str, options: argparse.Namespace, folder: Path) -> None:
    """Insert and count in turn, in an engine of its own."""
    traces = options.rate // SHAPES[shape].segments
    rows = traces * options.seconds * SHAPES[shape].rows
    data = DataSet(shape, rows, options.seconds / 3600)
    with EmbeddedClickHouse(folder) as engine:
        assert engine.process is not None
        migrate(engine.address, {"retention_days": 10_000})
        client = connect(engine.address)
        counting = Counting(client, psutil.Process(engine.process.pid))
        for second in range(options.seconds):
            for _, statement in statements(data, second * traces, traces):
                client.execute(statement, settings=SETTINGS)
            if (second + 1) % options.every == 0:
                counting.round()
        arriving = counting.cpu
        time.sleep(SETTLED)
        counting.round()
        documents = traces * options.seconds * SHAPES[shape].segments
        print(
            f"{shape}, {options.rate:,} documents/s, {options.seconds} s, a round every {options.every} s: "
            f"counting {counting.cpu / documents * 1e6:.1f} us of CPU a document "
            f"({arriving / documents * 1e6:.1f} while they arrive, the rest is the last comparison); "
            f"{counting.statements / counting.rounds:.0f} statements a round, longest round {counting.longest:.1f} s"
        )
        for text, seconds in sorted(counting.times.items(), key=lambda each: -each[1])[
            : options.statements
        ]:
            print(f"  {seconds:7.2f} s  {text}")
        store = ClickHouseStore(engine.address)
        wrong = [each for part in store.verify(data.window) for each in part.differences]
        print(f"  differences between map and rows: {len(wrong)}", flush=True)
        store.close()
        client.disconnect()


class Counting:
    """Rounds of a rollup worker, and what they took of the engine's process."""

    def __init__(self, client: Client, process: psutil.Process) -> None:
        self._process = process
        self._run: Callable[[Statement], Rows] = partial(execute, client, settings=COUNT_LIMITS)
        self._worker = worker.RollupWorker()
        self._worker.alone = False
        worker.TICK = 0.0  # or a round of just now seems to be another process's
        self.cpu: float = 0.0
        self.longest: float = 0.0
        self.rounds = self.statements = 0
        self.times: defaultdict[str, float] = defaultdict(float)

    def round(self) -> None:
        """Count all that is due."""
        before, begun = self._seconds(), time.monotonic()
        self._worker.tick(self._timed)
        self.cpu += self._seconds() - before
        self.longest = max(self.longest, time.monotonic() - begun)
        self.rounds += 1

    def _timed(self, statement: Statement) -> Rows:
        begun = time.monotonic()
        rows = self._run(statement)
        self.statements += 1
        text = statement if isinstance(statement, str) else statement.text
        self.times[" ".join(text.split())[:90]] += time.monotonic() - begun
        return rows

    def _seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


if __name__ == "__main__":
    raise SystemExit(main())
