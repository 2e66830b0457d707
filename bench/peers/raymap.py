"""Raymap itself, as `raymap serve` with its defaults."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from bench.peers.system import System
from bench.server import ROLES, Server, running
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.embedded import address
from store.clickhouse.rollup.dirty import dirty_buckets
from tests.collector.kafka.broker import Broker


class Raymap(System):
    name = "raymap"
    durable = "in the journal, fsynced"

    def __init__(self, server: Server) -> None:
        self.target = server.grpc
        self.folder = server.data_dir
        self._server = server
        self._client = connect(address(server.data_dir))

    def processes(self) -> dict[str, psutil.Process]:
        return {
            f"{role} {number}": process
            for role in ROLES
            for number, process in enumerate(self._server.processes(role))
        }

    def readable(self, trace_ids: Sequence[bytes]) -> int:
        # A span without work of its own may be part of another's document: count the spans' rows.
        ((count,),) = self._client.execute("SELECT count() FROM segments")
        return int(count)

    def distinct(self) -> int:
        ((count,),) = self._client.execute("SELECT uniqExact(trace_id, id) FROM segments")
        return int(count)

    def live_bytes(self) -> int:
        ((size,),) = self._client.execute(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"
        )
        return int(size)

    def works(self) -> bool:
        # Without readers a bucket is counted when no more rows are expected, some seconds later.
        dirty = dirty_buckets(partial(execute, self._client))
        return any(not bucket.confirming for bucket in dirty)

    def by_table(self) -> dict[str, int]:
        """Live bytes of each table."""
        return dict(
            self._client.execute(
                "SELECT table, sum(bytes_on_disk) FROM system.parts "
                "WHERE active AND database = currentDatabase() GROUP BY table"
            )
        )


@contextmanager
def raymap(options: Sequence[str] = ()) -> Iterator[Raymap]:
    with running(options) as server:
        yield Raymap(server)


@contextmanager
def raymap_kafka(_: Path) -> Iterator[Raymap]:
    """The same that reads a topic with a partition for each core, of a broker that is not measured."""
    topic = "otlp_spans"
    with tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder:
        broker = Broker(Path(folder))
        broker.start()
        try:
            broker.create(topic, os.cpu_count() or 1)
            with raymap(("--kafka", broker.address, "--topic", topic)) as system:
                system.name, system.protocol = "raymap-kafka", "kafka"
                system.target, system.durable = f"{broker.address}/{topic}", "in Kafka"
                yield system
        finally:
            broker.kill()
