"""Bytes → `Document`: validates a segment document, and says what is wrong with an invalid one.

No sockets, no clock, no store. Codes are X-Ray's where they are known, by analogy elsewhere
(docs/xray-format.md §3.1). An optional property that breaks the schema is dropped; the segment is
accepted without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from collector.decode.flatten import flatten
from collector.decode.ids import LATEST, MAX_NAME, Identity, read_id
from collector.decode.item_size import ITEM
from collector.decode.lenient import read_leniently
from collector.decode.limits import check_element_count, check_json_item, split_array
from collector.decode.rejected import Reason, Rejected
from collector.decode.wire import Root, read_strictly
from store.model import Document
from store.trace_id import parse_trace_id

MAX_NESTING = 400
"""Levels of objects and arrays. Readers of the raw document recurse; Python's own JSON parser ends
at some 990 levels. Real documents have fewer than thirty."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def decode_documents(raw: bytes, version: int) -> Iterator[Document | Rejected]:
    """The document, or each element of an array, accepted or rejected on its own.

    All elements get the same version: they arrived together.
    """
    if raw.lstrip()[:1] != b"[":
        yield _decode_element(raw, version)
        return
    try:
        elements = split_array(raw)
        check_element_count(len(elements), len(raw))
    except UNREADABLE as error:
        yield _unreadable(error)
        return
    except Rejected as rejected:
        yield rejected
        return
    if not elements:
        yield Rejected(Reason.MISSING_ID, "the array of documents is empty")
    for element in elements:
        yield _decode_element(bytes(element), version)


def decode_document(raw: bytes, version: int) -> Document:
    """The document. Raises Rejected, and nothing else."""
    root = read_root(raw)
    identity = identify(root)
    check_depth(raw, root.id)
    return flatten(root, identity, raw, version)


def read_root(raw: bytes) -> Root:
    """The typed document, without properties of the wrong type. Raises Rejected."""
    check_size(raw)
    try:
        # The decoder does not validate strings it skips, but the store has them as text.
        if not raw.isascii():
            raw.decode()
        try:
            return read_strictly(raw)
        except msgspec.ValidationError:
            root, whole = read_leniently(raw)
            _check_required_types(whole)
            return root
    except UNREADABLE as error:
        raise _unreadable(error) from error


def check_size(raw: bytes) -> None:
    """Raise Rejected for a document that is too long, or has too many values, to be parsed."""
    check_json_item("the document", raw, ITEM.limit)


def check_depth(raw: bytes, id: str | None) -> None:
    """Raise Rejected for valid JSON with more levels than `MAX_NESTING`."""
    if count_openings(raw) > MAX_NESTING and _nests_too_deeply(raw):
        message = f"the document is nested too deeply: more than {MAX_NESTING} levels"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message, id)


def _decode_element(raw: bytes, version: int) -> Document | Rejected:
    try:
        return decode_document(raw, version)
    except Rejected as rejected:
        return rejected.as_value()


def count_openings(raw: bytes) -> int:
    """Opening braces and brackets. `replace` finds them twice as fast as `count` does (3.11)."""
    return 2 * len(raw) - len(raw.replace(b"{", b"")) - len(raw.replace(b"[", b""))


def _nests_too_deeply(raw: bytes) -> bool:
    """Whether valid JSON has more levels than `MAX_NESTING`."""
    depth = 0
    for token in _BRACKETS.finditer(raw):
        first = raw[token.start()]
        if first in b"{[":
            depth += 1
            if depth > MAX_NESTING:
                return True
        elif first in b"}]":
            depth -= 1
    return False


def identify(root: Root) -> Identity:
    """Ids and times of a valid document. Raises Rejected."""
    text, name = root.id, root.name
    id = read_id(text)
    if not id:
        raise _bad_id(text)
    if root.trace_id is None:
        raise Rejected(Reason.MISSING_TRACE_ID, "trace_id: missing", text)
    try:
        trace_id = parse_trace_id(root.trace_id)
    except ValueError as error:
        raise Rejected(Reason.INVALID_TRACE_ID, f"trace_id: {error}", text) from error
    if not name:
        raise Rejected(Reason.MISSING_NAME, "name: missing or empty", text)
    if len(name) > MAX_NAME:
        message = f"name: expected at most {MAX_NAME} characters, got {len(name)}"
        raise Rejected(Reason.INVALID_NAME, message, text)
    start_time, end_time = root.start_time, root.end_time
    if start_time is None:
        raise Rejected(Reason.MISSING_START_TIME, "start_time: missing", text)
    if not 0 <= start_time < LATEST:
        raise _bad_time("start_time", start_time, text)
    start = round(start_time * 1e6)
    if root.in_progress:
        end = start
    elif end_time is None:
        message = "end_time: missing, and in_progress is not true; expected one of the two"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message, text)
    elif not 0 <= end_time < LATEST:
        raise _bad_time("end_time", end_time, text)
    else:
        end = max(start, round(end_time * 1e6))
    independent = root.type == "subsegment"
    parent_id = read_id(root.parent_id)
    if parent_id == id or (independent and not parent_id):
        if independent:
            raise _bad_parent(root)
        parent_id = 0
    return Identity(trace_id, id, parent_id, independent, start, end)


def _check_required_types(whole: dict[str, Any]) -> None:
    """Raise Rejected when a required property has a type that cannot be interpreted."""
    id = whole.get("id")
    if id is not None and not isinstance(id, str):
        raise Rejected(Reason.INVALID_ID, f"id: expected 16 hex digits, got {id!r:.60}")
    for key, reason, kinds, expected in (
        ("trace_id", Reason.INVALID_TRACE_ID, (str,), "text"),
        ("name", Reason.INVALID_NAME, (str,), "text"),
        ("start_time", Reason.INVALID_TIME, (int, float), "epoch seconds"),
        ("end_time", Reason.INVALID_TIME, (int, float), "epoch seconds"),
    ):
        value = whole.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
            raise Rejected(reason, f"{key}: expected {expected}, got {value!r:.60}", id)


def _bad_id(text: str | None) -> Rejected:
    if not text:
        return Rejected(Reason.MISSING_ID, "id: missing or empty")
    why = "the all-zero id names nothing" if set(text) == {"0"} else f"got {text[:60]!r}"
    return Rejected(Reason.INVALID_ID, f"id: expected 16 hex digits, {why}", text[:60])


def _bad_time(key: str, value: float, id: str | None) -> Rejected:
    unit = ""
    for name, size in (("nanoseconds", 1e17), ("microseconds", 1e14), ("milliseconds", LATEST)):
        if size <= value < 1e20:
            unit = f": that looks like {name}"
            break
    message = f"{key}: expected epoch seconds from 0 to year 9999, got {value:.4g}{unit}"
    return Rejected(Reason.INVALID_TIME, message, id)


def _bad_parent(root: Root) -> Rejected:
    given = root.parent_id
    if given is None:
        what = "missing; a subsegment of its own names its parent"
    elif read_id(given):
        what = "names the subsegment itself"
    else:
        what = f"expected 16 hex digits, got {given[:60]!r}"
    return Rejected(Reason.INVALID_PARENT_ID, f"parent_id: {what}", root.id)


def _unreadable(error: Exception) -> Rejected:
    if isinstance(error, RecursionError):
        what = "nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        what = f"not UTF-8 (byte {error.start})"
    elif isinstance(error, msgspec.DecodeError):
        what = f"not JSON: {error}"
    else:
        what = str(error)
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, f"the document is {what:.200}")
