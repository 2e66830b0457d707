"""Jaeger 2 with Badger, the storage that it brings."""

from __future__ import annotations

import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.peers.system import System, free_address, program

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
