"""A store behind Firehose's receiver, with the joiner: what lines of AWS's services become, from delivery to map."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from collector.metrics import IngestMetrics
from collector.receivers.firehose import create_firehose_router
from raymap.invocation_joiner import InvocationJoiner
from store.graph import Statistics
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from store.protocol import Store
from store.times import HOUR, MINUTE
from tests.access_logs import access_batch
from tests.collector.conftest import SOON, StoringPipeline
from tests.lambda_samples import DELIVERY_STREAM, END, delivery, log_batch, record, report_line

Json = dict[str, Any]
AROUND = TimeRange(END - HOUR, END + MINUTE)


class World:
    """A store behind Firehose's receiver, and the joiner."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        metrics = IngestMetrics(CollectorRegistry())
        self.pipeline = StoringPipeline(store, folder, metrics=metrics, limits=SOON)
        self.pipeline.start()
        app = FastAPI()
        app.include_router(create_firehose_router(self.pipeline))
        self._http = TestClient(app, client=("127.0.0.1", 5000))
        self.later = 0
        self.joiner = InvocationJoiner(store, self.pipeline, self.now)

    def now(self) -> int:
        return time.time_ns() // 1_000 + self.later

    def post(self, body: Json) -> None:
        headers = {"X-Amz-Firehose-Source-Arn": DELIVERY_STREAM}
        answer = self._http.post("/firehose/logs", content=json.dumps(body), headers=headers)
        assert answer.status_code == 200, answer.text

    def lines(self, *lines: str) -> None:
        self.post(delivery(record(access_batch(*lines))))

    def report(self) -> None:
        """Lambda's lines of the invocation."""
        self.post(delivery(record(log_batch(report_line()))))

    def put(self, *documents: Json) -> None:
        """What an SDK sends."""
        raws = [msgspec.json.encode(each) for each in documents]
        self.pipeline.submit(self.pipeline.decode(raws, "test")).result(60)

    def join(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            self.joiner.join()

    @property
    def nodes(self) -> dict[NodeKey, tuple[int, ...]]:
        graph = self.store.service_graph(AROUND)
        return {k: counts(s.statistics) for k, s in graph.services.items() if not k.is_client}

    @property
    def edges(self) -> dict[tuple[NodeKey, NodeKey], int]:
        edges = self.store.service_graph(AROUND).edges
        return {ends: each.statistics.total for ends, each in edges.items()}


def counts(statistics: Statistics) -> tuple[int, ...]:
    s = statistics
    return s.ok, s.error, s.throttle, s.fault


@pytest.fixture(params=["memory", "clickhouse"])
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Worlds of both stores; several of ClickHouse share one database."""
    made: list[World] = []

    def make() -> World:
        if request.param == "memory":
            store: Store = MemoryStore()
        else:
            store = request.getfixturevalue("clickhouse_store")
        made.append(World(store, tmp_path / str(len(made))))
        return made[-1]

    yield make
    for each in made:
        each.pipeline.stop(5.0)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def memory_world(tmp_path: Path) -> Iterator[Callable[[], World]]:
    made: list[World] = []

    def make() -> World:
        made.append(World(MemoryStore(), tmp_path / str(len(made))))
        return made[-1]

    yield make
    for each in made:
        each.pipeline.stop(5.0)
