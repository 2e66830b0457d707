"""Raymap beside other systems: the same spans over the same connections, one system after the other."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.command_line import add_json_option, write_json
from bench.peers.backends import Raymap, jaeger, otelcol, raymap, raymap_kafka, zipkin
from bench.peers.load import Offer, Sent, send
from bench.peers.system import System, cpu_seconds, highest, resident, settle, size_of
from bench.receivers import apart_all
from bench.server import WIDTH

PEERS: dict[str, Callable[[Path], AbstractContextManager[System]]] = {
    "otelcol": otelcol,
    "jaeger": jaeger,
    "zipkin": zipkin,
    "raymap-kafka": raymap_kafka,
}


@dataclass(frozen=True, slots=True)
class Result:
    """One system, one load. Bytes of disk a span, CPU-seconds a million spans."""

    system: str
    spans: int
    lost: int
    acknowledged_rate: float
    readable_rate: float
    cpu: dict[str, float]
    rss_peak: float
    idle: float
    disk_live: float
    disk: float
    disk_peak: float
    p50: float
    p99: float
    durable: str
    errors: dict[str, int]


def measure(system: System, offer: Offer, old_parts: float) -> Result:
    """Offer the load, wait until everything can be read and the system is quiet."""
    settle(system, 30.0)
    idle, used, begun = resident(system), cpu_seconds(system), time.monotonic()
    empty = size_of(system.folder)
    with (
        highest(lambda: resident(system)) as rss,
        highest(lambda: size_of(system.folder) - empty) as disk,
    ):
        (sent,) = apart_all(send, [offer])  # type: ignore[arg-type]
        assert isinstance(sent, Sent)
        acknowledged = time.monotonic() - begun
        readable = wait_until_readable(system, sent)
        took = time.monotonic() - begun
        settle(system)
        later = cpu_seconds(system)
    distinct = system.distinct()
    readable = readable if distinct is None else min(distinct, sent.acknowledged)
    live = system.live_bytes()
    if old_parts:
        time.sleep(old_parts)
    spans = sent.acknowledged
    return Result(
        system.name,
        spans,
        spans - readable,
        spans / min(sent.seconds, acknowledged),
        spans / (took - (acknowledged - sent.seconds)),
        {role: (later[role] - used.get(role, 0.0)) * 1e6 / spans for role in later},
        rss(),
        idle,
        float("nan") if live is None else live / spans,
        (size_of(system.folder) - empty) / spans,
        disk() / spans,
        sent.latency(50),
        sent.latency(99),
        system.durable,
        sent.errors,
    )


def wait_until_readable(system: System, sent: Sent, patience: float = 120.0) -> int:
    """The number of spans that can be read, or as many as the sampled traces say."""
    deadline, count = time.monotonic() + patience, 0
    while time.monotonic() < deadline:
        readable = system.readable(sent.trace_ids)
        if readable is None:
            found = sum(map(system.found, sent.trace_ids[::5]))
            readable = sent.acknowledged * found // (10 * len(sent.trace_ids[::5]))
        if (count := readable) >= sent.acknowledged:
            break
        time.sleep(0.3)
    return min(count, sent.acknowledged)


@contextmanager
def started(name: str, tools: Path) -> Iterator[System]:
    """A system of this name, from what build.sh has put into ``tools``."""
    if name == "raymap":
        with raymap() as system:
            yield system
    else:
        with PEERS[name](tools) as peer:
            yield peer


def print_results(console: Console, results: list[Result]) -> None:
    table = Table(title="the same load, in turn", title_justify="left")
    names = "system,spans,lost,ack'd/s,readable/s,CPU-s/M,by process,MB idle,MB peak,disk B/span: live,settled,peak,ack p50 ms,p99,an ack means"
    for column in names.split(","):
        table.add_column(column, justify="right")
    for each in results:
        by_role: dict[str, float] = {}
        for role, seconds in each.cpu.items():
            by_role[role.split()[0]] = by_role.get(role.split()[0], 0.0) + seconds
        figures = (each.acknowledged_rate, each.readable_rate, sum(each.cpu.values()))
        sizes = (each.idle, each.rss_peak, each.disk_live, each.disk, each.disk_peak)
        table.add_row(
            each.system,
            f"{each.spans:,}",
            f"{each.lost:,}",
            *(f"{value:,.0f}" for value in figures),
            "  ".join(f"{role} {value:.1f}" for role, value in by_role.items()),
            *(f"{value:,.0f}" for value in sizes),
            f"{each.p50:,.0f}",
            f"{each.p99:,.0f}",
            each.durable,
            style="red" if each.lost else None,
        )
    console.print(table)
    for each in results:
        if each.errors:
            console.print(f"{each.system}: {each.errors}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--systems", default="raymap", help=f"of raymap, {', '.join(PEERS)}")
    parser.add_argument("--spans", type=int, default=300_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0, help="spans a second; 0: no limit")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tools", type=Path, default=Path(".peers"))
    parser.add_argument(
        "--old-parts", type=float, default=0.0, help="seconds to wait before `settled` is read"
    )
    add_json_option(parser)
    options = parser.parse_args()
    console = Console(width=WIDTH)
    results = []
    for _ in range(options.rounds):
        for name in options.systems.split(","):
            with started(name, options.tools) as system:
                offer = Offer(
                    system.target,
                    options.spans,
                    options.connections,
                    options.rate,
                    protocol=system.protocol,
                )
                results.append(measure(system, offer, options.old_parts))
                if isinstance(system, Raymap):
                    spans = max(1, results[-1].spans)
                    sizes = sorted(system.by_table().items(), key=lambda item: -item[1])
                    console.print({t: round(size / spans, 1) for t, size in sizes})
    print_results(console, results)
    write_json(options.json, results)


if __name__ == "__main__":
    main()
