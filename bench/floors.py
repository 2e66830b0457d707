"""What each step costs by itself, in one process: nothing that does more can be faster."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil

from bench.documents import Documents
from bench.workers import decode_slim, plain_columns
from collector.decode.columnar.documents import decode_columns
from collector.decode.document import decode_document
from collector.decode.wire import read_strictly
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.write import inserts, rows
from store.clickhouse.write.encoded_columns import join
from store.columnar import DocumentColumns
from store.protocol import ENCODE_CHUNK

BATCH = 20_000
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Floor:
    """Microseconds of a document: of this process's CPU, and of the server's."""

    step: str
    client: float
    server: float = 0.0

    @property
    def per_second(self) -> float:
        """Documents a second on one core of ours."""
        return 1e6 / self.client


def decoding() -> Iterator[Floor]:
    """Without ClickHouse."""
    raws = [document for _, document in Documents().take(BATCH)]
    yield Floor("msgspec, the fields of `plain` alone", _cpu(lambda: _each(decode_slim, raws)))
    yield Floor("msgspec, every field we use", _cpu(lambda: _each(read_strictly, raws)))
    yield Floor("`plain`: decode and columns", _cpu(lambda: plain_columns(raws)))
    yield Floor("decode_document", _cpu(lambda: _each(lambda raw: decode_document(raw, 1), raws)))
    yield Floor("decode_columns", _cpu(lambda: list(_decoded(raws)) and None))
    yield Floor("decode_columns and encode", _cpu(lambda: _encoded(raws)))


def inserting(address: Address, server: psutil.Process) -> Iterator[Floor]:
    """The same columns into tables that keep nothing, and into the real ones."""
    client = connect(address)
    for table in rows.TABLES:
        client.execute(f"CREATE TABLE nothing_{table.name} AS {table.name} ENGINE = Null")
    for prefix, what in (
        ("nothing_", "join and insert, not stored"),
        ("", "join and insert, all tables"),
    ):
        mine = theirs = 0.0
        for _ in range(REPEATS):
            packed = _encoded([raw for _, raw in Documents().take(BATCH)])
            before, begun = _seconds(server), time.thread_time()
            for number, table in enumerate(rows.TABLES):
                pieces = [piece for few in packed if (piece := few.pieces[number]) is not None]
                if pieces:
                    client.execute(
                        f"INSERT INTO {prefix}{table.name} ({table.names}) VALUES",
                        join(table.types, pieces),
                        columnar=True,
                        settings={"insert_deduplication_token": uuid.uuid4().hex},
                    )
            mine += time.thread_time() - begun
            theirs += _seconds(server) - before
        scale = 1e6 / BATCH / REPEATS
        yield Floor(what, mine * scale, theirs * scale)
    client.disconnect()


def _encoded(raws: list[bytes]) -> list[inserts.EncodedDocuments]:
    return list(map(inserts.encode, _decoded(raws)))


def _decoded(raws: list[bytes]) -> Iterator[DocumentColumns]:
    now = time.time_ns() // 1000
    for start in range(0, len(raws), ENCODE_CHUNK):
        yield decode_columns(raws[start : start + ENCODE_CHUNK], now)[0]


def _each(decode: Callable[[bytes], object], raws: list[bytes]) -> None:
    for raw in raws:
        decode(raw)


def _cpu(work: Callable[[], object]) -> float:
    """Microseconds a document, the best of a few."""
    best = float("inf")
    for _ in range(REPEATS):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best * 1e6 / BATCH


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
