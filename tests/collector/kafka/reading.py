"""A consumer in this process, before a store that may be unavailable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry

from collector.batches import Limits
from collector.kafka.metrics import KafkaMetrics
from collector.kafka.settings import KafkaSettings, parse_topics
from collector.kafka.source import KafkaSource
from collector.kafka.target import Only
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from store.errors import StoreUnavailable

SOON = Limits(gather=0.0, linger=0.02, bulk_linger=0.1, retry_pause=0.1)
PROPERTIES = {"session.timeout.ms": "3000", "heartbeat.interval.ms": "500"}


class FaultyStore(ClickHouseStore):
    """ClickHouse that can be unavailable, or take a batch and not say so."""

    unavailable = False
    silent = 0
    """Inserts that are stored without an answer."""

    def check(self) -> None:
        """As the store, while it is available."""
        if self.unavailable:
            raise StoreUnavailable("unavailable, says the test")
        super().check()

    def put_encoded(self, packed: Sequence[Any], token: str) -> None:
        """The same."""
        self.check()
        super().put_encoded(packed, token)
        if self.silent:
            self.silent -= 1
            raise StoreUnavailable("no answer, says the test")


class Reader:
    """One consumer and its way to ClickHouse."""

    def __init__(
        self,
        brokers: str,
        topics: str,
        address: Address,
        folder: Path,
        limits: Limits = SOON,
        properties: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.store = FaultyStore(address, connections=4)
        self.metrics = IngestMetrics(CollectorRegistry())
        self.kafka = KafkaMetrics(CollectorRegistry())
        self.pipeline = IngestPipeline(self.store, folder, metrics=self.metrics, limits=limits)
        group = {"group.id": topics.partition("=")[0], **PROPERTIES, **properties}
        settings = KafkaSettings(brokers, tuple(parse_topics(topics)), group)
        self.source = KafkaSource(settings, Only(self.pipeline), self.kafka)

    def __enter__(self) -> Reader:
        self.pipeline.start()
        self.source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        self.pipeline.stop()
        self.store.close()


class Stored:
    """What ClickHouse has, row by row."""

    def __init__(self, address: Address) -> None:
        self._client = connect(address)

    def figures(self) -> dict[str, int]:
        """Rows of documents, documents, traces, and what their revisions add up to."""
        segments = "SELECT count(), uniqExact(trace_id, id), uniqExact(trace_id) FROM segments"
        ((rows, documents, traces),) = self._client.execute(segments)
        ((revisions,),) = self._client.execute("SELECT sum(revision) FROM traces")
        return {
            "rows": rows, "documents": documents, "traces": traces, "revisions": revisions,
        }  # fmt: skip

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()


def once(documents: int, traces: int) -> dict[str, int]:
    """The figures when everything was stored, and nothing twice."""
    return {
        "rows": documents, "documents": documents, "traces": traces, "revisions": documents,
    }  # fmt: skip
