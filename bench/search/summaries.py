"""What pages of X-Ray's trace summaries cost: statements, CPU of Python and of ClickHouse, by filter.

GetTraceSummaries is answered in this process, over the data set of `bench.search` with documents.

    python -m bench.search.summaries --rows 1 --days 0.25 --folder /tmp/summaries
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import psutil
from fastapi.testclient import TestClient
from rich.console import Console

from api.app import create_app
from bench.scale.measure import Bench
from bench.search.data import add_options, filled
from bench.search.statements import recorded
from bench.sections import table
from collector.tuning import tune_gc
from store.times import SECOND

HEAD = ("filter", "found", "ms", "statements", "Python ms", "ClickHouse ms", "answer KiB")
CASES = {
    "none": "",
    "fault": "fault",
    "service": 'service("svc-07")',
    "service { fault }": 'service("svc-07") { fault }',
    "edge { error }": 'edge("svc-07", "svc-18") { error }',
    "edge { error OR fault }": 'edge("svc-07", "svc-18") { error OR fault }',
    "edge { throttle }": 'edge("svc-07", "carts") { throttle }',
    "edge, none": 'edge("svc-07", "svc-20") { error OR fault }',
    "annotation": 'annotation.customer_tier = "gold"',
    "url": 'http.url CONTAINS "/order/"',
    "root cause of faults": 'rootcause.fault.service { name = "svc-07" }',
    "root cause, exception": 'rootcause.fault.exception { name = "KeyError" }',
    "root cause, no exception": 'rootcause.fault.exception { name = "nothing" }',
    "root cause, no error": 'rootcause.error.exception { name = "nothing" }',
    "root cause, no entity": 'rootcause.responsetime.entity { name = "nothing" }',
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.set_defaults(documents=True, days=0.25)
    parser.add_argument("--rounds", type=int, default=4, help="requests of each filter")
    parser.add_argument("--only", default="", help="part of a case's name")
    parser.add_argument("--statements", action="store_true", help="list those of a request")
    options = parser.parse_args()
    tune_gc()
    with (
        filled(options, Console()) as (store, bench, engine),
        TestClient(create_app(store, version="bench")) as client,
    ):
        print("\n".join(table(HEAD, ())))
        for name, text in CASES.items():
            if options.only in name:
                _measure(client, bench, engine, name, text, options)


def _measure(
    client: TestClient,
    bench: Bench,
    engine: psutil.Process,
    name: str,
    text: str,
    options: argparse.Namespace,
) -> None:
    body = _body(bench, text)
    client.post("/TraceSummaries", json=body).raise_for_status()
    with recorded() as taken:
        ours, theirs, begun = time.process_time(), _cpu(engine), time.perf_counter()
        for _ in range(options.rounds):
            answer = client.post("/TraceSummaries", json=body)
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - ours, _cpu(engine) - theirs
    page, rounds = answer.json()["TraceSummaries"], options.rounds
    figures = (
        name,
        f"{len(page)}",
        f"{seconds / rounds * 1e3:.0f}",
        f"{len(taken) / rounds:.1f}",
        *(f"{each / rounds * 1e3:.0f}" for each in cpu),
        f"{len(answer.content) / 1024:.0f}",
    )
    print(f"| {' | '.join(figures)} |", flush=True)
    if options.statements:
        last = taken[-(len(taken) // rounds) :]
        for each in sorted(last, key=lambda each: each.at):
            print(f"{each.name:32}{each.seconds * 1e3:8.1f} ms {each.rows:>10,} → {each.answer:,}")


def _body(bench: Bench, text: str) -> dict[str, Any]:
    """A request for the first page of the whole window."""
    start, end = bench.data.window
    return {"StartTime": start / SECOND, "EndTime": end / SECOND, "FilterExpression": text}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
