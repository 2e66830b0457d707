"""The fault table: what is broken, and whether everything acknowledged is found and counted once.

The rows are those of tests/faults, with more load. `--outage` adds a real outage of that many
seconds under as much load as the machine takes, with the collector's memory once a second.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.documents import Documents
from bench.receivers import Poster
from bench.server import WIDTH
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from tests.faults.rig import Load, Process, Rig, Row, requests
from tests.faults.rows import FAULTS
from tests.waiting import eventually

MIB = 1 << 20
CONNECTIONS = 4
"""Of each sending process."""
PER_CALL = 400
"""Documents a call under full load: senders wait for each answer."""
HEAVY = Load(
    connections=8,
    documents_per_call=50,
    pause=0.0,
    some=5_000,
    seconds=2.0,
    away=10.0,
    slow_insert=2.0,
)


@dataclass
class Outage:
    """ClickHouse gone for a while under load: what came of it."""

    how: str
    row: Row
    rates: dict[str, float] = field(default_factory=dict)
    rss: list[tuple[str, int]] = field(default_factory=list)
    """The collector's resident bytes, once a second, with the stage."""
    journaled: int = 0
    log_lines: int = 0


@dataclass(slots=True)
class Flood:
    """Processes that post as fast as they are answered, and repeat what is not acknowledged."""

    service: str
    sent: Synchronized[int]
    acknowledged: Synchronized[int]
    deferred: Synchronized[int]


