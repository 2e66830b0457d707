"""Segments with embedded subsegments, as the decoder reads them."""

from __future__ import annotations

from typing import Any

from collector.decode.document import decode_document
from store.model import Call, Document
from tests.collector.samples import START, segment_bytes

MILLISECOND = 1000
T = 1_795_560_000_250_000


def sub(id: str | None = "00000000000000b1", **change: Any) -> dict[str, Any]:
    """An embedded remote subsegment, 1 ms to 11 ms after the segment's start."""
    document = {
        "id": id,
        "name": "backend.example.com",
        "start_time": START + 0.001,
        "end_time": START + 0.011,
        "namespace": "remote",
        **change,
    }
    return {key: value for key, value in document.items() if value is not None}


def flat(*subsegments: dict[str, Any], **change: Any) -> Document:
    """The segment with these subsegments."""
    return decode_document(segment_bytes(subsegments=list(subsegments), **change), 1)


def call(**change: Any) -> Call:
    """The call a subsegment is."""
    (only,) = flat(sub(**change)).calls
    return only
