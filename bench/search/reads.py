"""What every list, search and group-by costs: statements, CPU of the API, times of one user and of several.

Everything is answered by an app in this process, over the data set of `bench.search` with documents in six hours;
each request is for another window, so that none is answered from a cache alone. *CPU* contains the client,
which is what ``nothing`` takes; several users share the one process; *(503)*: a search that ended early and found
nothing. Before that Jaeger's searches are compared with the pages of X-Ray's filters that mean the same: a trace
that only one of them finds ends the bench.

    python -m bench.search.reads --rows 1 --folder /tmp/one
    python -m bench.search.reads --rows 10 --folder /tmp/ten --only jaeger
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from itertools import count

import psutil
from fastapi.testclient import TestClient
from rich.console import Console

from api.app import create_app
from bench.command_line import add_json_option, write_json
from bench.scale.measure import Bench
from bench.search.data import add_options, filled
from bench.search.questions import READS, SAME, Read, summaries_body
from bench.search.statements import recorded
from bench.sections import table
from collector.tuning import tune_gc
from store.clickhouse.connection.pool import connect
from store.model import TimeRange
from store.times import HOUR, MINUTE, SECOND

HEAD = ("read", "statements", "API CPU ms", "ClickHouse CPU ms", "p50 ms", "p95", "KiB")
MOST_FOUND = 1500
"""What Jaeger's search returns at most: windows of the comparison contain fewer traces."""
OPERATIONS = """
INSERT INTO operations (service, operation, kind)
SELECT DISTINCT name, operation, kind FROM segments WHERE operation != ''"""
"""The dictionary that the collector writes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a request takes, of one user and of several (``users_ms``, ``users_slow``)."""

    name: str
    statements: float
    api_ms: float
    clickhouse_ms: float
    ms: float
    slow: float
    answer_kib: float
    users_ms: float
    users_slow: float


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    add_json_option(parser)
    parser.set_defaults(documents=True, days=0.25)
    parser.add_argument("--rounds", type=int, default=12, help="requests of each kind")
    parser.add_argument("--users", type=int, default=4, help="of the last two columns")
    parser.add_argument("--compared", type=int, default=5, help="minutes of the comparison")
    parser.add_argument("--only", default="", help="part of a read's name")
    options = parser.parse_args()
    tune_gc()
    with filled(options, Console()) as (store, bench, engine):
        _fill_operations(bench)
        end = bench.data.window.end
        app = create_app(store, version="bench", clock=lambda: end / SECOND)
        with TestClient(app) as client, ThreadPoolExecutor(options.users) as users:
            for name in SAME:
                _compare(client, name, TimeRange(end - options.compared * MINUTE, end))
            reads = Reads(client, engine, users, end, options)
            columns = (*HEAD, f"p50 of {options.users}", "p95")
            print("\n".join(table(columns, ())), flush=True)
            measured = [reads.measure(name) for name in READS if options.only in name]
    write_json(options.json, measured)


def _fill_operations(bench: Bench) -> None:
    client = connect(bench.store.address)
    if client.execute("SELECT count() FROM operations") == [(0,)]:
        client.execute(OPERATIONS)
    client.disconnect()


def _compare(client: TestClient, name: str, window: TimeRange) -> None:
    """Print how many traces both searches found; SystemExit if they are not the same."""
    read, filter = SAME[name]
    request = read(window)
    answer = client.get(request.path, params={**request.params, "limit": MOST_FOUND}).json()
    theirs = {each["traceID"] for each in answer["data"]}
    ours = _found_by_filter(client, window, filter)
    if theirs != ours or not ours:
        apart = sorted(theirs - ours)[:3], sorted(ours - theirs)[:3]
        raise SystemExit(f"{name}: Jaeger {len(theirs)}, X-Ray {len(ours)}, apart {apart}")
    print(f"{name}: {len(ours)} traces by Jaeger's search and by {filter}", flush=True)


def _found_by_filter(client: TestClient, window: TimeRange, filter: str) -> set[str]:
    """The ids of all pages."""
    body, found = summaries_body(window, filter), set[str]()
    while True:
        answer = client.post("/TraceSummaries", json=body).raise_for_status().json()
        found.update(each["Id"].replace("-", "")[1:] for each in answer["TraceSummaries"])
        if not answer.get("NextToken"):
            return found
        body["NextToken"] = answer["NextToken"]


class Reads:
    """Measures the reads, for windows of almost six hours whose ends differ."""

    def __init__(
        self,
        client: TestClient,
        engine: psutil.Process,
        users: ThreadPoolExecutor,
        end: int,
        options: argparse.Namespace,
    ) -> None:
        self._client, self._engine, self._users = client, engine, users
        self._end, self._options, self._round = end, options, count()

    def measure(self, name: str) -> Measured:
        """What a read takes, printed."""
        read, rounds, users = READS[name], self._options.rounds, self._options.users
        answer, _, status = self._get(read)
        with recorded() as taken:
            ours, theirs = time.process_time(), _cpu(self._engine)
            alone = sorted(self._get(read)[1] for _ in range(rounds))
            cpu = time.process_time() - ours, _cpu(self._engine) - theirs
        among = sorted(ms for _, ms, _ in self._users.map(self._get, [read] * (rounds * users)))
        found = Measured(
            name if status == 200 else f"{name} ({status})",
            statements=len(taken) / rounds,
            api_ms=cpu[0] / rounds * 1e3,
            clickhouse_ms=cpu[1] / rounds * 1e3,
            ms=alone[rounds // 2],
            slow=_slow(alone),
            answer_kib=answer / 1024,
            users_ms=among[len(among) // 2],
            users_slow=_slow(among),
        )
        figures = astuple(found)[2:]
        line = (found.name, f"{found.statements:.1f}", *(f"{each:.0f}" for each in figures))
        print(f"| {' | '.join(line)} |", flush=True)
        return found

    def _get(self, read: Read) -> tuple[int, float, int]:
        """The bytes of an answer, milliseconds, and its status: a search may end early without a trace (503)."""
        end = self._end - MINUTE - next(self._round) * SECOND // 3
        request = read(TimeRange(end - 6 * HOUR + 10 * MINUTE, end))
        begun = time.perf_counter()
        method = "GET" if request.body is None else "POST"
        answer = self._client.request(
            method, request.path, params=request.params, json=request.body
        )
        ms = (time.perf_counter() - begun) * 1000
        if answer.status_code not in (200, 503):
            raise SystemExit(f"{request}: {answer.status_code} {json.dumps(answer.text)[:300]}")
        return len(answer.content), ms, answer.status_code


def _slow(sorted_ms: list[float]) -> float:
    return sorted_ms[min(len(sorted_ms) - 1, len(sorted_ms) * 95 // 100)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
