"""What the extension ``raymap-lambda`` uploads (examples/lambda_layer) → invocations, documents and log lines.

A function, events of the Telemetry API of its environment (the platform's, and its own lines), and the
documents that its SDK sent. A damaged event costs itself only; documents are decoded as those of any
receiver.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec
from msgspec import Struct

from collector.decode.lambda_records.causes import Cause, is_cause, read_cause, with_causes
from collector.decode.lambda_records.events import damaged, event_time, read_event
from collector.decode.lambda_records.fold import Folded, Origin, fold
from collector.decode.lambda_records.lines import Lines, StreamLine, collect
from collector.decode.limits import check_value_count, too_many_documents
from collector.decode.rejected import Rejected
from store.times import parse_instant

MAX_ITEMS = 50_000
"""Events, and documents, of one request."""


class _Function(Struct):
    name: str | None = None
    version: str | None = None
    account: str | None = None
    region: str | None = None
    log_group: str | None = None
    log_stream: str | None = None


class _Upload(Struct):
    function: _Function = msgspec.field(default_factory=_Function)
    events: list[msgspec.Raw] = msgspec.field(default_factory=list)
    documents: list[str] = msgspec.field(default_factory=list)


class Upload(NamedTuple):
    """What an upload contains; documents as they were sent."""

    folded: Folded
    rejected: list[Rejected]
    documents: list[bytes]
    logs: Lines


class _OwnLine(Struct, tag_field="type", tag="function"):
    """A line that the function wrote: a text, or an object in the JSON log format. ``requestId`` is the
    extension's: the request that was being worked on."""

    time: str
    record: msgspec.Raw
    requestId: str | None = None


SOURCE = "extension"
OWN = re.compile(rb'"type"\s*:\s*"function"')
_read_own = msgspec.json.Decoder(_OwnLine).decode


def decode_upload(body: bytes) -> Upload:
    """Raises Rejected when the upload as a whole is unreadable, or has too many items."""
    check_value_count(body)
    try:
        upload = msgspec.json.decode(body, type=_Upload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"the request body: {error}") from error
    if len(upload.events) > MAX_ITEMS or len(upload.documents) > MAX_ITEMS:
        raise too_many_documents(MAX_ITEMS)
    causes, others, unread = _causes(upload.events)
    origin, stream = _origin(upload.function), list(map(_line, others))
    lines = collect(origin, stream, SOURCE)
    folded, rejected = fold(origin, [line.fact for line in stream], lines.failed)
    folded = folded._replace(invocations=with_causes(folded.invocations, causes))
    rejected += unread
    documents = [document.encode() for document in upload.documents]
    return Upload(folded, rejected, documents, lines)


def _origin(function: _Function) -> Origin:
    return Origin(
        function.name or "",
        function.version or "",
        function.account or "",
        function.region or "",
        function.log_group or "",
        function.log_stream or "",
    )


def _causes(
    events: list[msgspec.Raw],
) -> tuple[list[Cause], list[msgspec.Raw], list[Rejected]]:
    """What is said of invocations' events, the other events, and what is damaged."""
    causes, others, rejected = [], [], []
    for event in events:
        if not is_cause(event):
            others.append(event)
            continue
        try:
            causes.append(read_cause(event))
        except Rejected as rejection:
            rejected.append(rejection)
    return causes, others, rejected


def _line(event: msgspec.Raw) -> StreamLine:
    text = bytes(event).decode(errors="replace")
    try:
        own = _own_line(event)
        if own is not None:
            return own
        fact = read_event(event)
        return StreamLine(text, event_time(event) if fact else 0, fact)
    except Rejected as rejected:
        return StreamLine(text, 0, rejected)


def _own_line(event: msgspec.Raw) -> StreamLine | None:
    """A line of the function; None for the platform's events."""
    if OWN.search(bytes(event)) is None:
        return None
    try:
        own = _read_own(event)
        text = bytes(own.record).decode()
        if text.startswith('"'):
            text = msgspec.json.decode(text, type=str)
        return StreamLine(text, parse_instant(own.time), None, own.requestId or "")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise damaged(f"a line of the function: {error}") from error
