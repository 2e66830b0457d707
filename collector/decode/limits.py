"""Bounds on the number of documents in a request, checked before anything is decoded from it."""

from __future__ import annotations

import re
from itertools import islice

import msgspec

from collector.decode.rejected import Reason, Rejected

MAX_DOCUMENTS = 20_000
"""Documents in one message or request. Every one costs an object and, if invalid, a rejection: a
message of 2 MB with a million empty documents took a process to 2 GB."""
MAX_COMMAS = 2_000_000
"""Commas in a JSON array whose elements are split: an element takes 56 bytes beside its own."""
MIN_DOCUMENT = 64
"""Bytes of the smallest valid segment document, rounded down."""
MIN_ELEMENTS = 100
"""Elements of an array that are judged one by one however small they are."""

SMALL_MESSAGE = 1 << 20
"""Bytes of a protobuf message whose half a million fields at most take 16 MB when parsed."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def too_many_documents(limit: int = MAX_DOCUMENTS) -> Rejected:
    """The rejection of a whole request."""
    message = f"more than {limit:,} documents in one request: send fewer at a time"
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


def check_field_count(body: bytes, limit: int = MAX_DOCUMENTS) -> None:
    """Raise Rejected when a protobuf message has more than ``limit`` fields at its top level.

    A small message is not walked: its parsed form is small, too, and the caller counts that.
    """
    if len(body) > SMALL_MESSAGE and _count_fields(body, limit + 1) > limit:
        raise too_many_documents(limit)


def _count_fields(body: bytes, limit: int) -> int:
    """Fields of a message, up to ``limit``. Fields inside a group count as well."""
    count = position = 0
    while count < limit and position < len(body):
        tag, position = _varint(body, position)
        match tag & 7:
            case 0:
                _, position = _varint(body, position)
            case 1:
                position += 8
            case 2:
                size, position = _varint(body, position)
                position += size
            case 5:
                position += 4
        count += 1
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
    quotes = body.count(b'"') - body.count(b'\\"') + body.count(b'\\\\"')
    if quotes // 2 > limit + 1 and _count_strings(body, limit + 2) > limit + 1:
        raise too_many_documents(limit)  # one string is the key of the list


def _count_strings(body: bytes, limit: int) -> int:
    return sum(1 for _ in islice(_STRING.finditer(body), limit))


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
