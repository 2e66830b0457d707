"""What the extension ``raymap-lambda`` uploads (examples/lambda_layer) → invocations and documents.

A function, events of the Telemetry API of its environment, and the documents that its SDK sent. A
damaged event costs itself only; documents are decoded as those of any receiver.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct

from collector.decode.lambda_records.events import Fact, damaged, read_event
from collector.decode.lambda_records.fold import Folded, Origin, fold
from collector.decode.limits import too_many_documents
from collector.decode.rejected import Rejected

MAX_ITEMS = 200_000
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


def decode_upload(body: bytes) -> Upload:
    """Raises Rejected when the upload as a whole is unreadable."""
    try:
        upload = msgspec.json.decode(body, type=_Upload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"the request body: {error}") from error
    if len(upload.events) > MAX_ITEMS or len(upload.documents) > MAX_ITEMS:
        raise too_many_documents()
    folded, rejected = fold(_origin(upload.function), _facts(upload.events))
    return Upload(folded, rejected, [document.encode() for document in upload.documents])


def _origin(function: _Function) -> Origin:
    return Origin(
        function.name or "",
        function.version or "",
        function.account or "",
        function.region or "",
        function.log_group or "",
        function.log_stream or "",
    )


def _facts(events: list[msgspec.Raw]) -> Iterator[Fact | Rejected | None]:
    for event in events:
        try:
            yield read_event(event)
        except Rejected as rejected:
            yield rejected
