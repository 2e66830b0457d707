"""Why a document was rejected: one exception, X-Ray's codes (docs/xray-format.md §3.1)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What an unprocessed segment is told, and what the rejected counter is split by."""

    INVALID_DATAGRAM = "InvalidDatagram"
    """The UDP header is missing or not X-Ray's; only counted, nobody can be told."""
    INVALID_SEGMENT_DOCUMENT = "InvalidSegmentDocument"
    """Not JSON, not an object, too large, too deep, or neither finished nor in progress."""
    MISSING_ID = "MissingId"
    INVALID_ID = "InvalidId"
    MISSING_TRACE_ID = "MissingTraceId"
    INVALID_TRACE_ID = "InvalidTraceId"
    MISSING_NAME = "MissingName"
    INVALID_NAME = "InvalidName"
    MISSING_START_TIME = "MissingStartTime"
    INVALID_TIME = "InvalidTime"
    INVALID_PARENT_ID = "InvalidParentId"
    REFUSED = "StoreRefused"
    """The store would not take this one document; its neighbours were kept."""


class Rejected(Exception):
    """A document nobody will keep. ``message`` says what, where, and what was expected.

    ``id`` is the document's own id when it could be read.
    """

    def __init__(self, reason: Reason, message: str, id: str | None = None) -> None:
        super().__init__(reason, message, id)
        self.reason = reason
        self.message = message
        self.id = id

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"
