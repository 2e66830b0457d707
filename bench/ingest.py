"""How many documents a second Raymap takes in without losing one, through UDP and through HTTP.

Starts a Raymap of its own, offers documents at growing rates from separate sender processes, and
counts what is stored. A rate is sustained when every document sent is stored and, through HTTP, every
call was answered 200 in time. Prints a table per receiver, start-up time, and memory and CPU by process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.command_line import add_climb_options, add_json_option, add_server_options, write_json
from bench.counting import STORED_METRIC, StoredDocuments, scrape
from bench.documents import mean_size
from bench.receivers import Offer, Sent, send
from bench.server import WIDTH, Server, Usage, running

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """One rate, tried for some seconds."""

    receiver: str
    offered: float
    sent: float
    acknowledged: float
    stored: float
    lost: int
    refused: int
    drained_seconds: float
    metric: float | None
    cpu: dict[str, float]
    rss_mib: dict[str, float]

    @property
    def sustained(self) -> bool:
        return self.lost == 0 and self.refused == 0 and self.acknowledged >= 0.97 * self.offered


class Bench:
    def __init__(self, server: Server, options: argparse.Namespace) -> None:
        self._server = server
        self._options = options
        self._stored = StoredDocuments(server)

    def climb(self, receiver: str) -> Iterator[Step]:
        """Rates by a factor until one fails, then between the last good and the first bad."""
        until = time.monotonic() + self._options.limit
        good, bad = 0.0, 0.0
        rate, refinements = self._options.start, self._options.refine
        while time.monotonic() < until and refinements >= 0 and rate <= self._options.stop:
            step = self.attempt(receiver, rate)
            yield step
            good, bad = (rate, bad) if step.sustained else (good, rate)
            if bad:
                refinements -= 1
            rate = (good + bad) / 2 if bad else rate * self._options.factor

    def attempt(self, receiver: str, rate: float) -> Step:
        offer = Offer(
            self._server.http,
            self._server.udp,
            rate,
            self._options.seconds,
            self._options.connections,
            self._options.documents_per_call,
            self._options.senders,
            self._server.grpc,
        )
        stored, metric = self._stored.count(), self._metric()
        used, begun = self._server.usage(), time.monotonic()
        sent = send(receiver, offer)
        offered_until = time.monotonic()
        gained = self._stored.settled(stored + sent.acknowledged) - stored
        drained = time.monotonic()
        later = self._server.usage()
        after = self._metric()
        counted = None if metric is None or after is None else after - metric
        cpu = _cpu(used, later, drained - begun)
        rss = {role: usage.rss_bytes / MIB for role, usage in later.items()}
        return _step(receiver, rate, sent, gained, drained - offered_until, counted, cpu, rss)

    def _metric(self) -> float | None:
        """Absent from a server that names it otherwise: the table then shows a dash."""
        return scrape(self._server).get(STORED_METRIC)


def _step(
    receiver: str,
    rate: float,
    sent: Sent,
    gained: int,
    drained: float,
    metric: float | None,
    cpu: dict[str, float],
    rss: dict[str, float],
) -> Step:
    return Step(
        receiver,
        rate,
        sent.sent / sent.seconds,
        sent.acknowledged / sent.seconds,
        gained / sent.seconds,
        max(0, sent.acknowledged - gained),
        sent.refused,
        drained,
        metric,
        cpu,
        rss,
    )


def _cpu(before: dict[str, Usage], after: dict[str, Usage], seconds: float) -> dict[str, float]:
    """Cores used by each role, on average."""
    return {
        role: (usage.cpu_seconds - before.get(role, Usage(0.0, 0)).cpu_seconds) / seconds
        for role, usage in after.items()
    }


def _print(console: Console, receiver: str, steps: list[Step]) -> None:
    columns = [
        "offered/s",
        "sent/s",
        "ack'd/s",
        "stored/s",
        "lost",
        "refused",
        "drain",
        "metric",
        "cores",
        "MiB",
    ]
    table = Table(title=f"through {receiver}")
    for column in columns:
        table.add_column(column, justify="right")
    for step in steps:
        metric = "–" if step.metric is None else f"{step.metric:,.0f}"
        rates = (step.offered, step.sent, step.acknowledged, step.stored, step.lost, step.refused)
        table.add_row(
            *(f"{value:,.0f}" for value in rates),
            f"{step.drained_seconds:.1f} s",
            metric,
            "  ".join(f"{role} {value:.2f}" for role, value in step.cpu.items()),
            "  ".join(f"{role} {value:.0f}" for role, value in step.rss_mib.items()),
            style="green" if step.sustained else "red",
        )
    console.print(table)
    sustained_rates = [step.offered for step in steps if step.sustained]
    best = (
        f"{max(sustained_rates):,.0f} documents/s" if sustained_rates else "no rate that was tried"
    )
    console.print(f"highest rate without loss through {receiver}: {best}\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("--receivers", default="udp,http", help="of udp, http, grpc")
    parser.add_argument("--senders", type=int, default=2, help="processes that send")
    parser.add_argument("--connections", type=int, default=16, help="of each of them")
    parser.add_argument("--documents-per-call", type=int, default=50, help="through HTTP and gRPC")
    add_climb_options(parser, start=1000.0, stop=200_000.0)
    add_json_option(parser)
    add_server_options(parser)
    return parser.parse_args()


def main() -> None:
    options = parse()
    console = Console(width=WIDTH)
    figures: list[Step] = []
    with running(options.options, options.log) as server:
        console.print(f"ready after {server.seconds_to_ready:.2f} s; documents {mean_size():.0f} B")
        time.sleep(3.0)
        idle = {role: round(usage.rss_bytes / MIB) for role, usage in server.usage().items()}
        console.print(f"idle, MiB: {idle}, together {sum(idle.values())}\n")
        bench = Bench(server, options)
        for receiver in options.receivers.split(","):
            steps = list(bench.climb(receiver))
            figures += steps
            _print(console, receiver, steps)
    write_json(options.json, figures)


if __name__ == "__main__":
    main()
