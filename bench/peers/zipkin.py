"""Zipkin's server, in memory. It has no OTLP over gRPC: the same spans go to it as Zipkin's JSON."""

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


class Zipkin(System):
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
