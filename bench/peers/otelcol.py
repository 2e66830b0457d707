"""The OpenTelemetry Collector with its ClickHouse exporter, writing to the same engine as Raymap."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from bench.peers.system import System, free_address, program
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect

CONFIG = Path(__file__).parent / "otelcol" / "config.yaml"


class OtelCollector(System):
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
        text = CONFIG.read_text()
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
