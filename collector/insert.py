"""Inserts one batch into the store; a document that the store refuses costs none of its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import structlog

from collector.decode.rejected import Reason
from collector.journal.format import Kind, pack
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.records import FORMS, Records, records_of, writing
from collector.submission import Submission, columns_in_chunks
from store.columnar import ColumnarDocuments, columns_of
from store.errors import DataRefused, StoreError
from store.model import Document
from store.protocol import CellWriter, ColumnarWriter, SegmentWriter

log = structlog.get_logger(__name__)
_limiter = LogLimiter(log, 1.0)

MAX_REFUSED = 16
"""This many documents refused and none accepted: the store is at fault, not the documents."""


Item = TypeVar("Item")


class Refused(NamedTuple):
    """A document that cannot be stored, and why."""

    document: Document
    reason: str

    @property
    def payload(self) -> tuple[Kind, int, int, bytes]:
        """Kind, version and number of documents, and their bytes, as in a journal."""
        return Kind.STORED, self.document.version, 1, pack([self.document.raw])


class RefusedRecord(NamedTuple):
    """A log line that cannot be stored, and why."""

    records: Records
    reason: str

    @property
    def payload(self) -> tuple[Kind, int, int, bytes]:
        """As of a document."""
        return self.records.kind, 0, self.records.count, self.records.content


class StoreRejectedBatch(StoreError):
    """The store answers, but accepts none of the documents."""


def insert_batch(
    writer: SegmentWriter, submissions: Sequence[Submission | Records], token: str
) -> list[Refused | RefusedRecord]:
    """Insert what was submitted; what is refused. Raises StoreError: all of it may be inserted again."""
    documents = [each for each in submissions if isinstance(each, Submission)]
    refused: list[Refused | RefusedRecord] = []
    if documents:
        refused += insert_documents(writer, documents, token)
    for kind in FORMS:
        parts = [e for e in submissions if isinstance(e, Records) and e.kind == kind]
        if parts:
            refused += _insert_records(writer, kind, parts, token)
    return refused


def _insert_records(
    writer: SegmentWriter, kind: Kind, parts: Sequence[Records], token: str
) -> list[RefusedRecord]:
    values = [value for part in parts for value in part.decode()]
    return [
        RefusedRecord(records, reason)
        for value, reason in bisect_refused(writing(writer, kind), values, token)
        for records in records_of(kind, [value])
    ]


def insert_documents(
    writer: SegmentWriter, submissions: Sequence[Submission], token: str
) -> list[Refused]:
    """Insert submissions, encoded if the writer is columnar; the documents that are refused.

    What cannot be encoded is left out. Only when the store refuses the data is the batch bisected.
    Raises StoreError: the whole batch may be inserted again.
    """
    refused: list[Refused] = []
    try:
        if isinstance(writer, ColumnarWriter):
            writer.put_encoded(_encode(writer, submissions, refused), token)
        else:
            writer.put([d for each in submissions for d in each.documents], token)
        return refused
    except DataRefused:
        unencodable = {id(each.document) for each in refused}
        documents = [d for each in submissions for d in each.documents if id(d) not in unencodable]
        return refused + insert_with_bisection(writer, documents, token)


def _encode(
    writer: ColumnarWriter, submissions: Sequence[Submission], refused: list[Refused]
) -> list[Any]:
    """Everything encoded; documents for which that fails are added to ``refused``."""
    encoded = [few for each in submissions for few in each.encoded]
    waiting = [each.documents for each in submissions if not each.encoded]
    large = [few for few in waiting if isinstance(few, ColumnarDocuments)]
    small = [d for few in waiting if not isinstance(few, ColumnarDocuments) for d in few]
    chunks = [chunk for few in [*large, small] for chunk in columns_in_chunks(few)]
    try:
        return [*encoded, *map(writer.encode, chunks)]
    except Exception:  # one by one, without the store
        for document in [d for few in waiting for d in few]:
            try:
                encoded.append(writer.encode(columns_of([document])))
            except Exception as error:
                refused.append(Refused(document, f"cannot be encoded: {error!r:.200}"))
    return encoded


def insert_with_bisection(
    writer: SegmentWriter, documents: Sequence[Document], token: str
) -> list[Refused]:
    """Insert documents, halving what the store refuses; those it refuses alone, normally none.

    Raises as `bisect_refused`.
    """
    refused = bisect_refused(writer.put, documents, token)
    return [Refused(document, reason) for document, reason in refused]


def bisect_refused(
    put: Callable[[Sequence[Item], str], None], items: Sequence[Item], token: str
) -> list[tuple[Item, str]]:
    """Insert, halving what is refused; what is refused alone, with the reasons.

    Halves have tokens derived from ``token`` and their place, so a repetition changes nothing.
    Raises StoreError, as StoreRejectedBatch when everything is refused.
    """
    refused: list[tuple[Item, str]] = []
    accepted = 0
    parts = [(0, len(items))]
    while parts:
        first, end = parts.pop()
        whole = end - first == len(items)
        try:
            part_token = token if whole else f"{token}-{first}-{end}"
            put(items if whole else items[first:end], part_token)
            accepted += end - first
        except DataRefused as error:
            if end - first > 1:
                middle = (first + end) // 2
                parts += [(middle, end), (first, middle)]
                continue
            refused.append((items[first], str(error)))
            if len(refused) >= MAX_REFUSED and not accepted:
                raise StoreRejectedBatch(str(error)) from error
    return refused


def _count(writer: SegmentWriter, submission: Submission) -> int:
    """How many of the documents are the writer's."""
    if not isinstance(writer, CellWriter):
        return submission.count
    if submission.encoded:
        return sum(map(writer.count_encoded, submission.encoded))
    return writer.count_own(submission.documents)


def count_stored(
    metrics: IngestMetrics,
    writer: SegmentWriter,
    submissions: Sequence[Submission | Records],
    refused: Sequence[Refused | RefusedRecord],
) -> None:
    """Count a batch that the store accepted, and name what it refused. Log lines are counted when they
    are received."""
    metrics.batches.inc()
    documents = sum([_count(writer, each) for each in submissions if isinstance(each, Submission)])
    metrics.stored.inc(documents - sum(isinstance(each, Refused) for each in refused))
    for each in refused:
        metrics.rejected.labels(Reason.REFUSED).inc()
        if isinstance(each, RefusedRecord):
            _limiter.warning("record_refused", kind=each.records.kind.name, reason=each.reason)
            continue
        _limiter.warning(
            "document_refused",
            trace_id=each.document.trace_id.hex(),
            id=f"{each.document.id:016x}",
            reason=each.reason,
        )
