"""Documents that were submitted together, in the form in which they wait for their batch."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

from collector.decode.stored import decode_any
from store.column_types import SpanBody, size_in_memory
from store.columnar import ColumnarDocuments, DocumentColumns, columns_of
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter

MIN_COLUMNAR, MAX_COLUMNAR = 32, 1024
"""Fewer documents are encoded with their whole batch instead; more would block the submitting thread,
often an event loop."""
OVERHEAD, CALL, MEMBER, ITEM = 1000, 300, 50, 100
"""Bytes in memory beside the raw ones (measured): of a document, and of each of its calls,
subsegments and annotations. A document can consist mostly of one of these."""
_ENCODED_OVERHEAD = 72
"""The same of an encoded document, its columns apart: the objects of its bytes and its version."""


class Submission:
    """Documents as objects or, in the right number, encoded for a columnar writer. Encoded ones are
    decoded again only when the store refuses one of their batch."""

    def __init__(self, documents: Sequence[Document], writer: ColumnarWriter | None = None) -> None:
        self._documents: Sequence[Document] = documents
        self._raws: list[Sequence[bytes]] = []
        self._versions: array[int] = array("q")
        self.count = len(documents)
        self.encoded: list[Any] = []
        if writer is not None and MIN_COLUMNAR <= self.count <= MAX_COLUMNAR:
            self._encode(writer)
        self.size = (
            size_of_encoded(self._raws, self.encoded) if self.encoded else size_of(documents)
        )
        """Approximate bytes in memory."""

    @property
    def documents(self) -> Sequence[Document]:
        """The documents; encoded ones are decoded again. Raises Rejected if that fails."""
        if not self._documents and self.encoded:
            raws = chain.from_iterable(self._raws)
            self._documents = list(map(decode_any, raws, self._versions))
        return self._documents

    @property
    def decoded(self) -> Sequence[Document]:
        """The documents that exist as objects: none while they are encoded."""
        return self._documents

    def _encode(self, writer: ColumnarWriter) -> None:
        columns = columns_in_chunks(self._documents)
        try:
            self.encoded = list(map(writer.encode, columns))
        except Exception:  # one cannot be encoded: it is found when the batch is inserted
            return
        self._raws = [few.raws for few in columns]
        self._versions = array("q", [version for few in columns for version in few.versions])
        self._documents = ()


def columns_in_chunks(documents: Sequence[Document]) -> Sequence[DocumentColumns]:
    """Documents by column, in the chunks that encode fastest."""
    if isinstance(documents, ColumnarDocuments):
        return documents.columns
    starts = range(0, len(documents), ENCODE_CHUNK)
    return [columns_of(documents[start : start + ENCODE_CHUNK]) for start in starts]


def size_of_encoded(raws: Sequence[Sequence[bytes]], encoded: Sequence[Any]) -> int:
    """Approximate bytes in memory of encoded documents."""
    columns: int = sum([few.size for few in encoded])
    return sum(map(size_in_memory, raws)) + _ENCODED_OVERHEAD * sum(map(len, raws)) + columns


def size_of(documents: Sequence[Document]) -> int:
    """Approximate bytes in memory of documents that are not encoded."""
    if isinstance(documents, ColumnarDocuments):
        return sum(map(_size_of_columns, documents.columns))
    return (
        sum([_size_of_body(d.raw) for d in documents])
        + OVERHEAD * len(documents)
        + CALL * sum([len(d.calls) for d in documents])
        + MEMBER * sum([len(d.members) for d in documents])
        + ITEM * sum([len(d.annotations) for d in documents])
    )


def _size_of_body(body: bytes) -> int:
    if not isinstance(body, SpanBody):
        return len(body)
    parts = body.parts
    return len(body) + len(parts.rest) + sum(map(len, parts.attributes))


def _size_of_columns(columns: DocumentColumns) -> int:
    return (
        size_in_memory(columns.raws)
        + OVERHEAD * len(columns)
        + CALL * len(columns.calls.owners)
        + MEMBER * len(columns.members)
        + ITEM * len(columns.annotations)
    )
