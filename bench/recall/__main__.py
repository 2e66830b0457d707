"""How much of a known graph the map finds when everything goes wrong on the way to it.

Invents a world of services and a day of requests, delivers their documents split over inserts, late,
twice, with wrong clocks and with some of them lost, and compares the map on the way and at the end
with the true graph of what arrived. Fails (exit code 1) unless every map is exactly right.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from bench import sections
from bench.recall.delivery import Conditions
from bench.recall.receivers import ServerStore
from bench.recall.reshard import ReshardedStore
from bench.recall.rollup_driver import (
    Kills,
    count_cells,
    crossing_links,
    never_quiet,
    rolling,
    rollup_workers,
)
from bench.recall.run import Outcome, Size, run
from bench.recall.score import Score
from bench.server import WIDTH, running
from raymap.embedded import EmbeddedClickHouse
from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.rollup import dirty
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from store.times import HOUR, SECOND

LEAST_CROSSING = 0.3
"""Share of the links that lead from cell to cell."""
HALF_SPAN = 6 * HOUR
"""Microseconds in which half of the traces begin: the time in an id is within a day of its documents' arrival."""
FIRST_HALF = 10 * SECOND
"""Microseconds that it takes to put the first half, about: the epoch begins then, or later."""
FRESH_WITHIN = 20.0
"""Seconds after which a server's map has to show what is stored."""


def grid(splits: list[int]) -> Iterator[Conditions]:
    """Each number of splits: at once; late; late, twice and with wrong clocks; and with losses."""
    for k in splits:
        yield Conditions(k)
        yield Conditions(k, "hours", skew=5.0)
        yield Conditions(k, "day", duplicates=0.2, skew=5.0)
        yield Conditions(k, "day", duplicates=0.2, skew=5.0, dropped=0.1)


def _cells(cases: list[Conditions], cells: int) -> Iterator[tuple[Conditions, list[Address]]]:
    """So many cells for each case. One engine has them all: to each other they are servers."""
    with (
        tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder,
        EmbeddedClickHouse(Path(folder) / "engine") as engine,
    ):
        for number, conditions in enumerate(cases):
            addresses = [
                replace(engine.address, database=f"recall_{number}_{cell}") for cell in range(cells)
            ]
            for address in addresses:
                migrate(address, {"retention_days": 30})
            yield conditions, addresses


def _with_cells(cases: list[Conditions], size: Size, seed: int, cells: int) -> Iterator[Outcome]:
    """Each cell is counted between batches. Fails where fewer links than LEAST_CROSSING lead from cell to cell: the
    rest would show nothing."""
    for conditions, addresses in _cells(cases, cells):
        store = CellStore(addresses, connections=4)
        with never_quiet():
            yield run(store, conditions, size, seed, recount_minutes=partial(count_cells, store))
        _require_crossing(store)
        store.close()


def _require_crossing(store: CellStore | ReshardedStore) -> None:
    links, crossing = crossing_links(store)
    print(f"{crossing} of {links} links lead from cell to cell")
    if crossing < LEAST_CROSSING * links or not links:
        raise SystemExit(f"too few: expected {LEAST_CROSSING:.0%}")


def _with_reshard(
    cases: list[Conditions], size: Size, seed: int, cells: int, later: int
) -> Iterator[Outcome]:
    """Half of the traces begin after an epoch with more cells. Fails where one is in two cells, or none in a new one."""
    for conditions, addresses in _cells(cases, later):
        half = (time.time_ns() // 1000 + FIRST_HALF) // SECOND * SECOND
        halved = replace(size, now=half + HALF_SPAN, span=2 * HALF_SPAN)
        store = ReshardedStore(addresses, cells, half)
        with never_quiet():
            yield run(store, conditions, halved, seed, recount_minutes=partial(count_cells, store))
        stored = store.stored()
        traces, twice = len(set().union(*stored)), sum(map(len, stored)) - len(set().union(*stored))
        print(
            f"{cells} cells, then {later}: {traces} traces, by cell {[*map(len, stored)]}, {twice} in two cells"
        )
        if twice or not store.is_resharded or not all(stored):
            raise SystemExit("expected each trace in one cell, and some in each")
        _require_crossing(store)
        store.close()


def _stores(cases: list[Conditions]) -> Iterator[tuple[int, Conditions, ClickHouseStore]]:
    """A number and a store of its own for each case, in one engine."""
    with (
        tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder,
        EmbeddedClickHouse(Path(folder) / "engine") as engine,
    ):
        for number, conditions in enumerate(cases):
            at = replace(engine.address, database=f"recall_{number}")
            migrate(at, {"retention_days": 30})
            store = ClickHouseStore(at, connections=4)
            yield number, conditions, store
            store.close()


def _with_store(cases: list[Conditions], size: Size, seed: int, count: int) -> Iterator[Outcome]:
    """Without rollup workers of their own the minutes are counted between batches; with ``count`` of them
    at any time, while two writers insert."""
    for _, conditions, store in _stores(cases):
        if count:
            store.rollup_worker.alone = False
            with rollup_workers(store.address, count):
                yield run(store, conditions, size, seed, writers=2, patience=FRESH_WITHIN)
        else:
            with rolling(store.address) as recount_minutes:
                yield run(store, conditions, size, seed, recount_minutes=recount_minutes)


def _with_kills(cases: list[Conditions], size: Size, seed: int) -> Iterator[Outcome]:
    """The minutes are counted between batches by processes that are killed; at last `verify` compares all."""
    counts = kills = differences = 0
    for number, conditions, store in _stores(cases):
        killing = Kills(store.address, Random(f"{seed} {number}"))
        yield run(store, conditions, size, seed, recount_minutes=killing.count)
        window = TimeRange(size.now - 2 * size.span, size.now + size.span)
        differences += sum(len(part.differences) for part in store.verify(window))
        counts += killing.counts
        kills += killing.kills
    print(f"{counts} counts, {kills} of them killed; verify: {differences} differences")
    if differences:
        raise SystemExit(1)


def _with_server(
    cases: list[Conditions], size: Size, seed: int, options: list[str], log: Path | None
) -> Iterator[Outcome]:
    for conditions in cases:
        with running(["--workers", "2", *options], log) as server:
            target = ServerStore(server)
            yield run(target, conditions, size, seed, patience=FRESH_WITHIN)
            target.close()


def _row(outcome: Outcome) -> list[str]:
    c = outcome.conditions
    cells = [
        str(c.splits),
        c.lateness,
        f"{c.duplicates:.0%}",
        f"± {c.skew:g} s",
        f"{c.dropped:.0%}",
    ]
    cells += [f"{outcome.traces:,}", f"{outcome.letters:,}", f"{outcome.maps}"]
    cells += [f"{outcome.together:.2f}", f"{outcome.waited:.1f} s"]
    whole = [Score(), Score()]
    for scores in (outcome.early, outcome.late, outcome.minutes):
        whole[0].merge(scores.nodes)
        whole[1].merge(scores.edges)
    for score in whole:
        cells += [_exactly(score.precision), _exactly(score.recall), _exactly(score.error)]
    return [*cells, f"{sum(score.time_wrong for score in whole):,} µs"]


def _exactly(value: float) -> str:
    """1 and 0 only for exactly 1 and 0."""
    return f"{value:.0f}" if value in (0.0, 1.0) else f"{value:.6f}"


HEAD = (
    *("k", "late", "twice", "clocks", "lost", "traces", "documents", "maps", "together", "fresh"),
    *("node prec.", "recall", "error", "edge prec.", "recall", "error", "time error"),
)


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="the map against the truth, over all maps of a case")
    for column in HEAD:
        table.add_column(column, justify="right")
    for outcome in outcomes:
        table.add_row(*_row(outcome), style="green" if outcome.perfect else "red")
    return table


