"""How fast filters find the newest traces of a long window, cold and warm, and what they read.

Fills an embedded ClickHouse of its own with the traffic of `bench.scale` over 30 days, in which one
trace in 20,000 has an annotation with a key of its own, and one in 20 is slow and says why, and
searches it through the store. *read*:
the share of the granules of `segments` and `calls` that the first probe reads, by ``EXPLAIN indexes = 1``;
*CPU*: the engine's, of a warm search, which other work on the machine does not change much.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from dataclasses import dataclass

from clickhouse_driver import Client
from rich.console import Console
from rich.table import Table

from bench.search.data import add_options, filled
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import (
    Rows,
    Statement,
    execute,
)
from store.clickhouse.queries import Sql
from store.clickhouse.search.probe import probes
from store.clickhouse.search.rollup_index import indexed_minutes
from store.clickhouse.search.scan_plan import FAST_ROWS, ROWS_OF_UNIT, count_rows, probed_rows
from store.filters.parse import parse
from store.model import TimeRange
from store.query import TraceQuery
from store.times import MINUTE

LIMIT = 20
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A class of filters; ``target``: milliseconds."""

    name: str
    text: str
    target: float = 1500


CASES = (
    Case("annotation =, rare", "annotation.order_id = 4242", 300),
    Case("annotation =, common", 'annotation.customer_tier = "gold"', 300),
    Case("user =", 'user = "user-4242"', 300),
    Case("rare key", "annotation.incident EXISTS", 300),
    Case("rare key, text", 'annotation.incident BEGINSWITH "INC"', 300),
    Case("key that never occurs", "annotation.nothing EXISTS", 300),
    Case("service, common", 'service("svc-07")', 300),
    Case("service, unknown", 'service("nothing")', 300),
    Case("service { fault }", 'service("svc-07") { fault }', 300),
    Case("service { fault }, rare", 'service("sessions-archive") { throttle }', 300),
    Case("edge { error }", 'edge("svc-07", "svc-18") { error OR fault }', 300),
    Case("edge { error }, none", 'edge("svc-07", "svc-20") { error OR fault }', 300),
    Case("edge { throttle }", 'edge("svc-07", "carts") { throttle }', 300),
    Case("fault", "fault", 300),
    Case("ok and hidden fault", "ok AND service() { fault }", 300),
    Case("not through a service", '!service("svc-07")', 300),
    Case("number >, rare", "annotation.order_id > 999990"),
    Case("number >, common", "annotation.order_id > 10"),
    Case("url, rare", 'http.url CONTAINS "/order/4242"'),
    Case("url, common", 'http.url CONTAINS "/order/"'),
    Case("url, regex", 'http.url =~ "/order/424[0-9]$"'),
    Case("duration, rare", "duration > 0.6"),
    Case("duration, none", "duration > 3600"),
    Case("response time, rare", "responsetime > 0.6"),
    Case("status", "http.status >= 500"),
    Case("user agent, common", 'http.useragent CONTAINS "Firefox"'),
)
ROOT_CAUSES = (
    Case("root cause of time", 'rootcause.responsetime.service { name = "svc-07" }', 5000),
    Case("root cause of faults", 'rootcause.fault.service { name = "svc-07" }', 5000),
    Case("root cause of errors", 'rootcause.error.service { name = "svc-02" }', 5000),
    Case("root cause, inferred", 'rootcause.fault.service { name = "api.partner.com" }', 5000),
    Case("root cause, none", 'rootcause.fault.service { name = "nothing" }', 5000),
    Case("root cause, none of time", 'rootcause.responsetime.service { name = "nothing" }', 5000),
    Case("root cause, exception", 'rootcause.fault.exception { name = "KeyError" }', 5000),
    Case("root cause, no exception", 'rootcause.fault.exception { name = "nothing" }', 5000),
)
"""With raw documents, from which they are read."""


def granules(client: Client, filter: str, near: tuple[int, int]) -> str:
    """Granules that the first probe of a filter reads, of all."""

    def run(statement: Statement) -> Rows:
        rows: Rows = execute(client, statement)
        return rows

    parts = []
    few = probed_rows(LIMIT)
    rows = count_rows(run, TimeRange(near[0] * MINUTE, near[1] * MINUTE))
    for probe in probes(parse(filter))[:1]:
        wanted = probe.units if rows > FAST_ROWS else None
        (minutes,) = indexed_minutes(run, [wanted], near, few // ROWS_OF_UNIT)
        for statement in probe.statements(*near, few, minutes):
            text = f"EXPLAIN indexes = 1 {statement.text}"
            lines = [line for (line,) in run(Sql(text, statement.parameters))]
            found = [re.search(r"Granules: (\d+)/(\d+)", line) for line in lines]
            counts = [(int(match[1]), int(match[2])) for match in found if match]
            if counts:
                parts.append(f"{counts[-1][0]}/{counts[0][1]}")
    return " + ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    add_options(parser)
    parser.add_argument("--only", default="", help="part of a case's name")
    options = parser.parse_args()
    console = Console(width=140, highlight=False)
    table = Table("", "filter", "found", "cold ms", "warm ms", "CPU ms", "target", "read")
    with filled(options, console) as (store, bench, engine):
        client = connect(store.address)
        window = bench.data.window
        for case in (*CASES, *(ROOT_CAUSES if options.documents else ())):
            if options.only not in case.name:
                continue
            query = TraceQuery(window, filter=parse(case.text))
            bench.cool()
            times, spent = [], []
            for _ in range(1 + REPEATS):
                begun, before = time.perf_counter(), sum(engine.cpu_times()[:2])
                page = store.find_traces(query, limit=LIMIT)
                times.append((time.perf_counter() - begun) * 1000)
                spent.append((sum(engine.cpu_times()[:2]) - before) * 1000)
            warm = statistics.median(times[1:])
            read = granules(client, case.text, (window.start // MINUTE, window.end // MINUTE))
            table.add_row(
                case.name,
                case.text,
                f"{len(page.found)} of {page.scanned}{'' if page.cursor is None else '+'}",
                f"{times[0]:.0f}",
                f"{warm:.0f}{'' if warm <= case.target else ' !'}",
                f"{statistics.mean(spent[1:]):.0f}",
                f"{case.target:.0f}",
                read,
            )
        console.print(table)
        for figure in bench.traces():
            console.print(
                f"{figure.what}: {figure.median:.1f} ms, cold {figure.cold:.0f} ({figure.answer})"
            )
        client.disconnect()


if __name__ == "__main__":
    main()
