"""One batch into the store, whatever is in it: a bad document never takes its neighbours along."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from collector.decode.rejected import Reason, Rejected
from collector.decode.stored import decode_any
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.spool import Spool
from collector.submission import Submission, pack_all
from store.errors import StoreUnavailable
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter, SegmentWriter

log = structlog.get_logger(__name__)
_seldom = LogLimiter(1.0)


class StoreRejectedBatch(Exception):
    """The store is there, but takes none of what it is given."""


MAX_REFUSED = 16
"""So many documents refused and none taken: that is the store's trouble, not the documents'."""


def put_batch(writer: SegmentWriter, bundles: Sequence[Submission], token: str) -> list[Document]:
    """Put what waited together, packed if the writer can; what is refused, and raised, as `insert_with_bisection`
    says. When something is wrong with the batch, its documents are put as such."""
    if isinstance(writer, ColumnarWriter):
        packed = [few for bundle in bundles for few in bundle.packed]
        rest = [document for bundle in bundles if not bundle.packed for document in bundle.held]
        try:
            writer.put_encoded([*packed, *pack_all(writer, rest)], token)
            return []
        except StoreUnavailable:
            raise
        except Exception as error:
            if (suppressed := _seldom("batch_refused")) is not None:
                log.info("batch_refused", error=type(error).__name__, **suppressed)
    documents = [document for bundle in bundles for document in bundle.documents]
    return insert_with_bisection(writer, documents, token)


def insert_with_bisection(
    writer: SegmentWriter, documents: Sequence[Document], token: str
) -> list[Document]:
    """Put a batch; the documents the store refuses even alone, normally none.

    Halves are put under tokens of their own that depend on nothing but the batch, so repeating it
    changes nothing. Raises StoreUnavailable, or StoreRejectedBatch when whatever is put is refused.
    """
    refused: list[Document] = []
    taken = 0
    parts = [(0, len(documents))]
    while parts:
        first, end = parts.pop()
        whole = end - first == len(documents)
        try:
            part_token = token if whole else f"{token}-{first}-{end}"
            writer.put(documents if whole else documents[first:end], part_token)
            taken += end - first
        except StoreUnavailable:
            raise
        except Exception as error:
            if end - first > 1:
                middle = (first + end) // 2
                parts += [(middle, end), (first, middle)]
                continue
            refused.append(documents[first])
            if len(refused) >= MAX_REFUSED and not taken:
                raise StoreRejectedBatch(str(error)) from error
            if (suppressed := _seldom("document_refused")) is not None:
                log.warning(
                    "document_refused",
                    trace_id=documents[first].trace_id.hex(),
                    id=f"{documents[first].id:016x}",
                    error=type(error).__name__,
                    **suppressed,
                )
    return refused


def replay(writer: SegmentWriter, spool: Spool, counters: IngestMetrics, token: str) -> None:
    """Give the store one batch from disk, and take it off the disk. Raises as `insert_with_bisection` does.

    A batch with documents that nobody takes any more is set aside instead: they were acknowledged.
    """
    batch = spool.read(token)
    if batch is None:
        counters.dropped.labels("torn").inc()
        return
    packer = writer if isinstance(writer, ColumnarWriter) else None
    starts = range(0, len(batch.documents), ENCODE_CHUNK)
    bundles = [
        Submission(_readable(batch.documents[start : start + ENCODE_CHUNK], counters), packer)
        for start in starts
    ]
    count = sum(bundle.count for bundle in bundles)
    whole = count == len(batch.documents)
    if count:
        refused = put_batch(writer, bundles, batch.token)
        count_stored(counters, count, len(refused))
        whole = whole and not refused
    if whole:
        spool.remove(token)
    else:
        spool.quarantine(token)


def _readable(raws: Sequence[tuple[int, bytes]], counters: IngestMetrics) -> list[Document]:
    """Documents from disk; those that are none any more are counted."""
    documents: list[Document] = []
    for version, raw in raws:
        try:
            documents.append(decode_any(raw, version))
        except Rejected as rejected:  # taken before, by another release
            counters.rejected.labels(rejected.reason).inc()
            if (suppressed := _seldom(f"spooled {rejected.reason}")) is not None:
                log.warning(
                    "spooled_document_rejected",
                    reason=str(rejected.reason),
                    id=rejected.id,
                    **suppressed,
                )
    return documents


def count_stored(counters: IngestMetrics, documents: int, refused: int) -> None:
    """Count a batch the store has taken."""
    counters.batches.labels("store").inc()
    counters.stored.inc(documents - refused)
    if refused:
        counters.rejected.labels(Reason.REFUSED).inc(refused)
