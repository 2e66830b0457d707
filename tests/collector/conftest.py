"""Pipelines over the memory store, and the generated protocol modules."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from collector.batches import Ack, Limits
from collector.metrics import IngestMetrics
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.records import Records
from store.memory import MemoryStore

ROOT = Path(__file__).parents[2]
PROTO = ROOT / "proto/raymap/v1/segments.proto"


def generate_protocol() -> None:
    """Generate collector/_pb as proto/README.md says, when it is missing or older."""
    generated = ROOT / "collector/_pb/segments_pb2_grpc.py"
    if generated.exists() and generated.stat().st_mtime >= PROTO.stat().st_mtime:
        return
    from grpc_tools import protoc

    generated.parent.mkdir(exist_ok=True)
    arguments = [
        "protoc",
        f"-Icollector/_pb={PROTO.parent}",
        *(f"--{kind}_out={ROOT}" for kind in ("python", "pyi", "grpc_python")),
        "collector/_pb/segments.proto",
    ]
    assert protoc.main(arguments) == 0


generate_protocol()


SOON = Limits(gather=0.0, linger=0.0)


class StoringPipeline(IngestPipeline):
    """Acknowledges when the store has the documents, for tests that then look for them there."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waiting = ThreadPoolExecutor(8)

    def submit(self, decoded: Decoded) -> Any:
        ack = super().submit(decoded)
        return self._waiting.submit(self._wait, ack)

    def submit_records(self, records: Records) -> Any:
        ack = super().submit_records(records)
        return self._waiting.submit(self._wait, ack)

    def _wait(self, ack: Ack) -> None:
        ack.result(60)
        while self.health().queued:
            time.sleep(0.001)


@pytest.fixture
def metrics() -> IngestMetrics:
    return IngestMetrics(CollectorRegistry())


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def pipeline(
    memory: MemoryStore, metrics: IngestMetrics, tmp_path: Path
) -> Iterator[IngestPipeline]:
    """A running pipeline that acknowledges late."""
    pipeline = StoringPipeline(memory, tmp_path, metrics=metrics, limits=SOON)
    pipeline.start()
    yield pipeline
    pipeline.stop(5.0)
