"""Pipelines over the memory store, and the generated protocol modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.queue import Limits
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
    """A running pipeline with small batches."""
    pipeline = IngestPipeline(memory, tmp_path, metrics=metrics, limits=Limits(linger=0.02))
    pipeline.start()
    yield pipeline
    pipeline.stop(5.0)
