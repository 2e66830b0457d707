"""Metrics of a tenant's documents: counted for the whole server, and once more under the tenant's name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client import generate_latest as _generate_latest

from collector.metrics import IngestMetrics, readable
from store.once import once


class Families(NamedTuple):
    """Metrics with the label ``tenant``."""

    received: Counter
    stored: Counter
    rejected: Counter
    dropped: Counter
    bytes: Counter
    queued: Gauge
    journal_bytes: Gauge
    oldest: Gauge
    ingest_blocked: Gauge


@once
def families(registry: CollectorRegistry) -> Families:
    """The metrics of tenants."""

    def counter(name: str, text: str, *labels: str) -> Counter:
        return Counter(f"raymap_tenant_{name}", text, ["tenant", *labels], registry=registry)

    def gauge(name: str, text: str, mode: Any) -> Gauge:
        return Gauge(
            f"raymap_tenant_{name}", text, ["tenant"], registry=registry, multiprocess_mode=mode
        )

    return Families(
        counter("documents_received", "Documents received of a tenant"),
        counter("documents_stored", "Documents of a tenant that the store accepted"),
        counter("documents_rejected", "Invalid documents of a tenant", "reason"),
        counter("documents_dropped", "Valid documents of a tenant that were lost"),
        counter("bytes", "Bytes of a tenant's documents, as they are in the journal uncompressed"),
        gauge("queue_documents", "Documents of a tenant in memory", "livesum"),
        gauge("journal_bytes", "Bytes of a tenant's journals that the store does not have", "livesum"),
        gauge("oldest_unsent_seconds", "Age of a tenant's oldest document not stored", "livemax"),
        gauge("ingest_blocked", "1 while a tenant's journal is full or its disk is", "livemax"),
    )  # fmt: skip


class _Both:
    """A counter of the server that adds to a tenant's as well."""

    def __init__(self, shared: Any, own: Any) -> None:
        self._shared, self._own = shared, own

    def labels(self, *values: str) -> _Both:
        """They do not divide the tenant's."""
        return _Both(self._shared.labels(*values), self._own)

    def inc(self, amount: float = 1) -> None:
        self._shared.inc(amount)
        self._own.inc(amount)


class TenantMetrics(IngestMetrics):
    """`IngestMetrics` of one tenant. It has the metrics that are counted apart; the others are those of
    ``shared``."""

    def __init__(self, tenant: str, shared: IngestMetrics) -> None:
        self._tenant, self._shared = tenant, shared
        own = families(shared.registry)
        self.received = cast("Counter", _Both(shared.received, own.received.labels(tenant)))
        self.stored = cast("Counter", _Both(shared.stored, own.stored.labels(tenant)))
        self.dropped = cast("Counter", _Both(shared.dropped, own.dropped.labels(tenant)))
        self.rejected = cast("Counter", _Rejected(shared.rejected, own.rejected, tenant))
        self.bytes = own.bytes.labels(tenant)
        self.queued = own.queued.labels(tenant)
        self.journal_bytes = own.journal_bytes.labels(tenant)
        self.oldest = own.oldest.labels(tenant)
        self.ingest_blocked = own.ingest_blocked.labels(tenant)
        self.store_unavailable = cast("Gauge", _Nothing())
        self.cell_unavailable = self.cell_unsent = cast("Gauge", _Nothing())
        """The default tenant's pipeline says it of the one ClickHouse."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shared, name)

    def snapshot(self) -> dict[str, Any]:
        """The ``ingest`` block of /api/status, of this tenant."""
        sums: dict[str, float] = {}
        reasons: dict[str, int] = {}
        for metric in self._own():
            for sample in metric.samples:
                name = sample.name.removeprefix("raymap_tenant_")
                sums[name] = sums.get(name, 0) + sample.value
                if name == "documents_rejected_total" and sample.value:
                    reasons[sample.labels["reason"]] = int(sample.value)
        return {
            "received": int(sums.get("documents_received_total", 0)),
            "stored": int(sums.get("documents_stored_total", 0)),
            "rejected": int(sums.get("documents_rejected_total", 0)),
            "dropped": int(sums.get("documents_dropped_total", 0)),
            "kernel_drops": None,
            "rejected_by_reason": reasons,
            "queued": int(sums.get("queue_documents", 0)),
            "journal_bytes": int(sums.get("journal_bytes", 0)),
            "oldest_s": round(sums.get("oldest_unsent_seconds", 0.0), 3),
        }

    def render(self) -> bytes:
        """This tenant's metrics in Prometheus' text format, and nothing of others."""
        registry = CollectorRegistry()
        registry.register(self)
        return _generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """For the registry of `render`."""
        return self._own()

    def _own(self) -> Iterator[Metric]:
        for metric in readable(self.registry).collect():
            samples = [s for s in metric.samples if s.labels.get("tenant") == self._tenant]
            if samples:
                own = copy.copy(metric)
                own.samples = samples
                yield own


class _Rejected:
    """The counter of rejections: by reason, and by tenant and reason."""

    def __init__(self, shared: Counter, own: Counter, tenant: str) -> None:
        self._shared, self._own, self._tenant = shared, own, tenant

    def labels(self, reason: str) -> _Both:
        return _Both(self._shared.labels(reason), self._own.labels(self._tenant, reason))


class _Nothing:
    def labels(self, *values: str) -> _Nothing:
        """Nor of a part."""
        return self

    def set(self, value: float) -> None:
        """Not this pipeline's to say."""
