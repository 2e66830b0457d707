"""Everything behind the doors, in one hand: clock, decoder, batcher, spool and counters.

The collector's process and the API's process each build one and give it to their doors.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from collector.batcher import Batcher, IngestHealth
from collector.decode.columnar.documents import decode_sheet
from collector.decode.document import decode_document
from collector.decode.otlp.datagram import decode_payload, is_metrics
from collector.decode.rejected import Rejected
from collector.metrics import IngestMetrics, shared_counters
from collector.queue import Ack, Limits
from collector.spool import Spool
from collector.submission import FEWEST, MOST, ColumnarDocuments
from collector.versions import VersionClock
from store.columnar import DocumentColumns
from store.model import Document
from store.protocol import ENCODE_CHUNK, SegmentWriter

log = structlog.get_logger(__name__)

SPOOL_BYTES = 2 << 30


class Decoded(NamedTuple):
    """What came of the documents of one request; the rejected with their place in it."""

    documents: Sequence[Document]
    rejected: list[tuple[int, Rejected]]


class IngestPipeline:
    """Documents in, futures out. `start` before the doors open, `stop` after they have closed."""

    def __init__(
        self,
        writer: SegmentWriter,
        data_dir: str | os.PathLike[str],
        *,
        role: str = "collector",
        spool_bytes: int = SPOOL_BYTES,
        limits: Limits | None = None,
        counters: IngestMetrics | None = None,
        clock: VersionClock | None = None,
    ) -> None:
        self.counters = counters or shared_counters()
        self._clock = clock or VersionClock()
        self._spool = Spool(Path(data_dir) / "spool", role, spool_bytes)
        self._batcher = Batcher(writer, self._spool, self.counters, limits or Limits())
        self._complaints = _Complaints()

    def health(self) -> IngestHealth:
        """How it stands with keeping what comes in."""
        return self._batcher.health()

    def start(self) -> None:
        """Begin to insert and to replay."""
        self._batcher.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Keep what is queued, in the store or in the spool, and end."""
        self._batcher.stop(timeout)
        self._spool.close()

    def decode(self, raws: Sequence[bytes], door: str) -> Decoded:
        """Understand the documents of one request, and count them."""
        version = self._clock.reserve(len(raws))
        if FEWEST <= len(raws) <= MOST and all([raw.startswith(b"{") for raw in raws]):  # noqa: C419
            return self._count(_by_column(raws, version), door)
        metrics = 0
        documents: list[Document] = []
        rejected: list[tuple[int, Rejected]] = []
        for index, raw in enumerate(raws):
            if raw.startswith(b"{"):  # one document of X-Ray's: nearly everything
                try:
                    documents.append(decode_document(raw, version + index))
                except Rejected as rejection:
                    rejected.append((index, rejection))
            elif is_metrics(raw):
                metrics += 1
            else:
                for result in decode_payload(raw, version + index):
                    if isinstance(result, Document):
                        documents.append(result)
                    else:
                        rejected.append((index, result))
        if metrics:
            self.counters.metrics.inc(metrics)
        return self._count(Decoded(documents, rejected), door)

    def decode_request(
        self, decode: Callable[[int], Iterable[Document | Rejected]], door: str
    ) -> Decoded:
        """Understand a request in another format, given its decoder, and count what it held.

        Raises Rejected, counted too, when the request as a whole cannot be read.
        """
        try:
            results = list(decode(self._clock.reserve()))
        except Rejected as rejected:
            self.counters.received.labels(door).inc()
            self.reject([rejected])
            raise
        documents = [result for result in results if isinstance(result, Document)]
        rejections = [
            (index, result)
            for index, result in enumerate(results)
            if not isinstance(result, Document)
        ]
        return self._count(Decoded(documents, rejections), door)

    def _count(self, decoded: Decoded, door: str) -> Decoded:
        count = len(decoded.documents) + len(decoded.rejected)
        self.counters.received.labels(door).inc(count)
        self.reject(rejection for _, rejection in decoded.rejected)
        return decoded

    def reject(self, rejections: Iterable[Rejected]) -> None:
        """Count and log what was turned away."""
        for rejected in rejections:
            self.counters.rejected.labels(rejected.reason).inc()
            self._complaints.log(rejected)

    def submit(self, documents: Sequence[Document]) -> Ack:
        """Queue documents; the future is done when they are kept. Raises Full."""
        return self._batcher.submit(documents)

    def offer(self, documents: Sequence[Document], wait: float = 0.0) -> bool:
        """Queue documents without an answer; False when they had to be dropped, for want of room
        within ``wait`` seconds."""
        return self._batcher.offer(documents, wait)


def _by_column(raws: Sequence[bytes], version: int) -> Decoded:
    """Documents of X-Ray's, as they are best packed."""
    sheets: list[DocumentColumns] = []
    rejected: list[tuple[int, Rejected]] = []
    for start in range(0, len(raws), ENCODE_CHUNK):
        sheet, bad = decode_sheet(raws[start : start + ENCODE_CHUNK], version + start)
        sheets.append(sheet)
        rejected += [(start + place, rejection) for place, rejection in bad]
    return Decoded(ColumnarDocuments([sheet for sheet in sheets if len(sheet)]), rejected)


class _Complaints:
    """At most one log line per second and reason, never with a payload."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def log(self, rejected: Rejected) -> None:
        reason, now = str(rejected.reason), time.monotonic()
        with self._lock:
            if now - self._last.get(reason, -1.0) < 1.0:
                self._unsaid[reason] = self._unsaid.get(reason, 0) + 1
                return
            self._last[reason] = now
            suppressed = self._unsaid.pop(reason, 0)
        log.warning("document_rejected", reason=reason, id=rejected.id, suppressed=suppressed)
