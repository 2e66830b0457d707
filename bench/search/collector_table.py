"""Raymap's searches beside the same questions in SQL on the OpenTelemetry Collector's ClickHouse table.

    python -m bench.search.collector_table --rows 1

Both tables are in one engine and contain the same spans: segments and calls of `bench.scale`'s shop over
a day. The table is that of the Collector's clickhouseexporter (Apache-2.0,
opentelemetry-collector-contrib, exporter/clickhouseexporter/internal/sqltemplates/traces_table.sql and
traces_id_ts_lookup_table.sql), as it is made without full-text indexes. Raymap answers with what a list
shows (which traces match, whole), the SQL with the rows of the spans that match.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
from clickhouse_driver import Client
from rich.console import Console
from rich.table import Table

from bench.scale.generate import DataSet, fill
from bench.scale.shapes import T0
from bench.search.rolled_up import roll_up
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import default_memory
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.store import ClickHouseStore
from store.filters.parse import parse
from store.query import TraceQuery

REPEATS = 15
LIMIT = 20
_ATTRIBUTES = "Map(LowCardinality(String), String) CODEC(ZSTD(1))"
_BLOOM = "TYPE bloom_filter(0.01) GRANULARITY 1"
TABLE = f"""
CREATE TABLE otel_traces (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes {_ATTRIBUTES},
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes {_ATTRIBUTES},
    Duration UInt64 CODEC(T64, ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) {_BLOOM},
    INDEX idx_res_attr_value mapValues(ResourceAttributes) {_BLOOM},
    INDEX idx_span_attr_key mapKeys(SpanAttributes) {_BLOOM},
    INDEX idx_span_attr_value mapValues(SpanAttributes) {_BLOOM},
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1,
    INDEX idx_lower_span_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1"""
TIMES = """
CREATE TABLE otel_traces_trace_id_ts (
    TraceId String CODEC(ZSTD(1)),
    Start SimpleAggregateFunction(min, DateTime) CODEC(ZSTD(1)),
    End SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toStartOfWeek(Start)
ORDER BY TraceId
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1"""
_COLUMNS = (
    "Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, "
    "SpanAttributes, Duration, StatusCode"
)
_STATUS = "if(state > 1, 'Error', 'Unset')"
_OWN = "arrayMap(a -> (substring(a, 1, position(a, '=') - 1), trim(BOTH '\"' FROM substring(a, position(a, '=') + 1))), annotations)"
COPY = f"""
INSERT INTO otel_traces ({_COLUMNS})
SELECT fromUnixTimestamp64Micro(start), lower(hex(trace_id)), lower(hex(id)),
       if(parent_id = 0, '', lower(hex(parent_id))), concat(method, ' ', splitByChar('/', url)[4]), 'Server', name,
       map('service.name', toString(name), 'cloud.platform', toString(type), 'cloud.availability_zone', toString(availability_zone)),
       CAST(arrayConcat({_OWN}, [('http.method', toString(method)), ('url.full', url), ('http.status_code', toString(status)),
            ('user_agent.original', user_agent), ('client.address', client_ip), ('enduser.id', user)]), 'Map(String, String)'),
       duration * 1000, {_STATUS}
FROM segments
UNION ALL
SELECT fromUnixTimestamp64Micro(start), lower(hex(trace_id)), lower(hex(id)), lower(hex(document_id)),
       toString(name), 'Client', owner_name,
       map('service.name', toString(owner_name), 'cloud.platform', toString(owner_type)),
       map('server.address', toString(host), 'http.status_code', toString(status), 'rpc.service', toString(service)),
       duration * 1000, {_STATUS}
FROM calls"""
COPY_TIMES = """
INSERT INTO otel_traces_trace_id_ts
SELECT TraceId, min(Timestamp), max(Timestamp) FROM otel_traces GROUP BY TraceId"""
SPANS = """
SELECT Timestamp, TraceId, SpanId, SpanName, ServiceName, Duration, StatusCode FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Micro(toInt64({start})) AND Timestamp < fromUnixTimestamp64Micro(toInt64({end})) AND {condition}
ORDER BY Timestamp DESC LIMIT {limit}"""
BY_ID = """
WITH (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = '{id}') AS first,
     (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = '{id}') AS last
SELECT * FROM otel_traces WHERE TraceId = '{id}' AND Timestamp >= first AND Timestamp <= last"""


class Question(NamedTuple):
    """The same of both: a filter, and a condition in SQL."""

    name: str
    filter: str
    condition: str


QUESTIONS = (
    Question("newest 20 of a service", 'service("svc-07")', "ServiceName = 'svc-07'"),
    Question(
        "with an error",
        'service("svc-07") { error OR fault }',
        "ServiceName = 'svc-07' AND StatusCode = 'Error'",
    ),
    Question(
        "by an attribute, common",
        'annotation.customer_tier = "gold"',
        "SpanAttributes['customer_tier'] = 'gold'",
    ),
    Question("by an attribute, rare", 'user = "user-4242"', "SpanAttributes['enduser.id'] = 'user-4242'"),
    Question("by an attribute and an error", 'annotation.customer_tier = "gold" AND fault',
             "SpanAttributes['customer_tier'] = 'gold' AND StatusCode = 'Error'"),
)  # fmt: skip


class Timed(NamedTuple):
    """What one side took: milliseconds until the answer, and of the engine's CPU; and what it found."""

    elapsed: float
    cpu: float
    found: int


def timed(engine: psutil.Process, *sides: Callable[[], int]) -> list[Timed]:
    """The medians of each side, in turn."""
    taken: list[list[Timed]] = [[] for _ in sides]
    for _ in range(1 + REPEATS):
        for side, each in zip(sides, taken, strict=True):
            begun, before = time.perf_counter(), sum(engine.cpu_times()[:2])
            found = side()
            elapsed = (time.perf_counter() - begun) * 1000
            each.append(Timed(elapsed, (sum(engine.cpu_times()[:2]) - before) * 1000, found))
    return [
        Timed(
            statistics.median(one.elapsed for one in each[1:]),
            statistics.mean(one.cpu for one in each[1:]),
            each[-1].found,
        )
        for each in taken
    ]


def compare(
    store: ClickHouseStore, client: Client, engine: psutil.Process, data: DataSet
) -> Iterator[tuple[str, Timed, Timed]]:
    """Each question, and what both sides took."""
    window = data.window
    for question in QUESTIONS:
        query = TraceQuery(window, filter=parse(question.filter))
        statement = SPANS.format(
            start=window.start, end=window.end, condition=question.condition, limit=LIMIT
        )
        ours, theirs = timed(
            engine,
            lambda query=query: len(store.find_traces(query, limit=LIMIT).found),  # type: ignore[misc]
            lambda statement=statement: len(client.execute(statement)),  # type: ignore[misc]
        )
        yield question.name, ours, theirs
    for name, implausible in (("trace by its id", 0), ("trace by a random id", 1)):
        rows = client.execute(
            "SELECT DISTINCT hex(trace_id) FROM segments WHERE "
            f"implausible_epoch = {implausible} ORDER BY cityHash64(trace_id) LIMIT {2 * REPEATS + 2}"
        )
        ids = [digits for (digits,) in rows]
        one, other = iter(ids), iter(ids)
        ours, theirs = timed(
            engine,
            lambda one=one: len(store.get_traces([bytes.fromhex(next(one))])),  # type: ignore[misc]
            lambda other=other: (  # type: ignore[misc]
                len(client.execute(BY_ID.replace("{id}", next(other).lower()))) and 1
            ),
        )
        yield name, ours, theirs


def prepare(client: Client, data: DataSet) -> None:
    """The same spans in both tables, rolled up and merged."""
    fill(client, data)
    roll_up(client)
    client.execute(TABLE)
    client.execute(TIMES)
    for statement in (COPY, COPY_TIMES):
        client.execute(statement, settings={"max_partitions_per_insert_block": 0})
    for table in ("segments", "calls", "traces", "otel_traces", "otel_traces_trace_id_ts"):
        client.execute(f"OPTIMIZE TABLE {table} FINAL")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.search.collector_table", description=__doc__
    )
    parser.add_argument("--rows", type=float, default=1.0, help="millions of spans")
    options = parser.parse_args()
    data = DataSet("shop", round(options.rows * 1_000_000), 24.0, start=T0 - 86_400)
    table = Table("", "Raymap ms", "CPU", "found", "SQL ms", "CPU", "found", "ratio", "of CPU")
    with (
        tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder,
        EmbeddedClickHouse(Path(folder), memory_bytes=min(4 << 30, default_memory())) as engine,
    ):
        assert engine.process is not None
        prepare_database(engine.address, {"traces": 10_000})
        store, client = ClickHouseStore(engine.address), connect(engine.address)
        prepare(client, data)
        process = psutil.Process(engine.process.pid)
        for name, ours, theirs in compare(store, client, process, data):
            cells = [f"{x:.0f}" for x in (*ours, *theirs)]
            ratios = [f"{a / max(b, 0.1):.1f}" for a, b in zip(ours[:2], theirs[:2], strict=True)]
            table.add_row(name, *cells, *ratios)
        client.disconnect()
        store.close()
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
