"""Bounds on the number of documents and spans in a request, most of them checked before anything is
decoded from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from collector.decode.rejected import Reason, Rejected

MAX_DOCUMENTS = 20_000
"""Documents in one message or request. Every one costs an object and, if invalid, a rejection: a
message of 2 MB with a million empty documents took a process to 2 GB."""
MAX_COMMAS = 2_000_000
"""Commas in a JSON array whose elements are split: an element takes 56 bytes beside its own."""
MAX_OBJECTS = 2_000_000
"""Objects and arrays in a JSON text that is parsed as a whole: an empty one takes 64 bytes. Spans have at
most one in 30 bytes."""
MIN_DOCUMENT = 64
"""Bytes of the smallest valid segment document, rounded down."""
MIN_ELEMENTS = 100
"""Elements of an array that are judged one by one however small they are."""

SMALL_MESSAGE = 1 << 20
"""Bytes of a protobuf message whose half a million fields at most take 16 MB when parsed."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_elements = msgspec.json.Decoder(list[msgspec.Raw])

_T = TypeVar("_T")


def too_many_documents(limit: int = MAX_DOCUMENTS) -> Rejected:
    """The rejection of a whole request."""
    message = f"more than {limit:,} documents in one request: send fewer at a time"
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


def bound_rejections(
    results: Iterable[_T | Rejected], limit: int = MAX_DOCUMENTS
) -> Iterator[_T | Rejected]:
    """The results of a decoder. Raises as `check_rejections` does."""
    rejected = 0
    for result in results:
        if isinstance(result, Rejected):
            rejected += 1
            check_rejections(rejected, limit)
        yield result


def check_rejections(rejected: int, limit: int = MAX_DOCUMENTS) -> None:
    """Raise Rejected, so that a request is refused as a whole, when it has more than ``limit``
    rejections: each takes some 500 bytes."""
    if rejected > limit:
        message = f"more than {limit:,} invalid spans in one request: nothing of it is stored"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


def check_field_count(
    body: bytes, limit: int = MAX_DOCUMENTS, nested: tuple[int, ...] = ()
) -> None:
    """Raise Rejected when a protobuf message has more than ``limit`` fields at its top level.

    ``nested``: also count the fields of the messages in the field of the first number, in these of
    those in the field of the second, and so on. A small message is not walked: its parsed form is
    small, too, and the caller counts that.
    """
    if len(body) > SMALL_MESSAGE and _count_fields(body, limit + 1, nested) > limit:
        raise too_many_documents(limit)


def _count_fields(
    body: bytes, limit: int, nested: tuple[int, ...] = (), start: int = 0, end: int | None = None
) -> int:
    """Fields of a message, up to ``limit``. Fields inside a group count as well."""
    end = len(body) if end is None else end
    count, position = 0, start
    while count < limit and position < end:
        count += 1
        tag, position = _varint(body, position)
        match tag & 7:
            case 0:
                _, position = _varint(body, position)
            case 1:
                position += 8
            case 2:
                size, position = _varint(body, position)
                begin, position = position, position + size
                if nested and tag >> 3 == nested[0]:
                    last = min(position, end)
                    count += _count_fields(body, limit - count, nested[1:], begin, last)
            case 5:
                position += 4
    return count


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(body) and shift < 70:
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, position


def check_string_count(body: bytes, limit: int = MAX_DOCUMENTS) -> None:
    """Raise Rejected when a JSON text has many more than ``limit`` strings.

    The strings themselves are looked at only when the number of quotes allows for that many: all
    quotes but escaped ones, where an escaped backslash may stand before a quote that is none.
    """
    quotes = body.count(b'"')
    if quotes // 2 <= limit + 1:  # mostly: each count is a microsecond or two a document
        return
    quotes += body.count(b'\\\\"') - body.count(b'\\"')
    if quotes // 2 > limit + 1 and _count_strings(body, limit + 2) > limit + 1:
        raise too_many_documents(limit)  # one string is the key of the list


def _count_strings(body: bytes, limit: int) -> int:
    return sum(1 for _ in islice(_STRING.finditer(body), limit))


def check_object_count(body: bytes, limit: int = MAX_OBJECTS) -> None:
    """Raise Rejected when a JSON text has more than ``limit`` objects and arrays; brackets in strings
    count as well."""
    if body.count(b"{") + body.count(b"[") > limit:
        raise Rejected(
            Reason.INVALID_SEGMENT_DOCUMENT,
            f"more than {limit:,} objects in one request: send fewer spans at a time",
        )


def check_count(documents: int, limit: int = MAX_DOCUMENTS) -> None:
    """Raise Rejected when a request has more than ``limit`` documents."""
    if documents > limit:
        raise too_many_documents(limit)


def split_array(raw: bytes) -> list[msgspec.Raw]:
    """The elements of a JSON array. Raises Rejected when there are far more than documents could be,
    and msgspec's errors."""
    if raw.count(b",") > MAX_COMMAS:
        raise too_many_documents()
    return _elements.decode(raw)


def check_element_count(count: int, size: int) -> None:
    """Raise Rejected when an array of ``size`` bytes has more elements than valid documents fit in."""
    if count > max(MIN_ELEMENTS, size // MIN_DOCUMENT):
        message = f"the array has {count:,} elements in {size:,} bytes: these are no documents"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)
