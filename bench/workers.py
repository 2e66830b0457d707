"""The pipeline without its receivers: worker processes from a pool of ready documents into ClickHouse.

`ours` is the collector's own: `IngestPipeline.decode`, the journal, `ClickHouseStore`, every table and view.
`plain` is the least that stores something: a slim decode, 16 columns, one table, one view, no
journal, no raw documents apart; what a pipeline built for nothing but this race would be.
"""

from __future__ import annotations

import multiprocessing
import queue
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import msgspec
import psutil
from msgspec import Struct

from bench.documents import Documents
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect

CHUNK = 256
"""Documents handed on at a time, as the UDP receiver does."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What one worker did."""

    documents: int
    seconds: float
    """Until the last of them was stored."""
    cpu_seconds: float
    rss_bytes: int
    """At its highest."""


def work(kind: str, address: Address, workers: int, seconds: float) -> list[Worked]:
    """So many workers side by side, begun together."""
    context = multiprocessing.get_context("spawn")
    begin = context.Event()
    pipes: list[Connection] = []
    processes: list[BaseProcess] = []
    for _ in range(workers):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process: BaseProcess = context.Process(
            target=_run, args=(kind, address, seconds, sender, begin)
        )
        process.start()
        sender.close()
        pipes.append(receiver)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    begin.set()
    try:
        return [pipe.recv() for pipe in pipes]
    finally:
        for process in processes:
            process.join()


def _run(kind: str, address: Address, seconds: float, out: Connection, begin: Event) -> None:
    kinds: dict[str, Callable[[Address, Iterator[list[bytes]]], int]] = {
        "ours": _ours,
        "plain": _plain,
    }
    me, highest, done = psutil.Process(), 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.1):
            highest = max(highest, me.memory_info().rss)

    documents = Documents()
    documents.take(1)
    out.send("up")
    begin.wait()
    threading.Thread(target=watch, daemon=True).start()
    before, begun = me.cpu_times(), time.perf_counter()

    def chunks() -> Iterator[list[bytes]]:
        while time.perf_counter() - begun < seconds:
            yield [document for _, document in documents.take(CHUNK)]

    count = kinds[kind](address, chunks())
    took = time.perf_counter() - begun
    after = me.cpu_times()
    done.set()
    cpu = after.user + after.system - before.user - before.system
    out.send(Worked(count, took, cpu, highest))


def _ours(address: Address, chunks: Iterator[list[bytes]]) -> int:
    from prometheus_client import CollectorRegistry

    from collector.metrics import IngestMetrics
    from collector.pipeline import IngestPipeline
    from collector.tuning import tune_gc
    from store.clickhouse.store import ClickHouseStore

    store = ClickHouseStore(address)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = IngestPipeline(store, folder, metrics=IngestMetrics(CollectorRegistry()))
        pipeline.start()
        tune_gc()
        count = 0
        for chunk in chunks:
            decoded = pipeline.decode(chunk, "pool")
            if not pipeline.offer(decoded, 60.0) or decoded.rejected:
                raise SystemExit("a document was not taken")
            count += len(chunk)
        pipeline.stop(60.0)
        left = list(Path(folder).rglob("*.log"))
    store.close()
    if left:
        raise SystemExit("the journal is not empty: ClickHouse did not keep up")
    return count


