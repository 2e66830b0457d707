"""Decode → queue → batcher → store or spool: everything behind the receivers.

The collector process and the API process each build one pipeline and share it among their receivers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog
from msgspec import structs

from collector.batcher import Batcher
from collector.decode.columnar.documents import decode_columns
from collector.decode.document import decode_document
from collector.decode.lenient import DROPPED
from collector.decode.limits import too_many_documents
from collector.decode.otlp.columns import Spans
from collector.decode.otlp.datagram import decode_payload, is_metrics
from collector.decode.rejected import Rejected
from collector.health import IngestHealth
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics, shared_metrics
from collector.queue import Ack, Limits
from collector.settings import SPOOL_BYTES
from collector.spool import Spool
from collector.submission import MAX_COLUMNAR, MIN_COLUMNAR
from collector.versions import VersionClock
from store.columnar import ColumnarDocuments, DocumentColumns
from store.model import Document
from store.protocol import ENCODE_CHUNK, SegmentWriter

log = structlog.get_logger(__name__)
MAX_RESULTS = 200_000
"""Documents that the arrays and OTLP payloads of one request may contain: as many as fit in the queue."""


class Decoded(NamedTuple):
    """The decoded documents of one request, and its rejections with their index in the request."""

    documents: Sequence[Document]
    rejected: list[tuple[int, Rejected]]


class IngestPipeline:
    """Raw documents in, acknowledgements out. `start` before receivers open, `stop` after they close."""

    def __init__(
        self,
        writer: SegmentWriter,
        data_dir: str | os.PathLike[str],
        *,
        role: str = "collector",
        spool_bytes: int = SPOOL_BYTES,
        limits: Limits | None = None,
        metrics: IngestMetrics | None = None,
        clock: VersionClock | None = None,
    ) -> None:
        self.metrics = metrics or shared_metrics()
        self._clock = clock or VersionClock()
        self._spool = Spool(Path(data_dir) / "spool", role, spool_bytes)
        self._batcher = Batcher(writer, self._spool, self.metrics, limits or Limits())
        self._limiter = LogLimiter(log, 1.0)
        self._stopping = False

    def health(self) -> IngestHealth:
        """Whether documents can be made durable now."""
        return structs.replace(self._batcher.health(), stopping=self._stopping)

    def announce_stop(self) -> None:
        """Report unreadiness from now on, and go on accepting documents until `stop`."""
        self._stopping = True

    def start(self) -> None:
        """Start inserting and replaying."""
        self._batcher.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Drain the queue into the store or the spool within ``timeout`` seconds, and end."""
        self._batcher.stop(timeout)
        self._spool.close()

    def decode(self, raws: Sequence[bytes], receiver: str) -> Decoded:
        """Decode and count the documents of one request."""
        version = self._clock.reserve(len(raws))
        if MIN_COLUMNAR <= len(raws) <= MAX_COLUMNAR and all(
            [raw.startswith(b"{") for raw in raws]  # noqa: C419
        ):
            return self._count(_decode_by_column(raws, version), receiver)
        return self._count(self._decode_each(raws, version), receiver)

    def _decode_each(self, raws: Sequence[bytes], version: int) -> Decoded:
        """Documents one by one; arrays and OTLP payloads must not multiply their number at will."""
        max_results = len(raws) + MAX_RESULTS
        metrics_payloads = 0
        documents: list[Document] = []
        rejected: list[tuple[int, Rejected]] = []
        for index, raw in enumerate(raws):
            if raw.startswith(b"{"):  # an X-Ray document, by far the most frequent
                try:
                    documents.append(decode_document(raw, version + index))
                except Rejected as rejection:
                    rejected.append((index, rejection))
            elif is_metrics(raw):
                metrics_payloads += 1
            else:
                results = list(decode_payload(raw, version + index))
                if len(documents) + len(rejected) + len(results) > max_results:
                    results = [too_many_documents()]
                for result in results:
                    if isinstance(result, Document):
                        documents.append(result)
                    else:
                        rejected.append((index, result))
        if metrics_payloads:
            self.metrics.otel_metrics_ignored.inc(metrics_payloads)
        return Decoded(documents, rejected)

    def decode_request(
        self, decode: Callable[[int], Iterable[Document | Rejected] | Spans], receiver: str
    ) -> Decoded:
        """Decode a request in another format with its decoder, and count its documents.

        Raises Rejected, counted as well, when the request as a whole is unreadable.
        """
        try:
            found = decode(self._clock.reserve())
            if isinstance(found, Spans):
                return self._count(Decoded(found.documents, found.rejected), receiver)
            results = list(found)
        except Rejected as rejected:
            self.metrics.received.labels(receiver).inc()
            self.reject([rejected])
            raise
        documents = [result for result in results if isinstance(result, Document)]
        rejections = [
            (index, result)
            for index, result in enumerate(results)
            if not isinstance(result, Document)
        ]
        return self._count(Decoded(documents, rejections), receiver)

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
            self.metrics.rejected.labels(rejected.reason).inc()
            reason = str(rejected.reason)
            self._limiter.warning("document_rejected", key=reason, reason=reason, id=rejected.id)

    def submit(self, documents: Sequence[Document]) -> Ack:
        """Queue documents; the future completes when they are durable. Raises QueueFull."""
        return self._batcher.submit(documents)

    def offer(self, documents: Sequence[Document], wait: float = 0.0) -> bool:
        """Queue documents without an acknowledgement. False when the queue had no room within
        ``wait`` seconds: they are dropped and counted."""
        return self._batcher.offer(documents, wait)


def _decode_by_column(raws: Sequence[bytes], version: int) -> Decoded:
    """X-Ray documents in chunks of the size that encodes fastest."""
    columns: list[DocumentColumns] = []
    rejected: list[tuple[int, Rejected]] = []
    for start in range(0, len(raws), ENCODE_CHUNK):
        chunk, bad = decode_columns(raws[start : start + ENCODE_CHUNK], version + start)
        columns.append(chunk)
        rejected += [(start + index, rejection) for index, rejection in bad]
    return Decoded(ColumnarDocuments([chunk for chunk in columns if len(chunk)]), rejected)
