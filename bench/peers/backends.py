"""The systems that are measured, each with the storage that it brings or that is written for it."""

from __future__ import annotations

import json
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil

from bench.peers.system import System, free_address, program
from bench.server import ROLES, Server, running
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.embedded import address
from store.clickhouse.rollup.dirty import dirty_buckets
from tests.collector.kafka.broker import Broker

CONFIG = """
service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry: {{logs: {{level: warn}}, metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
extensions:
  jaeger_query:
    storage: {{traces: main}}
    grpc: {{endpoint: "{other}"}}
    http: {{endpoint: "{query}"}}
  jaeger_storage:
    backends:
      main:
        badger:
          directories: {{keys: "{folder}/keys", values: "{folder}/values"}}
          ephemeral: false
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "{target}", max_recv_msg_size_mib: 64}}}}}}
exporters:
  jaeger_storage_exporter: {{trace_storage: main}}
"""


class Jaeger(System):
    """Jaeger 2 with Badger, the storage that it brings."""

    name = "jaeger (badger)"
    durable = "received, in memory"

    def __init__(self, target: str, query: str, process: psutil.Process, folder: Path) -> None:
        self.target, self.folder = target, folder
        self._query, self._process = query, process

    def processes(self) -> dict[str, psutil.Process]:
        return {"jaeger": self._process}

    def readable(self, trace_ids: Sequence[bytes]) -> None:
        return None

    def found(self, trace_id: bytes) -> int:
        try:
            with urllib.request.urlopen(
                f"http://{self._query}/api/traces/{trace_id.hex()}", timeout=30
            ) as answer:
                return sum(len(trace["spans"]) for trace in json.load(answer)["data"])
        except urllib.error.HTTPError:
            return 0


@contextmanager
def jaeger(tools: Path) -> Iterator[Jaeger]:
    with tempfile.TemporaryDirectory(prefix="raymap-bench-") as name:
        folder = Path(name)
        target, query, other = free_address(), free_address(), free_address()
        config = folder / "jaeger.yaml"
        config.write_text(CONFIG.format(target=target, query=query, other=other, folder=folder))
        command: list[str | Path] = [tools / "jaeger", "--config", f"file:{config}"]
        with program(command, target, folder / "jaeger.log") as process:
            yield Jaeger(target, query, process, folder)


COLLECTOR_CONFIG = Path(__file__).parent / "otelcol" / "config.yaml"


class OtelCollector(System):
    """The OpenTelemetry Collector with its ClickHouse exporter, writing to the same engine as Raymap."""

    name = "otelcol"
    durable = "received, in memory"

    def __init__(
        self, target: str, engine: EmbeddedClickHouse, collector: psutil.Process, folder: Path
    ) -> None:
        assert engine.process is not None
        self.target, self.folder = target, folder
        self._client = connect(replace(engine.address, database=""))
        self._processes = {
            "clickhouse": psutil.Process(engine.process.pid),
            "otelcol": collector,
        }

    def processes(self) -> dict[str, psutil.Process]:
        return self._processes

    def readable(self, trace_ids: Sequence[bytes]) -> int:
        ((count,),) = self._client.execute("SELECT count() FROM otel.otel_traces")
        return int(count)

    def live_bytes(self) -> int:
        ((size,),) = self._client.execute(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'otel'"
        )
        return int(size)


@contextmanager
def otelcol(tools: Path) -> Iterator[OtelCollector]:
    with (
        tempfile.TemporaryDirectory(prefix="raymap-bench-") as name,
        EmbeddedClickHouse(Path(name), memory_bytes=4 << 30) as engine,
    ):
        folder, target, address = Path(name), free_address(), engine.address
        client = connect(replace(address, database=""))
        client.execute("CREATE DATABASE IF NOT EXISTS otel")
        client.disconnect()
        text = COLLECTOR_CONFIG.read_text()
        for mark, value in {
            "GRPC": target,
            "CLICKHOUSE": f"tcp://{address.host}:{address.port}",
            "USER": address.user,
            "PASSWORD": f'"{address.password}"',
        }.items():
            text = text.replace(f" {mark}\n", f" {value}\n")
        config = folder / "otelcol.yaml"
        config.write_text(text)
        command: list[str | Path] = [tools / "otelcol", "--config", f"file:{config}"]
        with program(command, target, folder / "otelcol.log") as process:
            yield OtelCollector(target, engine, process, folder)


class Raymap(System):
    """Raymap itself, as `raymap serve` with its defaults."""

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


class Zipkin(System):
    """Zipkin's server, in memory. It has no OTLP over gRPC: the same spans go to it as Zipkin's JSON."""

    name = "zipkin (memory)"
    durable = "in memory only"
    protocol = "zipkin"

    def __init__(self, target: str, process: psutil.Process, folder: Path) -> None:
        self.target, self.folder = target, folder
        self._process = process

    def processes(self) -> dict[str, psutil.Process]:
        return {"zipkin": self._process}

    def readable(self, trace_ids: Sequence[bytes]) -> None:
        return None

    def found(self, trace_id: bytes) -> int:
        try:
            with urllib.request.urlopen(
                f"http://{self.target}/api/v2/trace/{trace_id.hex()}", timeout=30
            ) as answer:
                return len(json.load(answer))
        except urllib.error.HTTPError:
            return 0


@contextmanager
def zipkin(tools: Path) -> Iterator[Zipkin]:
    with tempfile.TemporaryDirectory(prefix="raymap-bench-") as name:
        target = free_address()
        port = target.rpartition(":")[2]
        command: list[str | Path] = [
            "java",
            "-Xmx4g",
            "-jar",
            tools / "zipkin.jar",
            f"--server.port={port}",
            "--zipkin.storage.mem.max-spans=2000000",
            "--logging.level.root=warn",
        ]
        with program(command, target, Path(name) / "zipkin.log", patience=120) as process:
            yield Zipkin(target, process, Path(name))
