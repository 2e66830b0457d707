"""Why a document was rejected: one exception, X-Ray's codes (docs/xray-format.md §3.1)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The error code of an unprocessed segment, and the label ``reason`` of the rejected counter."""

    INVALID_DATAGRAM = "InvalidDatagram"
    """The UDP header is missing or not X-Ray's; counted only, as UDP has no response."""
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
    INVALID_PLATFORM_RECORD = "InvalidPlatformRecord"
    """A log record of Lambda's platform, or what delivers it, is damaged."""
    REFUSED = "StoreRefused"
    """The store refuses this one document; its neighbours are stored."""


class Rejected(Exception):
    """An invalid document. ``message`` says what is wrong, where, and what is expected.

    ``id`` is the document's own id when it could be read.
    """

    def __init__(self, reason: Reason, message: str, id: str | None = None) -> None:
        super().__init__(reason, message, id)
        self.reason = reason
        self.message = message
        self.id = id

    def as_value(self) -> Rejected:
        """The same without the frames in which it was raised, which have the request among their variables:
        it would stay in memory as long as the rejection, or in a cycle until garbage is collected."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"
