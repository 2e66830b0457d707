"""A long steady load on a Raymap of its own, with readers: what it takes in, and what that costs.

Offers traces of several services, each over UDP and HTTP, and spans, at a share of the highest sustained rate
(nothing is lost, and a segment is on the map within 15 s), or at a given rate; asks for the map and for traces all the while. Then counts what was sent,
acknowledged and stored, compares the map's counts with what was sent, and runs `raymap verify`.
Fails (exit code 1) when something is lost, counted otherwise, or not answered.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.command_line import add_json_option, add_server_options, write_json
from bench.counting import scrape
from bench.server import WIDTH, Server, running
from bench.soak import report, spans, watch
from bench.soak.long_trace import LENGTH, LongTrace
from bench.soak.reader import FRESH, FRESH_SPAN, Readers
from bench.soak.report import Soak
from bench.soak.sender import Load, Sender
from bench.soak.traces import expected

KERNEL_DROPS = "raymap_udp_kernel_drops_total"
_PATIENCE = 30.0
"""Seconds that nothing more may be stored before the rest counts as lost."""
_LATE = 0.1
"""Share of the time of sending after which all has to be stored, for a rate to hold."""
_FRESH = 15.0
"""Seconds after which a segment has to be on the map, for a rate to hold: a store can take in more than
it can count."""
_BEGINNING = 10.0
"""Seconds of a try in which freshness is not measured."""
_SETTLED = 15.0
"""Seconds after which the map has to count everything that is stored."""


class Bench:
    """One server and its readers."""

    def __init__(
        self, server: Server, options: argparse.Namespace, say: Callable[[str], None]
    ) -> None:
        self._server = server
        self._options = options
        self._born = time.time()
        self._long: LongTrace | None = None
        self._say = say

    def maximum(self) -> float:
        """The highest rate sustained for some seconds: up by a factor, then one rate in between."""
        good, bad, rate = 0.0, 0.0, float(self._options.start)
        while True:
            sustained = self._sustains(rate)
            good, bad = (rate, bad) if sustained else (good, rate)
            if bad:
                break
            rate *= 1.4
        if good == 0.0:
            raise SystemExit(f"not even {self._options.start:,.0f} documents/s hold; see --start")
        middle = (good + bad) / 2
        return middle if self._sustains(middle) else good

    def _sustains(self, rate: float) -> bool:
        """Whether all that is sent at a rate is stored, at that rate and not long after, and soon on
        the map."""
        options, before = self._options, watch.stored(self._server)
        readers = self._readers()
        sender, begun = Sender(self._load(rate)), time.time()
        time.sleep(options.try_seconds)
        sent = sender.stop()
        late = watch.drained(self._server, before + sent.acknowledged_documents, patience=5.0)
        probes = [answer for answer in readers.stop() if answer.kind in (FRESH, FRESH_SPAN)]
        gained = watch.stored(self._server) - before - len(probes)
        fresh = [p.seconds for p in probes if p.at - p.seconds > begun + _BEGINNING]
        why = []
        if gained < sent.acknowledged_documents:
            why.append(f"{sent.acknowledged_documents - gained:,} documents lost")
        if sent.refused:
            why.append(f"{sent.refused:,} refused")
        if sent.sent < 0.97 * rate * sent.seconds:
            why.append(f"only {sent.sent / sent.seconds:,.0f}/s sent")
        if late > _LATE * options.try_seconds:
            why.append(f"the last one stored {late:.1f} s after the last one sent")
        if not fresh or max(fresh) > _FRESH:
            why.append(f"on the map after {', '.join(f'{each:.1f}' for each in fresh)} s")
        self._say(f"tried {rate:,.0f}/s: {', '.join(why) or 'sustained'}")
        return not why

    def _load(self, rate: float) -> Load:
        options, server = self._options, self._server
        per_call, connections = options.documents_per_call, options.connections
        return Load(
            server.http,
            server.udp,
            server.grpc,
            rate,
            options.otlp_share,
            options.http_share,
            connections,
            per_call,
        )

    def _readers(self) -> Readers:
        server, options = self._server, self._options
        return Readers(server.http, server.udp, options.readers, options.pause)

    def soak(self, soak: Soak) -> Iterator[watch.Sample]:
        """The load itself, sample by sample; all samples are recorded in the soak."""
        server, length = self._server, self._options.minutes * 60
        drops, before = self._kernel_drops(), watch.stored(server)
        readers = self._readers()
        # In another minute than what was tried before, since a map may take long minutes whole; and a
        # document starts up to a second before it is sent.
        time.sleep(63.0 - time.time() % 60.0)
        soak.begun = math.floor(time.time())
        sender = Sender(self._load(soak.rate))
        if calls := self._options.long_trace:
            self._long = LongTrace(server.http, calls, length)
        begun = time.monotonic()
        every = min(5.0, length / 60)
        while (passed := time.monotonic() - begun) < length:
            soak.samples.append(watch.sample(server, passed, sender.progress()))
            readers.answers()  # a pipe that is full would stop them
            yield soak.samples[-1]
            time.sleep(max(0.0, begun + len(soak.samples) * every - time.monotonic()))
        soak.sent = sender.stop()
        if self._long:
            self._long.end()
        soak.answers = [answer for answer in readers.stop() if answer.at > soak.begun]
        probes = sum(answer.kind in (FRESH, FRESH_SPAN) for answer in soak.answers)
        more = probes + (self._long.sent if self._long else 0)
        soak.drained = watch.drained(
            server, before + soak.sent.acknowledged_documents + more, _PATIENCE
        )
        soak.kernel_drops = self._kernel_drops() - drops

    def judge(self, soak: Soak) -> None:
        """Count, compare, verify."""
        soak.stored = watch.stored_rows(self._server, soak.begun)
        deadline = time.monotonic() + _SETTLED
        total = expected(list(soak.sent.used))
        if soak.sent.spans:
            more = spans.expected(soak.sent.spans)
            total.nodes.update(more.nodes)
            total.edges.update(more.edges)
        while True:
            soak.differences = watch.differences(self._server, total, soak.begun - 2, time.time())
            if self._long:
                soak.differences += self._long.differences(self._server)
            if not soak.differences or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        soak.rounds = watch.rounds(self._server)
        began = self._born - (LENGTH if self._long else 0)
        soak.verified = watch.verify(self._server, began, time.time())

    def _kernel_drops(self) -> int:
        return round(scrape(self._server).get(KERNEL_DROPS, 0.0))


def _print(console: Console, soak: Soak) -> None:
    for head, body in (
        (("", ""), report.rows(soak)),
        (("query", "times", "failed", "p50", "p95", "p99"), report.questions(soak)),
        (("process", "MiB early", "at the end", "at most", "cores"), report.processes(soak)),
    ):
        table = Table()
        for column in head:
            table.add_column(column, justify="right")
        for row in body:
            table.add_row(*row)
        console.print(table)
    if soak.verified is not None:
        console.print(soak.verified.said, markup=False)
    for failure in soak.failures:
        console.print(failure, style="red")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--share", type=float, default=0.6, help="of the highest sustained rate")
    parser.add_argument("--rate", type=float, help="documents/s, instead of a share")
    parser.add_argument("--start", type=float, default=2000.0, help="first rate that is tried")
    parser.add_argument("--try-seconds", type=float, default=45.0, help="of each rate")
    parser.add_argument("--otlp-share", type=float, default=0.0, help="are spans with random ids")
    parser.add_argument(
        "--http-share", type=float, default=0.3, help="of the others; the rest are datagrams"
    )
    parser.add_argument("--connections", type=int, default=32, help="HTTP connections")
    parser.add_argument("--documents-per-call", type=int, default=50, help="of PutTraceSegments")
    parser.add_argument(
        "--long-trace", type=int, default=0, help="calls of a trace of three hours beside it"
    )
    parser.add_argument("--readers", type=int, default=1, help="processes that ask")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between their rounds")
    parser.add_argument("--docs", type=Path, help="documentation folder to write the results to")
    add_json_option(parser)
    add_server_options(parser)
    return parser.parse_args()


def main() -> int:
    options = parse()
    console = Console(width=WIDTH)
    command = "python -m bench.soak " + shlex.join(sys.argv[1:])
    with running(options.options, options.log) as server:
        bench = Bench(server, options, console.print)
        maximum = None if options.rate else bench.maximum()
        rate = options.rate or options.share * (maximum or 0.0)
        soak = Soak(command, rate, maximum, time.time())
        console.print(f"{next(report.rows(soak))[1]}, for {options.minutes:g} minutes")
        for number, sample in enumerate(bench.soak(soak)):
            if number % 12 == 0:
                rss = {name: round(size / report.MIB) for name, size in sample.rss.items()}
                console.print(f"{sample.at:6.0f} s  stored {sample.stored:,}  MiB {rss}")
        bench.judge(soak)
    _print(console, soak)
    write_json(options.json, soak)
    if options.docs:
        report.write(soak, options.docs)
    return 1 if soak.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
