"""Decode → journal → store: everything behind the receivers.

The collector process and the API process each build one pipeline and share it among their receivers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import structlog
from msgspec import structs

from collector.batches import Ack, Limits
from collector.charges import charge
from collector.decode.lenient import DROPPED
from collector.decode.rejected import Rejected
from collector.health import IngestHealth
from collector.ingest import JOURNAL_BYTES, Ingest
from collector.journal.format import Kind
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics, shared_metrics
from collector.payloads import Decoded, decode_documents, decode_request
from collector.records import Records
from collector.redaction.redactor import Redactor
from collector.source import Source
from collector.versions import VersionClock
from store.model import derived_version, relayed_version
from store.protocol import SegmentWriter

log = structlog.get_logger(__name__)


class IngestPipeline:
    """Raw documents in, acknowledgements out. `start` before receivers open, `stop` after they close."""

    def __init__(
        self,
        writer: SegmentWriter,
        data_dir: str | os.PathLike[str],
        *,
        role: str = "collector",
        journal_bytes: int = JOURNAL_BYTES,
        limits: Limits | None = None,
        metrics: IngestMetrics | None = None,
        clock: VersionClock | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.metrics = metrics or shared_metrics()
        self._clock = clock or VersionClock()
        self._redactor = redactor or Redactor()
        self._ingest = Ingest(
            writer, Path(data_dir), role, journal_bytes, limits or Limits(), self.metrics
        )
        self._limiter = LogLimiter(log, 1.0)
        self._stopping = False

    def health(self) -> IngestHealth:
        """Whether documents can be made durable now."""
        return structs.replace(self._ingest.health(), stopping=self._stopping)

    def announce_stop(self) -> None:
        """Report unreadiness from now on, and go on accepting documents until `stop`."""
        self._stopping = True

    def start(self) -> None:
        """Start writing, inserting and replaying."""
        self._ingest.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Insert what is in memory within ``timeout`` seconds, and end; the rest is in the journal."""
        self._ingest.stop(timeout)

    def decode(
        self, raws: Sequence[bytes], receiver: str, *, relayed: bool = False, version: int = 0
    ) -> Decoded:
        """Redact, decode and count the documents of one request. ``relayed``: they have all ended, and lose to what
        their senders report (`store.model.relayed_version`). ``version``: of the first, if it is known."""
        raws = self._redact(raws)
        decoded = decode_documents(raws, version or self._version(len(raws), relayed=relayed))
        if decoded.metrics_payloads:
            self.metrics.otel_metrics_ignored.inc(decoded.metrics_payloads)
        return self._count(decoded, receiver)

    def decode_request(
        self, kind: Kind, body: bytes, receiver: str, *, relayed: bool = False, version: int = 0
    ) -> Decoded:
        """Redact and decode a request with spans, and count its documents. ``relayed``, ``version``: as of `decode`.

        Raises Rejected, counted as well, when the request as a whole is unreadable.
        """
        body, counts = self._redactor.request(kind, body)
        self._count_redacted(counts)
        try:
            decoded = decode_request(kind, body, version or self._version(relayed=relayed))
        except Rejected as rejected:
            self.reject_received(receiver, [rejected])
            raise
        return self._count(decoded, receiver)

    def decode_derived(self, raws: Sequence[bytes], rank: int, receiver: str) -> Decoded:
        """Decode and count documents that were derived from other records; they lose to reported
        ones (`store.model.derived_version`)."""
        raws = self._redact(raws)
        version = derived_version(self._clock.reserve(len(raws)), rank)
        return self._count(decode_documents(raws, version), receiver)

    def _version(self, count: int = 1, *, relayed: bool) -> int:
        version = self._clock.reserve(count)
        return relayed_version(version) if relayed else version

    def _redact(self, raws: Sequence[bytes]) -> Sequence[bytes]:
        raws, counts = self._redactor.documents(raws)
        self._count_redacted(counts)
        return raws

    def _count_redacted(self, counts: Mapping[str, int]) -> None:
        for rule, count in counts.items():
            self.metrics.redacted.labels(rule).inc(count)

    def _count(self, decoded: Decoded, receiver: str) -> Decoded:
        count = len(decoded.documents) + len(decoded.rejected)
        self.metrics.received.labels(receiver).inc(count)
        self.reject(rejection for _, rejection in decoded.rejected)
        for name, dropped in DROPPED.take().items():
            self.metrics.properties_dropped.labels(name).inc(dropped)
        return decoded

    def reject(self, rejections: Iterable[Rejected]) -> None:
        """Count and log invalid documents, never with their payload."""
        for rejected in rejections:
            rejected.as_value()
            self.metrics.rejected.labels(rejected.reason).inc()
            reason = str(rejected.reason)
            self._limiter.warning("document_rejected", key=reason, reason=reason, id=rejected.id)

    def reject_received(self, receiver: str, rejected: Sequence[Rejected]) -> None:
        """The same for documents that were not counted as received."""
        self.metrics.received.labels(receiver).inc(len(rejected))
        self.reject(rejected)

    def submit(self, decoded: Decoded) -> Ack:
        """Write documents to the journal; the future completes when they are durable.

        Raises JournalFull, as the future may.
        """
        charge(decoded)
        return self._ingest.submit(decoded)

    def reserve_version(self, least: int = 0) -> int:
        """A version for documents that arrive now, and at least this one."""
        return max(self._clock.reserve(), least)

    def source(self) -> Source:
        """What a thread needs that reads documents which another system retains."""
        return self._ingest.source()

    def may_redact(self, payload: bytes) -> bool:
        """Whether a rule may match something in a payload that cannot be decoded, and so not be redacted."""
        return self._redactor.may_match(payload)

    def redact_texts(self, texts: Sequence[str]) -> Sequence[str]:
        """Log lines without what rules of redaction remove, which is counted."""
        redacted, counts = self._redactor.texts(texts)
        self._count_redacted(counts)
        return redacted

    def submit_records(self, records: Records) -> Ack:
        """The same for log lines."""
        return self._ingest.submit_records(records, self._clock.reserve())

    def offer(self, decoded: Decoded, wait: float = 0.0) -> bool:
        """The same without an acknowledgement; False when they had to be dropped, and are counted.

        Blocks up to ``wait`` seconds while the store does not keep up.
        """
        return self._ingest.offer(decoded, wait)
