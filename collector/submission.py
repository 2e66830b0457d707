"""What was submitted together, in the form in which it waits for its batch."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from collector.decode.stored import decode_any
from store.columnar import DocumentColumns, columns_of
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter

FEWEST, MOST = 32, 1024
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

    def __init__(self, sheets: Sequence[DocumentColumns]) -> None:
        self.sheets = sheets
        self._count = sum(map(len, sheets))
        self._documents: list[Document] | None = None

    @overload
    def __getitem__(self, place: int) -> Document: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Document]: ...
    def __getitem__(self, place: int | slice) -> Document | Sequence[Document]:
        if self._documents is None:
            self._documents = [
                decode_any(raw, version)
                for sheet in self.sheets
                for raw, version in zip(sheet.raws, sheet.versions, strict=True)
            ]
        return self._documents[place]

    def __len__(self) -> int:
        return self._count


class Submission:
    """Documents, or what they are packed into: then they are made again only when the store refuses
    their batch."""

    def __init__(self, documents: Sequence[Document], packer: ColumnarWriter | None = None) -> None:
        self._documents: Sequence[Document] = documents
        self._raws: list[bytes] = []
        self._versions: array[int] = array("q")
        self.count = len(documents)
        self.packed: list[Any] = []
        if packer is not None and FEWEST <= self.count <= MOST:
            self._pack(packer)
        self.size = size_packed(self._raws, self.packed) if self.packed else size_of(documents)
        """Bytes in memory, roughly."""

    @property
    def documents(self) -> Sequence[Document]:
        """The documents; those that were packed, decoded once more. Raises Rejected should the
        decoder not take them any more."""
        if not self._documents and self.packed:
            self._documents = [decode_any(raw, version) for version, raw in self._raw_ones()]
        return self._documents

    @property
    def held(self) -> Sequence[Document]:
        """The documents, if they are here as such."""
        return self._documents

    @property
    def raws(self) -> Sequence[Raw] | Sequence[Document]:
        """Every document's version and bytes."""
        return self._raw_ones() if self.packed else self._documents

    def _raw_ones(self) -> list[Raw]:
        return list(map(Raw, self._versions, self._raws))

    def _pack(self, packer: ColumnarWriter) -> None:
        sheets = sheets_of(self._documents)
        try:
            self.packed = list(map(packer.encode, sheets))
        except Exception:  # one of them does not fit: to be found when their batch goes
            return
        self._raws = [raw for sheet in sheets for raw in sheet.raws]
        self._versions = array("q", [version for sheet in sheets for version in sheet.versions])
        self._documents = ()


def sheets_of(documents: Sequence[Document]) -> Sequence[DocumentColumns]:
    """Documents by column, as many together as are best packed together."""
    if isinstance(documents, ColumnarDocuments):
        return documents.sheets
    starts = range(0, len(documents), ENCODE_CHUNK)
    return [columns_of(documents[start : start + ENCODE_CHUNK]) for start in starts]


def pack_all(packer: ColumnarWriter, documents: Sequence[Document]) -> list[Any]:
    """Documents in packed form. Raises as `ColumnarWriter.encode` does."""
    return list(map(packer.encode, sheets_of(documents)))


def size_packed(raws: Sequence[bytes], packed: Sequence[Any]) -> int:
    """Bytes that packed documents take, roughly."""
    columns: int = sum([few.size for few in packed])
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
