"""Attributes as bytes → what they are, each distinct one read once.

A span's attributes mostly repeat those of earlier spans: the same keys, and of most keys few values.
"""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.cut import message_of
from store.column_types import pack_bytes, pack_text
from store.otel.attribute_field import TAG, follows_from
from store.otel.attributes import read_value
from store.otel.span_facts import annotations_of
from store.rules.annotations import annotation_item
from store.varint import varint

MAX_CACHED = 512
"""Bytes of an attribute worth caching: longer ones do not repeat, and would fill the memory."""
MAX_BYTES = 16 << 20
"""Bytes in memory of the attributes of one table, roughly."""
_OVERHEAD = 520
"""Bytes that a cached attribute takes beside its own (measured)."""
UNREADABLE, MISFIT = 0, 0xFFFFFFFF
"""The sorts of an attribute that is not protobuf, or whose key is too long to be remembered, and of what is
no attribute."""
_NO_TEXT = pack_text("")
_NESTED = ("array_value", "kvlist_value")


class Sort(Struct, frozen=True, gc=False):
    """What an attribute is apart from its value: the key, whether the value is text that is not empty
    (``filled``), whether it is searchable (``indexed``), and whether the attribute as it stands in a span
    follows from its annotation (``follows``: `store.otel.attribute_field`)."""

    key: str
    filled: bool
    indexed: bool
    follows: bool
    readable: bool = True


_NONE = Sort("", False, False, False, readable=False)


class Attribute(Struct, eq=False, gc=False):
    """A key with a value. Compared by identity: equal ones are one object while they are cached.

    ``sort`` is the number of the `Sort`, ``text`` the value if it is text, ``item`` the annotation
    item, empty if the value is not searchable, and ``field`` the attribute as it stands in a span.
    ``packed_text``, ``packed`` (the item) and ``packed_field`` are the same as `PackedTexts` has them.
    """

    sort: int
    text: str
    packed_text: bytes
    item: str
    packed: bytes
    field: bytes
    packed_field: bytes
    cached: bool


class Sorts:
    """Every `Sort` there is, by its number."""

    def __init__(self) -> None:
        self._next = count(1)
        self._numbers: dict[Sort, int] = {}
        self.by_number: dict[int, Sort] = dict.fromkeys((UNREADABLE, MISFIT), _NONE)

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, sort: Sort) -> int:
        """The number of a sort, the same at every call. Threads may call it at once."""
        found = self._numbers.get(sort)
        if found is None:
            number = next(self._next)
            self.by_number[number] = sort
            found = self._numbers.setdefault(sort, number)
        return found


class AttributeTable(dict[bytes, Attribute]):
    """Attributes by their bytes behind their length. ``table[piece]`` reads those that are new, and is
    `NO_PIECE` for what is none (`cut.message_of`); nothing is raised."""

    def __init__(self, sorts: Sorts, known: dict[bytes, Attribute]) -> None:
        super().__init__(known)
        self._sorts = sorts
        self.size = sum(map(len, known)) + _OVERHEAD * len(known)

    @property
    def is_full(self) -> bool:
        return self.size > MAX_BYTES

    def reduced(self, wanted: Container[Attribute]) -> AttributeTable:
        """A new table with the wanted attributes alone."""
        few = {raw: found for raw, found in list(self.items()) if found in wanted}
        return AttributeTable(self._sorts, few)

    def __missing__(self, piece: bytes) -> Attribute:
        cached = len(piece) <= MAX_CACHED
        message = message_of(piece)
        found = NO_PIECE if message is None else self._read(message, cached)
        if cached and found.sort != UNREADABLE:
            self[piece] = found
            self.size += len(piece) + _OVERHEAD
        return found

    def _read(self, message: bytes, cached: bool) -> Attribute:
        try:
            return self._attribute(message, cached)
        except (DecodeError, UnicodeDecodeError):
            return _unreadable(message)

    def _attribute(self, message: bytes, cached: bool) -> Attribute:
        pair = KeyValue.FromString(message)
        key, value = pair.key, pair.value
        if len(key) > MAX_CACHED:
            return _unreadable(message)
        read: Any = value.string_value
        if not read:
            if value.WhichOneof("value") in _NESTED:
                _check_depth(message)
            read = read_value(value)
        text = read if isinstance(read, str) else ""
        indexed = annotations_of({key: read})
        item = annotation_item(key, indexed[key]) if indexed else ""
        packed = pack_text(item) if indexed else b""
        field, packed_field = _fields(message)
        follows = bool(indexed) and follows_from(item, key, indexed[key], field)
        sort = self._sorts.number(Sort(key, bool(text), bool(indexed), follows))
        return Attribute(sort, text, pack_text(text), item, packed, field, packed_field, cached)


def _unreadable(message: bytes, sort: int = UNREADABLE) -> Attribute:
    return Attribute(sort, "", _NO_TEXT, "", b"", *_fields(message), False)


def _fields(message: bytes) -> tuple[bytes, bytes]:
    field = TAG + varint(len(message)) + message
    return field, pack_bytes(field)


NO_PIECE = _unreadable(b"", MISFIT)


def _check_depth(message: bytes) -> None:
    """Raise DecodeError for values that nest too deeply to be an attribute of a span."""
    Span.FromString(TAG + varint(len(message)) + message)
