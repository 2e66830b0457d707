"""The collector's Prometheus metrics, for /metrics and the console's status.

Processes that share the folder named by PROMETHEUS_MULTIPROC_DIR report their sum; the variable has
to be set before this module is imported, and `name_process` called before there is a metric.
`IngestMetrics` exists once per process (`shared_metrics`).
"""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client import generate_latest as _generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from store.once import once


class IngestMetrics:
    """The collector's metrics. Callers add in bulk, never once per document."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self.received = Counter(
            "raymap_documents_received", "Documents received", ["receiver"], registry=registry
        )
        self.stored = Counter(
            "raymap_documents_stored", "Documents the store accepted", registry=registry
        )
        self.rejected = Counter(
            "raymap_documents_rejected", "Invalid documents", ["reason"], registry=registry
        )
        self.properties_dropped = Counter(
            "raymap_properties_dropped",
            "Properties of documents that were ignored for their type",
            ["property"],
            registry=registry,
        )
        self.redacted = Counter(
            "raymap_values_redacted",
            "Values masked, hashed or dropped before they were stored",
            ["rule"],
            registry=registry,
        )
        self.dropped = Counter(
            "raymap_documents_dropped",
            "Valid documents lost: journal_full, corrupt, quarantine_full; of datagrams also no_tenant, limited",
            ["reason"],
            registry=registry,
        )
        self.deferred = Counter(
            "raymap_documents_deferred",
            "Documents answered with a request to retry: journal_full, store_behind",
            ["reason"],
            registry=registry,
        )
        self.skipped_inferred = Counter(
            "raymap_documents_skipped_inferred",
            "Inferred segments of imported traces, which Raymap derives itself",
            registry=registry,
        )
        self.telemetry = Counter(
            "raymap_telemetry_records", "Records of PutTelemetryRecords", registry=registry
        )
        self.platform_records = Counter(
            "raymap_platform_records",
            "Invocations that Lambda's platform reported, requests that API Gateway logged and executions of Step "
            "Functions: derived (segments were made of it), not_sampled, no_trace, no_function, no_start",
            ["outcome"],
            registry=registry,
        )
        self.log_lines = Counter(
            "raymap_log_lines",
            "Log lines received: accepted, or ignored as unrelated (to a trace, a request or a "
            "function), empty, platform (events of which no line is made), metrics (EMF)",
            ["outcome"],
            registry=registry,
        )
        self.metric_points = Counter(
            "raymap_metric_points",
            "Points of metrics received: accepted, or ignored as other (neither CloudWatch's nor a "
            "function's), no_node (of nothing on the map), cumulative (the temporality is not delta)",
            ["outcome"],
            registry=registry,
        )
        self.otel_metrics_ignored = Counter(
            "raymap_metrics_ignored",
            "OpenTelemetry metrics in X-Ray datagrams, accepted and discarded",
            registry=registry,
        )
        self.kernel_drops = Counter(
            "raymap_udp_kernel_drops",
            "Datagrams the kernel dropped: buffer (receive buffer full), checksum, memory (udp_mem)",
            ["reason"],
            registry=registry,
        )
        self.udp_refused = Counter(
            "raymap_udp_refused",
            "Datagrams from addresses that --udp-allow does not name",
            registry=registry,
        )
        self.queued = Gauge(
            "raymap_queue_documents",
            "Documents in memory, not yet in the store",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.journal_bytes = Gauge(
            "raymap_journal_bytes",
            "Bytes of the journal that the store does not have",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.oldest = Gauge(
            "raymap_oldest_unsent_seconds",
            "Age of the oldest document not yet in the store",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.store_unavailable = Gauge(
            "raymap_store_unavailable",
            "1 while the store is unavailable or slow and documents wait in the journal",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.cell_unsent = Gauge(
            "raymap_cell_unsent_bytes",
            "Bytes of the journal that a cell of the store has not had, by its place in the topology",
            ["cell"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.cell_unavailable = Gauge(
            "raymap_cell_unavailable",
            "1 while a cell of the store is unavailable or slow and its documents wait in the journal",
            ["cell"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.ingest_blocked = Gauge(
            "raymap_ingest_blocked",
            "1 while the journal is full or its disk is: documents are deferred",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.appended = Counter(
            "raymap_journal_appended_records", "Records written to the journal", registry=registry
        )
        self.fsync_seconds = Histogram(
            "raymap_journal_fsync_seconds",
            "Duration of writing and syncing one group of records",
            registry=registry,
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
        )
        self.quarantined = Counter(
            "raymap_documents_quarantined",
            "Acknowledged documents set aside because they cannot be stored",
            registry=registry,
        )
        self.batches = Counter(
            "raymap_batches_inserted", "Batches that the store accepted", registry=registry
        )
        self.insert_seconds = Histogram(
            "raymap_insert_seconds",
            "Duration of one insert into the store",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )

    def snapshot(self) -> dict[str, Any]:
        """The ``ingest`` block of /api/status."""
        return snapshot(self.registry)

    def render(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return render_metrics(self.registry)


@once
def shared_metrics() -> IngestMetrics:
    """The process-wide metrics."""
    return IngestMetrics()


def render_metrics(registry: CollectorRegistry = REGISTRY) -> bytes:
    """The metrics of all processes in Prometheus' text format."""
    return _generate_latest(readable(registry))


def snapshot(registry: CollectorRegistry = REGISTRY) -> dict[str, Any]:
    """The ``ingest`` block of docs/console-api.md, summed over all processes."""
    sums: dict[str, float] = {}
    reasons: dict[str, int] = {}
    for metric in readable(registry).collect():
        for sample in metric.samples:
            sums[sample.name] = sums.get(sample.name, 0) + sample.value
            if sample.name == "raymap_documents_rejected_total" and sample.value:
                reason = sample.labels["reason"]
                reasons[reason] = reasons.get(reason, 0) + int(sample.value)

    def whole(name: str) -> int:
        return int(sums.get(name, 0))

    return {
        "received": whole("raymap_documents_received_total"),
        "stored": whole("raymap_documents_stored_total"),
        "rejected": whole("raymap_documents_rejected_total"),
        "dropped": whole("raymap_documents_dropped_total"),
        "kernel_drops": whole("raymap_udp_kernel_drops_total"),
        "rejected_by_reason": reasons,
        "queued": whole("raymap_queue_documents"),
        "journal_bytes": whole("raymap_journal_bytes"),
        "oldest_s": round(sums.get("raymap_oldest_unsent_seconds", 0.0), 3),
    }


def name_process(name: str) -> None:
    """Let this process go on with the files of the one of that name that has ended. By default they are
    named after process ids, and every restart leaves some behind."""
    values.ValueClass = values.MultiProcessValue(lambda: name)  # type: ignore[no-untyped-call]


def _multiprocess() -> bool:
    return bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))


def readable(registry: CollectorRegistry = REGISTRY) -> CollectorRegistry:
    """The registry to read from; with several processes, one that merges their files."""
    if not _multiprocess():
        return registry
    merged = CollectorRegistry()
    MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
    return merged
