"""What is measured of the topics that are read."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from store.once import once


class KafkaMetrics:
    """Of one process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.lag = Gauge(
            "raymap_kafka_lag_records",
            "Records of a partition that are not stored, by the collector to which it is assigned",
            ["topic", "partition"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.records = Counter(
            "raymap_kafka_records",
            "Records whose batch was inserted: stored, or set_aside as unreadable",
            ["topic", "outcome"],
            registry=registry,
        )
        self.batches = Counter(
            "raymap_kafka_batches",
            "Batches of records whose offsets were committed",
            ["topic"],
            registry=registry,
        )
        self.failures = Counter(
            "raymap_kafka_failures",
            "Times that a consumer was replaced after an error: its offsets could not be committed, or no broker answered",
            registry=registry,
        )


@once
def shared_metrics() -> KafkaMetrics:
    """The process-wide metrics."""
    return KafkaMetrics()