def _send(http: str, flood: Flood, stop: Event, per_call: int, rate: float) -> None:
    """One process: connections that wait for their answers at the same time."""
    arguments = (http, flood, stop, per_call, rate / CONNECTIONS)
    threads = [threading.Thread(target=_post, args=arguments) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _post(http: str, flood: Flood, stop: Event, per_call: int, rate: float) -> None:
    poster = Poster(http)
    source = Documents(flood.service, escaped=True)
    due = time.monotonic()
    while not stop.is_set():
        batch = [source.next()[1] for _ in range(per_call)]
        _add(flood.sent, per_call)
        while poster.post(batch) != set():
            _add(flood.deferred, 1)
            time.sleep(0.1)
        _add(flood.acknowledged, per_call)
        if rate:
            due = max(due + per_call / rate, time.monotonic() - 1.0)
            time.sleep(max(0.0, due - time.monotonic()))


def _add(number: Synchronized[int], more: int) -> None:
    with number.get_lock():
        number.value += more


@contextmanager
def flooding(http: str, senders: int, per_call: int, rate: float) -> Iterator[Flood]:
    """Until the block ends; then what is under way is still acknowledged."""
    context = multiprocessing.get_context("spawn")
    numbers = [context.Value("q", 0) for _ in range(3)]
    flood = Flood(f"flood-{time.time_ns()}", *numbers)
    stop = context.Event()
    share = rate / senders
    processes = [
        context.Process(target=_send, args=(http, flood, stop, per_call, share), daemon=True)
        for _ in range(senders)
    ]
    for process in processes:
        process.start()
    try:
        yield flood
    finally:
        stop.set()
        for process in processes:
            process.join(60)
            process.terminate()  # in vain when it has ended


def outage(rig: Rig, how: str, seconds: float, senders: int, rate: float) -> Outage:
    """`stop`: SIGSTOP and SIGCONT; `away`: ended and started again."""
    result = Outage(how, Row(f"ClickHouse {how} {seconds:.0f} s"))
    collector = rig.start(result.row.fault)
    stage, ended = ["before"], threading.Event()
    watch = threading.Thread(target=_watch, args=(collector, stage, ended, result), daemon=True)
    watch.start()
    begun = time.time()
    warm = 20.0
    with flooding(f"http://{collector.http}", senders, PER_CALL, rate) as flood:
        eventually(lambda: flood.acknowledged.value > 0, seconds=60)
        time.sleep(warm)
        _stage(result, stage, "outage", flood, warm)
        if how == "stop":
            os.kill(rig.engine_pid, signal.SIGSTOP)
        else:
            rig.engine.stop()
        time.sleep(seconds)
        said = collector.ready()
        assert not said["store_available"], said
        result.row.notes["readyz"] = f"{said['status']} {said['problems']}"
        result.journaled = int(collector.metric("raymap_journal_bytes"))
        _stage(result, stage, "back", flood, seconds)
        back = time.monotonic()
        if how == "stop":
            os.kill(rig.engine_pid, signal.SIGCONT)
        else:
            rig.restart_engine()
        time.sleep(warm)
        _stage(result, stage, "drain", flood, warm)
    eventually(lambda: not rig.waiting(result.row.fault), seconds=3600)
    result.row.back_after = time.monotonic() - back
    ended.set()
    watch.join()
    result.log_lines = len(collector.log().splitlines())
    _count(rig, result.row, flood, begun)
    return result


def _watch(collector: Process, stage: list[str], ended: threading.Event, result: Outage) -> None:
    while not ended.wait(1.0):
        result.rss.append((stage[0], collector.rss()))


def _stage(result: Outage, stage: list[str], following: str, flood: Flood, seconds: float) -> None:
    done = int(flood.acknowledged.value)
    before = result.row.acknowledged
    result.rates[stage[0]] = (done - before) / seconds
    result.row.acknowledged = done
    stage[0] = following


def _count(rig: Rig, row: Row, flood: Flood, begun: float) -> None:
    """By numbers alone: everything sent was acknowledged in the end, so all of it must be there."""
    row.sent, row.acknowledged = int(flood.sent.value), int(flood.acknowledged.value)
    row.deferred = int(flood.deferred.value)
    ours = f"SELECT trace_id, id FROM segments WHERE name = '{flood.service}' AND independent = 0"
    client = connect(rig.address)
    ((row.found,),) = client.execute(
        f"SELECT uniqExact(trace_id, id) FROM segments WHERE (trace_id, id) IN ({ours})"
    )
    ((times,),) = client.execute(
        f"SELECT sum(revision) FROM traces WHERE trace_id IN (SELECT trace_id FROM ({ours}))"
    )
    client.disconnect()
    row.missing = row.acknowledged - row.found
    row.received_twice = 0 if row.deferred else int(times) - row.found
    store = ClickHouseStore(rig.address, connections=1)
    row.counted = row.called = requests(store, begun)[flood.service]
    store.close()


def show(console: Console, rows: Sequence[Row]) -> None:
    table = Table(title="acknowledged means stored, and counted once")
    names = (
        "sent",
        "ack'd",
        "found",
        "missing",
        "counted",
        "called",
        "counted twice",
        "arrived twice",
    )
    for column in ("fault", *names, "refused calls", "all in store after", ""):
        table.add_column(column, justify="left" if column in ("fault", "") else "right")
    for row in rows:
        figures = (row.sent, row.acknowledged, row.found, row.missing, row.counted, row.called)
        more = (row.twice, row.received_twice, row.deferred)
        cells = [f"{figure:,}" for figure in (*figures, *more)]
        after = "" if row.back_after is None else f"{row.back_after:.2f} s"
        notes = "; ".join(row.notes.values())
        table.add_row(row.fault, *cells, after, notes, style="green" if row.passed else "red")
    console.print(table)


def show_outage(console: Console, outage: Outage) -> None:
    table = Table(title=f"{outage.row.fault}: the collector under load")
    for column in ("stage", "ack'd/s", "RSS MiB: least", "median", "most"):
        table.add_column(column, justify="right")
    for stage in dict.fromkeys(stage for stage, _ in outage.rss):
        sizes = [size / MIB for at, size in outage.rss if at == stage]
        rate = outage.rates.get(stage)
        figures = (min(sizes), statistics.median(sizes), max(sizes))
        rated = "" if rate is None else f"{rate:,.0f}"
        table.add_row(stage, rated, *(f"{figure:.0f}" for figure in figures))
    console.print(table)
    sizes = [size / MIB for stage, size in outage.rss if stage == "outage"]
    each = max(1, len(sizes) // 10)
    tenths = [statistics.median(sizes[at : at + each]) for at in range(0, len(sizes), each)]
    console.print("RSS over the outage, MiB, by tenths: " + " ".join(f"{t:.0f}" for t in tenths))
    console.print(
        f"in the journal {outage.journaled / MIB:,.0f} MiB; {outage.log_lines} lines of log"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--faults", help="only these, with commas; '-' for none")
    parser.add_argument("--outage", type=float, default=0.0, help="seconds of a real outage")
    parser.add_argument(
        "--how", choices=("stop", "kill"), default="stop", help="SIGSTOP, or terminated"
    )
    parser.add_argument("--senders", type=int, default=4, help="processes that post")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="documents/s offered; 0: all it takes"
    )
    parser.add_argument("--light", action="store_true", help="the load of the tests")
    parser.add_argument("--folder", type=Path, help="where everything lies; else a temporary one")
    return parser.parse_args()


def main() -> int:
    options = parse()
    console = Console(width=WIDTH)
    chosen = list(FAULTS) if options.faults is None else options.faults.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="raymap-faults-", dir=options.folder) as folder:
        rig = Rig(Path(folder))
        try:
            for fault in chosen:
                if fault != "-":
                    rows.append(FAULTS[fault](rig, Load() if options.light else HEAVY))
                    console.print(rows[-1])
                    rig.clear()
            if options.outage:
                result = outage(rig, options.how, options.outage, options.senders, options.rate)
                rows.append(result.row)
                show_outage(console, result)
        finally:
            rig.close()
    show(console, rows)
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
