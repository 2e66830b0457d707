"""The ingest pipeline beside its floors, in one run: what each step costs alone, what the whole
makes of a pool of ready documents, the least that stores something in its place, and each receiver.

Ratios are what counts: the machine, its neighbours and the documents are the same for all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from bench import floors
from bench.counting import StoredDocuments, scrape
from bench.documents import mean_size
from bench.receivers import AS_FAST_AS_IT_GOES, Offer, send
from bench.server import WIDTH, Server, running
from bench.workers import PLAIN_TABLES, work
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.migrate import migrate

MIB = 1 << 20
KERNEL_DROPS = "raymap_udp_kernel_drops_total"


@dataclass(frozen=True, slots=True)
class Run:
    """Documents through a whole pipeline."""

    name: str
    workers: int
    per_second: float
    """Until the last one was stored."""
    sent: int
    stored: int
    cores: dict[str, float]
    """By role, on average."""
    rss_mib: dict[str, float]
    """By role, of the largest process, at its highest where that is known."""
    note: str = ""

    @property
    def lost(self) -> int:
        return self.sent - self.stored


@contextmanager
def engine() -> Iterator[tuple[Address, psutil.Process]]:
    """A ClickHouse of its own, with our schema, and the plain one's."""
    with (
        tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder,
        EmbeddedClickHouse(Path(folder), memory_bytes=4 << 30) as started,
    ):
        assert started.process is not None
        migrate(started.address, {"retention_days": 30})
        client = connect(started.address)
        for statement in PLAIN_TABLES:
            client.execute(statement)
        client.disconnect()
        yield started.address, psutil.Process(started.process.pid)


def from_pool(kind: str, workers: int, seconds: float) -> Run:
    """Worker processes with their own documents: no transport."""
    with engine() as (address, server):
        before = server.cpu_times()
        results = work(kind, address, workers, seconds)
        after = server.cpu_times()
        took = max(result.seconds for result in results)
        sent = sum(result.documents for result in results)
        client = connect(address)
        count = "uniqExact(trace_id, id) FROM segments"
        if kind == "plain":
            count = "uniqExact(trace_id, id) FROM plain WHERE kind = 1"
        ((stored,),) = client.execute(f"SELECT {count}")
        client.disconnect()
        return Run(
            kind,
            workers,
            sent / took,
            sent,
            int(stored),
            {
                "workers": sum(result.cpu_seconds for result in results) / took,
                "clickhouse": (after.user + after.system - before.user - before.system) / took,
            },
            {
                "worker": max(result.rss_bytes for result in results) / MIB,
                "clickhouse": server.memory_info().rss / MIB,
            },
        )


def through_receiver(server: Server, stored: StoredDocuments, receiver: str, offer: Offer) -> Run:
    """A whole `raymap serve`, with senders beside it."""
    before, drops = stored.count(), scrape(server).get(KERNEL_DROPS, 0.0)
    used, begun = server.usage(), time.monotonic()
    sent = send(receiver, offer)
    gained = stored.settled(before + sent.acknowledged) - before
    took = time.monotonic() - begun
    later = server.usage()
    dropped = scrape(server).get(KERNEL_DROPS, 0.0) - drops
    return Run(
        receiver,
        len(server.processes("collect")),
        gained / max(sent.seconds, took),
        sent.acknowledged,
        gained,
        {role: (later[role].cpu_seconds - used[role].cpu_seconds) / took for role in used},
        {role: max(_rss(server, role), default=0.0) for role in ("collect", "api", "clickhouse")},
        f"{dropped:.0f} kernel drops" if receiver == "udp" else f"{sent.refused} refused",
    )


def _rss(server: Server, role: str) -> list[float]:
    return [process.memory_info().rss / MIB for process in server.processes(role)]