PLAIN_TABLES = (
    """CREATE TABLE plain (
        trace_id FixedString(16) CODEC(ZSTD(1)), id UInt64 CODEC(NONE), parent_id UInt64 CODEC(LZ4),
        ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)), dur UInt64 CODEC(T64, ZSTD(1)),
        kind UInt8, service LowCardinality(String), stype LowCardinality(String),
        name LowCardinality(String), ns LowCardinality(String), flags UInt8,
        method LowCardinality(String), url String CODEC(ZSTD(1)), status UInt16 CODEC(ZSTD(1)),
        ann Map(LowCardinality(String), String) CODEC(ZSTD(1)), doc String CODEC(ZSTD(1)),
        ver UInt64 DEFAULT toUnixTimestamp64Micro(now64(6)) CODEC(Delta(8), ZSTD(1)),
        INDEX ix_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
    ) ENGINE = ReplacingMergeTree(ver) PARTITION BY toDate(ts)
    ORDER BY (toStartOfMinute(ts), trace_id, id) TTL toDateTime(ts) + INTERVAL 30 DAY
    SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1""",
    """CREATE TABLE plain_minutes (minute DateTime('UTC'),
        last SimpleAggregateFunction(max, DateTime64(3)))
    ENGINE = AggregatingMergeTree ORDER BY minute""",
    """CREATE MATERIALIZED VIEW plain_touched TO plain_minutes AS
    SELECT arrayJoin(if(kind = 1 AND parent_id != 0,
                        [toStartOfMinute(ts), toStartOfMinute(ts - INTERVAL 60 SECOND)],
                        [toStartOfMinute(ts)]))::DateTime('UTC') AS minute, max(now64(3)) AS last
    FROM plain GROUP BY minute""",
)
PLAIN_COLUMNS = (
    "trace_id, id, parent_id, ts, dur, kind, service, stype, name, ns, flags, method, url, status, "
    "ann, doc"
)


class _Request(Struct, gc=False):
    method: str = ""
    url: str = ""


class _Response(Struct, gc=False):
    status: int = 0


class _Http(Struct, gc=False):
    request: _Request | None = None
    response: _Response | None = None


class _Unit(Struct, gc=False):
    id: str
    name: str
    start_time: float
    end_time: float = 0.0
    namespace: str = ""
    error: bool = False
    fault: bool = False
    throttle: bool = False
    http: _Http | None = None
    annotations: dict[str, Any] | None = None
    subsegments: list[_Unit] | None = None


class _Segment(_Unit, gc=False, kw_only=True):
    trace_id: str
    parent_id: str = ""
    origin: str = ""


decode_slim = msgspec.json.Decoder(_Segment).decode


def plain_columns(raws: list[bytes]) -> list[Sequence[Any]]:
    """A row for each segment and subsegment, in columns as `PLAIN_COLUMNS` names them."""
    rows: list[tuple[Any, ...]] = []

    def add(unit: _Unit, trace_id: bytes, parent: int, origin: str, kind: int, raw: bytes) -> None:
        id, start, http, method, url, status = (
            int(unit.id, 16),
            unit.start_time,
            unit.http,
            "",
            "",
            0,
        )
        if http is not None:
            if http.request is not None:
                method, url = http.request.method, http.request.url
            if http.response is not None:
                status = http.response.status
        rows.append((
            trace_id, id, parent, int(start * 1e6), int(max(0.0, unit.end_time - start) * 1e6),
            kind, unit.name, origin, unit.name, unit.namespace,
            unit.fault | unit.error << 1 | unit.throttle << 2, method, url, status,
            {k: str(v) for k, v in unit.annotations.items()} if unit.annotations else {}, raw,
        ))  # fmt: skip
        for inner in unit.subsegments or ():
            add(inner, trace_id, id, origin, 3 if inner.namespace else 2, b"")

    for raw in raws:
        segment = decode_slim(raw)
        text = segment.trace_id
        parent = int(segment.parent_id, 16) if segment.parent_id else 0
        add(segment, bytes.fromhex(text[2:10] + text[11:]), parent, segment.origin, 1, raw)
    return list(zip(*rows, strict=True))


def _plain(address: Address, chunks: Iterator[list[bytes]]) -> int:
    """Decode in one thread, insert 12,000 documents at a time in another."""
    full: queue.Queue[list[Sequence[Any]] | None] = queue.Queue(2)

    def insert() -> None:
        client = connect(address)
        while (columns := full.get()) is not None:
            client.execute(
                f"INSERT INTO plain ({PLAIN_COLUMNS}) VALUES",
                columns,
                columnar=True,
                settings={"insert_deduplication_token": uuid.uuid4().hex},
            )
        client.disconnect()

    inserter = threading.Thread(target=insert)
    inserter.start()
    count = 0
    waiting: list[bytes] = []
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= 12_000:
            full.put(plain_columns(waiting))
            count, waiting = count + len(waiting), []
    if waiting:
        full.put(plain_columns(waiting))
        count += len(waiting)
    full.put(None)
    inserter.join()
    return count
