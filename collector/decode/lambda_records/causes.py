"""What the extension ``raymap-lambda`` says of an invocation's event: where it came from (docs/lambda.md).

An event type of ours, ``raymap.event``, beside those of the Telemetry API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct, structs

from collector.decode.ids import MAX_NAME, read_id
from collector.decode.lambda_records.events import damaged, read_header
from store.rules.event_sources import MAX_ARN, Messages, source_node
from store.rules.invocations import Invocation
from store.rules.links import MAX_LINKS, MOST_MESSAGES
from store.trace_id import parse_trace_id

EVENT = re.compile(rb'"type"\s*:\s*"raymap\.event"')
_LATEST = 253_402_300_799_999
"""Milliseconds: year 10000."""


class Cause(NamedTuple):
    """The event of a request: the ARN of its source, and its messages."""

    request_id: str
    source: str
    messages: tuple[Messages, ...]


class _Messages(Struct):
    count: Annotated[int, Meta(ge=1, le=MOST_MESSAGES)]
    trace: Annotated[str, Meta(max_length=MAX_ARN)] = ""
    sent: Annotated[int, Meta(ge=0, le=_LATEST)] = 0


class _Record(Struct):
    requestId: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    source: Annotated[str, Meta(max_length=MAX_ARN)]
    messages: Annotated[list[_Messages], Meta(min_length=1, max_length=MAX_LINKS)]


class _Typed(Struct):
    type: str


class _Event(Struct):
    record: _Record


_read_type = msgspec.json.Decoder(_Typed).decode
_read = msgspec.json.Decoder(_Event).decode


def is_cause(raw: msgspec.Raw) -> bool:
    """Whether an event is of this type: others may contain its name."""
    if EVENT.search(bytes(raw)) is None:
        return False
    try:
        return _read_type(raw).type == "raymap.event"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def read_cause(raw: bytes | msgspec.Raw) -> Cause:
    """Raises Rejected. A trace header that cannot be read costs itself only: the sender of a message writes it."""
    try:
        record = _read(raw).record
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"raymap.event: {error}") from error
    if not source_node(record.source).name:
        known = "a queue, topic, stream, table, bucket or event bus"
        raise damaged(
            f"raymap.event: source: expected the ARN of {known}, got {record.source[:60]!r}"
        )
    return Cause(record.requestId, record.source, tuple(map(_messages, record.messages)))


def _messages(given: _Messages) -> Messages:
    header = read_header(given.trace)
    parent = read_id(header.get("Parent"))
    try:
        trace_id = parse_trace_id(header.get("Root", "")) if parent else b""
    except ValueError:
        trace_id = b""
    return Messages(given.count, trace_id, parent if trace_id else 0, given.sent * 1_000)


def with_causes(invocations: Iterable[Invocation], causes: Iterable[Cause]) -> list[Invocation]:
    """The invocations, each with what the event of its request came from."""
    known = {cause.request_id: cause for cause in causes}
    return [
        structs.replace(each, event_source=cause.source, messages=cause.messages)
        if (cause := known.get(each.request_id))
        else each
        for each in invocations
    ]