def _markdown(outcomes: list[Outcome]) -> str:
    command = f"`python -m bench.recall {shlex.join(sys.argv[1:])}`"
    lines = [
        "## Recall",
        "",
        f"{command}, {datetime.now(UTC):%Y-%m-%d}, {sections.machine()}.",
        "The columns are explained in [bench/README.md](../../bench/README.md#recall).",
        "",
        *sections.table(HEAD, map(_row, outcomes)),
    ]
    return "\n".join(lines)


def _explain(console: Console, outcome: Outcome) -> None:
    for name in ("early", "late", "minutes"):
        scores = getattr(outcome, name)
        for difference in (*scores.nodes.differences, *scores.edges.differences):
            console.print(f"{outcome.conditions}, {name}: {difference}", style="red")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.recall", description=__doc__)
    parser.add_argument("--traces", type=int, default=100, help="that enter; messages make more")
    parser.add_argument("--batches", type=int, default=30, help="inserts of a case")
    parser.add_argument("--splits", default="1,2,4,10", help="inserts that one trace comes in")
    parser.add_argument("--minutes", type=int, default=60, help="queried one by one at the end")
    parser.add_argument("--seed", type=int, help="default: the date, like 20261231")
    parser.add_argument(
        "--alone",
        action="store_true",
        help="count every bucket apart from the others",
    )
    parser.add_argument(
        "--rollup-workers", type=int, default=0, help="threads that recount continuously"
    )
    parser.add_argument(
        "--kill", action="store_true", help="kill counts before a statement drawn at random"
    )
    parser.add_argument(
        "--server", action="store_true", help="through the receivers of raymap serve"
    )
    parser.add_argument(
        "--cells", type=int, default=1, help="ClickHouses that the traces are spread over"
    )
    parser.add_argument(
        "--reshard", type=int, default=0, metavar="CELLS", help="have so many amid the traffic"
    )
    parser.add_argument("--docs", type=Path, help="documentation folder to write the results to")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--log", type=Path, help="keep the server's log")
    parser.add_argument("options", nargs="*", help="further options of raymap serve, after --")
    options = parser.parse_args()
    if options.reshard and options.reshard <= options.cells:
        parser.error(f"--reshard: expected more than {options.cells} cells")
    if options.seed is None:
        options.seed = int(f"{datetime.now(UTC):%Y%m%d}")
    return options


def main() -> int:
    options = parse()
    if options.alone:
        dirty.CHUNK_BUCKETS = 1
    console = Console(width=WIDTH)
    console.print(f"seed {options.seed}")
    cases = list(grid([int(k) for k in options.splits.split(",")]))
    now = time.time_ns() // 1000
    size = Size(options.traces, options.batches, now, minutes=options.minutes)
    if options.server:
        outcomes = _with_server(cases, size, options.seed, options.options, options.log)
    elif options.reshard:
        outcomes = _with_reshard(cases, size, options.seed, options.cells, options.reshard)
    elif options.cells > 1:
        outcomes = _with_cells(cases, size, options.seed, options.cells)
    elif options.kill:
        outcomes = _with_kills(cases, size, options.seed)
    else:
        outcomes = _with_store(cases, size, options.seed, options.rollup_workers)
    done = []
    for outcome in outcomes:
        done.append(outcome)
        console.print(f"{outcome.conditions}: {'exact' if outcome.perfect else 'WRONG'}")
        _explain(console, outcome)
    console.print(_table(done))
    if options.docs:
        sections.write(options.docs, "recall", _markdown(done))
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in done], indent=1))
    return 0 if all(outcome.perfect for outcome in done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
