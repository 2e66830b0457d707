"""What the detection of problems costs a minute, of ClickHouse and of Python, and how much memory it takes.

Minutes of a synthetic map are written into the rollups of an engine of its own, with two edges for each node; their counts
are read and judged one minute after the other, as the server would.

    python -m bench.problems --nodes 2000,10000
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from api.problems.replay import judge_of
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore

FIRST = 29_926_000
"""A minute since the epoch."""
BUCKETS = 24
"""Of a histogram."""
IDLE = 5.0
"""Seconds in which is measured what ClickHouse does by itself, which is deducted."""
FILL = """
INSERT INTO rollups (width, kind, bucket, source_account, source_name, source_type, source_region, account, name, type, region,
                     ok, fault, error, observed, histogram, rev)
SELECT 1, if(edge, 1, 0), {first:UInt32} + intDiv(number, {rows:UInt64}), '', if(edge, concat('service-', toString((each * 7 + intDiv(each, {nodes:UInt64})) % {nodes:UInt64})), ''),
       if(edge, 'AWS::ECS::Container', ''), '', '', concat('service-', toString(each % {nodes:UInt64})), 'AWS::ECS::Container', '',
       20 + each % 200 + rand(1) % 20 AS ok_, rand(2) % 40 = 0 AS fault_, rand(3) % 20 = 0 AS error_, ok_ + fault_ + error_,
       mapFromArrays(arrayMap(i -> toUInt64(round(1000 * pow(10, i / 25))), range({buckets:UInt64})), arrayMap(i -> toUInt64(intDiv(ok_ + fault_ + error_ + (i * 7) % {buckets:UInt64}, {buckets:UInt64})), range({buckets:UInt64}))), 1
FROM (SELECT number, number % {rows:UInt64} AS each, each >= {nodes:UInt64} AS edge FROM numbers({rows:UInt64} * {minutes:UInt64}))
"""
VERSIONS = "INSERT INTO rollups (width, kind, bucket, rev) SELECT 1, 255, {first:UInt32} + number, 1 FROM numbers({minutes:UInt64})"


def main() -> None:
    """Print a line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", default="2000,10000", help="sizes of maps, by commas")
    parser.add_argument("--minutes", type=int, default=60, help="minutes of each")
    options = parser.parse_args()
    for nodes in map(int, options.nodes.split(",")):
        with tempfile.TemporaryDirectory() as folder, EmbeddedClickHouse(Path(folder)) as engine:
            assert engine.process is not None
            found = _measure(engine.address, engine.process.pid, nodes, options.minutes)
        print(", ".join(f"{name} {value:,.1f}" for name, value in found.items()), flush=True)


def _cpu(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


def _measure(address: Address, process: int, nodes: int, minutes: int) -> dict[str, float]:
    migrate(address, {"retention_days": 30})
    values = {"first": FIRST, "rows": 3 * nodes, "nodes": nodes, "minutes": minutes}
    client = connect(address)
    execute(client, Sql(FILL, {**values, "buckets": BUCKETS}))
    execute(client, Sql(VERSIONS, {"first": FIRST, "minutes": minutes}))
    while execute(client, Sql("SELECT count() FROM system.merges", {}))[0][0]:
        time.sleep(0.5)
    client.disconnect()
    engine = psutil.Process(process)
    before, at = _cpu(engine), time.monotonic()
    time.sleep(IDLE)
    idle = (_cpu(engine) - before) / (time.monotonic() - at)
    store = ClickHouseStore(address, connections=2)
    judge = judge_of(store)
    read, judged, database = [], [], []
    for minute in range(FIRST, FIRST + minutes):
        before, here, at = _cpu(engine), time.process_time(), time.monotonic()
        counts = store.minute_counts(minute, minute)
        read.append(time.process_time() - here)
        database.append(_cpu(engine) - before - idle * (time.monotonic() - at))
        here = time.process_time()
        for each in counts:
            judge.step(each)
        judged.append(time.process_time() - here)
    store.close()
    (found,) = counts
    return {
        "nodes": nodes,
        "series": len(found.ids) / 8,
        "KB": sum(map(len, found[1:])) / 1000,
        "ms of CPU a minute: ClickHouse": 1000 * sum(database) / minutes,
        "reading": 1000 * median(read),
        "judging": 1000 * median(judged),
        "judging, mean": 1000 * sum(judged[1:]) / (minutes - 1),
        "MB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


if __name__ == "__main__":
    main()
