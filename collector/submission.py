"""What was submitted together, in the form in which it waits for its batch."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from collector.decode.stored import decode_any
from store.columnar import DocumentColumns, columns_of
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter

MIN_COLUMNAR, MAX_COLUMNAR = 32, 1024
"""Fewer documents are packed with their neighbours when their batch goes; more would hold up the
thread that submits them, often an event loop."""
OVERHEAD, CALL, MEMBER, ITEM = 1000, 300, 50, 100
"""Bytes in memory beside the raw ones (measured): of a document, and of each of its calls,
subsegments and annotations. A document of 64 kB can be mostly one of these."""
_RAW = 72
"""The same of a packed document, its columns apart: objects for its bytes and its version."""


class Raw(NamedTuple):
    """What a document can be made of again."""

    version: int
    raw: bytes


class ColumnarDocuments(Sequence[Document]):
    """Documents that were decoded by column. Objects are made of them when somebody asks for one."""

    def __init__(self, columns: Sequence[DocumentColumns]) -> None:
        self.columns = columns
        self._count = sum(map(len, columns))
        self._documents: list[Document] | None = None

    @overload
    def __getitem__(self, place: int) -> Document: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Document]: ...
    def __getitem__(self, place: int | slice) -> Document | Sequence[Document]:
        if self._documents is None:
            self._documents = [
                decode_any(raw, version)
                for few in self.columns
                for raw, version in zip(few.raws, few.versions, strict=True)
            ]
        return self._documents[place]

    def __len__(self) -> int:
        return self._count


class Submission:
    """Documents, or what they are packed into: then they are made again only when the store refuses
    their batch."""

    def __init__(self, documents: Sequence[Document], writer: ColumnarWriter | None = None) -> None:
        self._documents: Sequence[Document] = documents
        self._raws: list[bytes] = []
        self._versions: array[int] = array("q")
        self.count = len(documents)
        self.encoded: list[Any] = []
        if writer is not None and MIN_COLUMNAR <= self.count <= MAX_COLUMNAR:
            self._encode(writer)
        self.size = size_of_encoded(self._raws, self.encoded) if self.encoded else size_of(documents)
        """Bytes in memory, roughly."""

    @property
    def documents(self) -> Sequence[Document]:
        """The documents; those that were packed, decoded once more. Raises Rejected should the
        decoder not take them any more."""
        if not self._documents and self.encoded:
            self._documents = [decode_any(raw, version) for version, raw in self._raw_ones()]
        return self._documents

    @property
    def decoded(self) -> Sequence[Document]:
        """The documents, if they are here as such."""
        return self._documents

    @property
    def raws(self) -> Sequence[Raw] | Sequence[Document]:
        """Every document's version and bytes."""
        return self._raw_ones() if self.encoded else self._documents

    def _raw_ones(self) -> list[Raw]:
        return list(map(Raw, self._versions, self._raws))

    def _encode(self, writer: ColumnarWriter) -> None:
        columns = columns_in_chunks(self._documents)
        try:
            self.encoded = list(map(writer.encode, columns))
        except Exception:  # one of them does not fit: to be found when their batch goes
            return
        self._raws = [raw for few in columns for raw in few.raws]
        self._versions = array("q", [version for few in columns for version in few.versions])
        self._documents = ()


def columns_in_chunks(documents: Sequence[Document]) -> Sequence[DocumentColumns]:
    """Documents by column, as many together as are best packed together."""
    if isinstance(documents, ColumnarDocuments):
        return documents.columns
    starts = range(0, len(documents), ENCODE_CHUNK)
    return [columns_of(documents[start : start + ENCODE_CHUNK]) for start in starts]


def encode_all(writer: ColumnarWriter, documents: Sequence[Document]) -> list[Any]:
    """Documents in packed form. Raises as `ColumnarWriter.encode` does."""
    return list(map(writer.encode, columns_in_chunks(documents)))


def size_of_encoded(raws: Sequence[bytes], encoded: Sequence[Any]) -> int:
    """Bytes that packed documents take, roughly."""
    columns: int = sum([few.size for few in encoded])
    return sum(map(len, raws)) + _RAW * len(raws) + columns


def size_of(documents: Sequence[Document]) -> int:
    """Bytes that documents take while they wait as such, roughly."""
    return (
        sum([len(d.raw) for d in documents])
        + OVERHEAD * len(documents)
        + CALL * sum([len(d.calls) for d in documents])
        + MEMBER * sum([len(d.members) for d in documents])
        + ITEM * sum([len(d.annotations) for d in documents])
    )
