"""Columns that are smaller, or sooner made, than lists: few values by code, packed texts, spans in parts."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar, overload

from store.otel.stored_span import join_span
from store.varint import varint

T = TypeVar("T")


class Coded(Sequence[T]):
    """A column of few values: the value of a row is ``values[codes[row]]``.

    Values need not be distinct. Codes are bytes as long as there are at most 256 values.
    """

    __slots__ = ("codes", "values")

    def __init__(self, values: list[T], codes: bytes | array[int]) -> None:
        self.values = values
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[T]:
        return map(self.values.__getitem__, self.codes)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Coded[T]: ...
    def __getitem__(self, place: int | slice) -> T | Coded[T]:
        if isinstance(place, slice):
            return Coded(self.values, self.codes[place])
        return self.values[self.codes[place]]


def all_true(column: Sequence[object]) -> bool:
    """Whether all rows have a value that is true; of a coded column, mostly at a glance."""
    return (isinstance(column, Coded) and all(column.values)) or all(column)


class PackedTexts(Sequence[str]):
    """A column of texts that are stored as bytes: each in UTF-8, behind its length (`varint`).

    Callers that see the same texts again and again save their encoding (`pack_text`).
    """

    __slots__ = ("parts",)

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[str]:
        return map(_unpacked, self.parts)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> PackedTexts: ...
    def __getitem__(self, place: int | slice) -> str | PackedTexts:
        if isinstance(place, slice):
            return PackedTexts(self.parts[place])
        return _unpacked(self.parts[place])


def pack_text(text: str) -> bytes:
    """A text as `PackedTexts` has it."""
    return pack_bytes(text.encode())


def pack_bytes(text: bytes) -> bytes:
    """The same of any bytes."""
    return varint(len(text)) + text


def _unpacked(part: bytes) -> str:
    start = 1
    while part[start - 1] >= 0x80:
        start += 1
    return part[start:].decode()


def codes_of(numbers: Iterable[int], distinct: int) -> bytes | array[int]:
    """Codes below ``distinct``, in the form that `Coded` takes."""
    return bytes(numbers) if distinct <= 256 else array("I", numbers)


class SpanParts(NamedTuple):
    """One span in parts: a row of `store.columnar.BodyParts`."""

    marked: bytes
    scope: bytes
    head: bytes
    rest: bytes
    attributes: list[bytes]
    tail: bytes
    nanos: int


class SpanBody(bytes):
    """The stored form of a span, which knows its parts."""

    parts: SpanParts


def parts_of_body(body: bytes) -> SpanParts:
    """A stored document in parts: one, unless it knows better."""
    return body.parts if isinstance(body, SpanBody) else SpanParts(b"", b"", b"", body, [], b"", 0)


class SpanBodies(Sequence[bytes]):
    """Stored forms of spans, made from their parts on access: few are ever read from here."""

    __slots__ = ("marked", "scopes", "spans")

    def __init__(self, marked: Coded[bytes], scopes: Coded[bytes], spans: Sequence[bytes]) -> None:
        self.marked = marked
        self.scopes = scopes
        self.spans = spans

    def __len__(self) -> int:
        return len(self.spans)

    def __iter__(self) -> Iterator[bytes]:
        return map(join_span, self.marked, self.scopes, self.spans)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> SpanBodies: ...
    def __getitem__(self, place: int | slice) -> bytes | SpanBodies:
        if isinstance(place, slice):
            return SpanBodies(self.marked[place], self.scopes[place], self.spans[place])
        return join_span(self.marked[place], self.scopes[place], self.spans[place])


def size_in_memory(raws: Sequence[bytes]) -> int:
    """Bytes of raw documents."""
    return sum(map(len, raws.spans if isinstance(raws, SpanBodies) else raws))
