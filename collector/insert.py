"""Inserts one batch into the store; a document that the store refuses costs none of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from collector.decode.rejected import Reason, Rejected
from collector.decode.stored import decode_any
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.spool import Spool
from collector.submission import Submission, encode_all
from store.errors import StoreUnavailable
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter, SegmentWriter

log = structlog.get_logger(__name__)
_limiter = LogLimiter(log, 1.0)

MAX_REFUSED = 16
"""This many documents refused and none accepted: the store is at fault, not the documents."""


class StoreRejectedBatch(Exception):
    """The store answers, but accepts none of the documents."""


def insert_batch(
    writer: SegmentWriter, submissions: Sequence[Submission], token: str
) -> list[Document]:
    """Insert submissions, encoded if the writer is columnar; the documents that the store refuses.

    When the encoded batch fails, its documents are bisected. Raises as `insert_with_bisection` does.
    """
    if isinstance(writer, ColumnarWriter):
        encoded = [few for submission in submissions for few in submission.encoded]
        rest = [d for each in submissions if not each.encoded for d in each.decoded]
        try:
            writer.put_encoded([*encoded, *encode_all(writer, rest)], token)
            return []
        except StoreUnavailable:
            raise
        except Exception as error:
            _limiter.info("encoded_batch_refused", error=type(error).__name__)
    documents = [document for submission in submissions for document in submission.documents]
    return insert_with_bisection(writer, documents, token)


def insert_with_bisection(
    writer: SegmentWriter, documents: Sequence[Document], token: str
) -> list[Document]:
    """Insert documents, halving what the store refuses; those it refuses alone, normally none.

    Halves have tokens derived from ``token`` and their place, so a repetition changes nothing.
    Raises StoreUnavailable, or StoreRejectedBatch when every document is refused.
    """
    refused: list[Document] = []
    accepted = 0
    parts = [(0, len(documents))]
    while parts:
        first, end = parts.pop()
        whole = end - first == len(documents)
        try:
            part_token = token if whole else f"{token}-{first}-{end}"
            writer.put(documents if whole else documents[first:end], part_token)
            accepted += end - first
        except StoreUnavailable:
            raise
        except Exception as error:
            if end - first > 1:
                middle = (first + end) // 2
                parts += [(middle, end), (first, middle)]
                continue
            refused.append(documents[first])
            if len(refused) >= MAX_REFUSED and not accepted:
                raise StoreRejectedBatch(str(error)) from error
            _log_refused(documents[first], error)
    return refused


def _log_refused(document: Document, error: Exception) -> None:
    _limiter.warning(
        "document_refused",
        trace_id=document.trace_id.hex(),
        id=f"{document.id:016x}",
        error=type(error).__name__,
    )


def replay(writer: SegmentWriter, spool: Spool, metrics: IngestMetrics, token: str) -> None:
    """Insert one batch from disk and remove its file. Raises as `insert_with_bisection` does.

    A batch with documents that are refused or no longer decode is quarantined instead, and a damaged
    file is set aside with its intact documents inserted: both were acknowledged.
    """
    batch = spool.read(token)
    if batch is None:
        return
    columnar = writer if isinstance(writer, ColumnarWriter) else None
    submissions = [
        Submission(
            _decode_spooled(batch.documents[start : start + ENCODE_CHUNK], metrics), columnar
        )
        for start in range(0, len(batch.documents), ENCODE_CHUNK)
    ]
    count = sum(submission.count for submission in submissions)
    complete = count == len(batch.documents)
    if count:
        refused = insert_batch(writer, submissions, token)
        count_stored(metrics, count, len(refused))
        complete = complete and not refused
    if batch.lost:
        metrics.dropped.labels("corrupt").inc(batch.lost)
        spool.set_corrupt_aside(token, batch.lost)
    elif complete:
        spool.remove(token)
    else:
        spool.quarantine(token)


def _decode_spooled(raws: Sequence[tuple[int, bytes]], metrics: IngestMetrics) -> list[Document]:
    """Documents from disk; those that do not decode are counted and left out."""
    documents: list[Document] = []
    for version, raw in raws:
        try:
            documents.append(decode_any(raw, version))
        except Rejected as rejected:  # accepted by another release
            metrics.rejected.labels(rejected.reason).inc()
            reason = str(rejected.reason)
            _limiter.warning("spooled_document_rejected", key=reason, reason=reason, id=rejected.id)
    return documents


def count_stored(metrics: IngestMetrics, documents: int, refused: int) -> None:
    """Count a batch that the store accepted."""
    metrics.batches.labels("store").inc()
    metrics.stored.inc(documents - refused)
    if refused:
        metrics.rejected.labels(Reason.REFUSED).inc(refused)
