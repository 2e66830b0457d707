"""How fast a set of traces is compared with the rest, and whether what tells it apart comes first.

    python -m bench.search.differences --rows 8

One trace in 20 is slow and says why (`bench.search.data`): of the traces that took long, the console's
comparison should name that first. Of a random part it should name nothing.
"""

from __future__ import annotations

import argparse
import statistics
import time

from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table

from api.app import create_app
from bench.search.data import add_options, filled
from store.times import SECOND

REPEATS = 5
CASES = {
    "slow traces": "responsetime > 0.4",
    "failed traces": "fault",
    "a random part": 'user ENDSWITH "7"',
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.search.differences", description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    console = Console(width=140, highlight=False)
    table = Table("", "filter", "sets", "first", "listed", "cold ms", "warm ms", "CPU ms")
    with filled(options, console) as (store, bench, engine):
        client = TestClient(create_app(store, version="bench"))
        window = bench.data.window
        for name, filter in CASES.items():
            query = {
                "from": str(window.start // SECOND),
                "to": str(window.end // SECOND),
                "filter": filter,
            }
            bench.cool()
            times, spent = [], []
            for _ in range(1 + REPEATS):
                begun, before = time.perf_counter(), sum(engine.cpu_times()[:2])
                response = client.get("/api/traces/differences", params=query)
                response.raise_for_status()
                times.append((time.perf_counter() - begun) * 1000)
                spent.append((sum(engine.cpu_times()[:2]) - before) * 1000)
            found = response.json()
            table.add_row(
                name,
                filter,
                f"{found['selected']} of {found['selected'] + found['rest']}",
                found["attributes"][0]["filter"] if found["attributes"] else "",
                f"{len(found['attributes'])}",
                f"{times[0]:.0f}",
                f"{statistics.median(times[1:]):.0f}",
                f"{statistics.mean(spent[1:]):.0f}",
            )
    console.print(table)


if __name__ == "__main__":
    main()