def _print_floors(console: Console, found: list[floors.Floor]) -> None:
    table = Table(title="steps alone, one process", title_justify="left")
    for column in ("step", "µs a document", "documents/s a core", "ClickHouse, µs"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for floor in found:
        server = f"{floor.server:.1f}" if floor.server else ""
        table.add_row(floor.step, f"{floor.client:.2f}", f"{floor.per_second:,.0f}", server)
    console.print(table)


def _print_runs(console: Console, title: str, runs: list[Run], base: float) -> None:
    table = Table(title=title, title_justify="left")
    for column in ("", "workers", "documents/s", "of plain", "sent", "lost", "cores", "MiB", ""):
        table.add_column(column, justify="right")
    for run in runs:
        table.add_row(
            run.name,
            str(run.workers),
            f"{run.per_second:,.0f}",
            f"{run.per_second / base:.2f}" if base else "–",
            f"{run.sent:,}",
            f"{run.lost:,}",
            "  ".join(f"{role} {value:.2f}" for role, value in run.cores.items()),
            "  ".join(f"{role} {value:.0f}" for role, value in run.rss_mib.items()),
            run.note,
            style="red" if run.lost else None,
        )
    console.print(table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run")
    parser.add_argument("--rounds", type=int, default=3, help="plain and ours in turn")
    parser.add_argument("--workers", default="2", help="counts to try, such as 1,2,3")
    parser.add_argument(
        "--receivers", default="udp,http,grpc", help="of udp, http, grpc; may be empty"
    )
    parser.add_argument("--udp-rate", type=float, default=30_000.0, help="datagrams a second")
    parser.add_argument("--skip", default="", help="of floors, pool")
    parser.add_argument("--json", type=Path, help="write everything here as well")
    parser.add_argument("options", nargs="*", help="further options of raymap serve, after --")
    return parser.parse_args()


def main() -> None:
    options = parse()
    console = Console(width=WIDTH)
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"load {os.getloadavg()[0]:.1f}; documents {mean_size():.0f} B"
    )
    found: list[floors.Floor] = []
    runs: list[Run] = []
    if "floors" not in options.skip:
        found = list(floors.decoding())
        with engine() as (address, server):
            found += floors.inserting(address, server)
        _print_floors(console, found)
    base = 0.0
    if "pool" not in options.skip:
        runs = [
            from_pool(kind, workers, options.seconds)
            for _ in range(options.rounds)
            for workers in map(int, options.workers.split(","))
            for kind in ("plain", "ours")
        ]
        base = max(_median(runs, "plain", workers) for workers in {run.workers for run in runs})
        _print_runs(console, "from a pool, in turn; no transport", runs, base)
        for workers in sorted({run.workers for run in runs}):
            plain, ours = _median(runs, "plain", workers), _median(runs, "ours", workers)
            console.print(
                f"{workers} workers, medians: plain {plain:,.0f}/s, ours {ours:,.0f}/s, "
                f"ratio {ours / plain:.2f}"
            )
    through: list[Run] = []
    for receiver in filter(None, options.receivers.split(",")):
        with running(options.options) as server:
            through.append(
                through_receiver(
                    server, StoredDocuments(server), receiver, _offer(server, receiver, options)
                )
            )
    if through:
        _print_runs(console, "through the receivers of raymap serve", through, base)
    if options.json:
        everything = {
            "floors": [asdict(floor) for floor in found],
            "runs": [asdict(run) for run in [*runs, *through]],
        }
        options.json.write_text(json.dumps(everything, indent=1))


def _median(runs: list[Run], kind: str, workers: int) -> float:
    return median([r.per_second for r in runs if r.name == kind and r.workers == workers])


def _offer(server: Server, receiver: str, options: argparse.Namespace) -> Offer:
    """UDP at a rate, as it has no responses; the others as fast as they are answered."""
    common = (server.http, server.udp)
    if receiver == "udp":
        return Offer(*common, options.udp_rate, options.seconds, connections=8, senders=2)
    return Offer(
        *common,
        AS_FAST_AS_IT_GOES,
        options.seconds,
        connections=16,
        documents_per_call=250 if receiver == "grpc" else 50,
        senders=2,
        grpc=server.grpc,
    )


if __name__ == "__main__":
    main()
