"""Bounds on the number of documents and spans in a request, most of them checked before anything is
decoded from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TypeVar

import msgspec

from collector.decode.item_size import ITEM, SizeLimit
from collector.decode.rejected import Reason, Rejected

MAX_DOCUMENTS = 20_000
"""Documents in one message or request. Every one costs an object and, if invalid, a rejection: a
message of 2 MB with a million empty documents took a process to 2 GB."""
MAX_COMMAS = 1_000_000
"""Commas in a JSON array whose elements are split: an element takes 56 bytes beside its own."""
MAX_OBJECTS = 500_000
"""Objects and arrays in a JSON text, each of which costs some microseconds. Attributes have one in 25 bytes."""
MAX_MESSAGES, MAX_MESSAGES_ALONE = 1_000_000, 40_000
"""Messages inside the spans, log records or metrics of a request in protobuf, and inside one of them: an
attribute is two. One takes 2 bytes, and some 50 when it is parsed."""
SMALL_ITEM = 2 * MAX_MESSAGES_ALONE
"""Bytes of one of them that need no look: too few for more messages than are taken. Also values in JSON."""
MAX_RESOURCE = SizeLimit(256 << 10)
"""A resource or a scope."""
MAX_JSON_RESOURCE = SizeLimit(2 * MAX_RESOURCE.bytes)
"""The same in JSON."""
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


class Shape:
    """The messages inside a message, by the number of their field."""

    def __init__(self, inside: Mapping[int, Shape]) -> None:
        self.inside = dict(inside)

    @cached_property
    def others(self) -> bytes:
        """All bytes that can begin no field of these messages: those but the tags, and their longer forms."""
        shapes, tags = [self], set()
        seen: set[int] = set()
        while shapes:
            shape = shapes.pop()
            if id(shape) not in seen:
                seen.add(id(shape))
                shapes += shape.inside.values()
                tags |= {number << 3 | 2 for number in shape.inside}
        first = {tag & 0x7F for tag in tags}
        return bytes(byte for byte in range(256) if byte & 0x7F not in first)

    def may_exceed(self, body: bytes, limit: int) -> bool:
        """Whether there may be more than so many messages inside; never False when there are."""
        return len(body) > 2 * limit and len(body.translate(None, self.others)) > limit

    def count(self, body: bytes, limit: int) -> int:
        """The messages inside, up to one more than ``limit``."""
        count = 0
        parts: list[tuple[Shape, int, int]] = [(self, 0, len(body))]
        while parts:
            shape, at, end = parts.pop()
            known = shape.inside
            while at < end:
                tag, at = _varint(body, at) if body[at] >= 0x80 else (body[at], at + 1)
                if tag & 7 != 2:
                    at = _behind(body, tag & 7, at)
                    continue
                size, at = (body[at], at + 1) if at < end and body[at] < 0x80 else _varint(body, at)
                begin, at = at, at + size
                inner = known.get(tag >> 3)
                if inner is not None:
                    count += 1
                    if count > limit:
                        return count
                    if size and inner.inside:
                        parts.append((inner, begin, min(at, end)))
        return count

    def check(self, what: str, raw: bytes, most: SizeLimit | None = None) -> None:
        """Raise Rejected for a message that is too large (by default as an item is), or has too many
        messages inside, to be parsed."""
        (most or ITEM.limit).check(what, len(raw))
        limit = MAX_MESSAGES_ALONE
        if self.may_exceed(raw, limit) and self.count(raw, limit) > limit:
            message = f"{what} has more than {limit:,} attributes, events and values"
            raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


class TooManyMessages(Rejected):
    """Of a whole request."""

    def __init__(self) -> None:
        message = (
            f"more than {MAX_MESSAGES:,} attributes, events and values in one request: send fewer"
        )
        super().__init__(Reason.INVALID_SEGMENT_DOCUMENT, message)


class MessageCount:
    """Counts the messages inside the elements of a request, where there may be more than are taken."""

    def __init__(self, one: Shape, whole: Shape | None = None, body: bytes = b"") -> None:
        self._shape = one
        self.needed = whole is not None and whole.may_exceed(body, MAX_MESSAGES)
        self._left = MAX_MESSAGES

    def take(self, raw: bytes) -> None:
        """Count those of an element. Raises TooManyMessages."""
        if self.needed:
            self._left -= self._shape.count(raw, self._left)
            if self._left < 0:
                raise TooManyMessages


def fields_of(body: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields with a length in a part of a message: number, and where the content begins and ends."""
    while position < end:
        tag, position = _varint(body, position)
        if tag & 7 != 2:
            position = _behind(body, tag & 7, position)
            continue
        size, position = _varint(body, position)
        begin, position = position, min(position + size, end)
        yield tag >> 3, begin, position


def _behind(body: bytes, type: int, position: int) -> int:
    """Where a field without a length ends."""
    if type == 0:
        return _varint(body, position)[1]
    return position + {1: 8, 5: 4}.get(type, 0)


VALUE = Shape({})
PAIR = Shape({2: VALUE})
VALUE.inside |= {5: Shape({1: VALUE}), 6: Shape({1: PAIR})}
"""OpenTelemetry's AnyValue and KeyValue."""
RESOURCE, SCOPE = Shape({1: PAIR}), Shape({3: PAIR})


def request_of(one: Shape) -> Shape:
    """An export request of OTLP with such elements."""
    return Shape({1: Shape({1: RESOURCE, 2: Shape({1: SCOPE, 2: one})})})


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


def check_value_count(body: bytes, limit: int = MAX_COMMAS) -> None:
    """Raise Rejected when a JSON text may have more than ``limit`` values; commas in texts count as well."""
    if body.count(b",") > limit:
        raise Rejected(
            Reason.INVALID_SEGMENT_DOCUMENT,
            f"more than {limit:,} values in one request: send fewer at a time",
        )


def check_json_item(what: str, raw: bytes | msgspec.Raw, most: SizeLimit) -> None:
    """Raise Rejected when a JSON text, one of many, is too large to be parsed, or has too many values."""
    text = memoryview(raw)
    most.check(what, len(text))
    if len(text) > SMALL_ITEM and bytes(text).count(b",") > SMALL_ITEM:
        message = f"{what} has more than {SMALL_ITEM:,} values"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


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
