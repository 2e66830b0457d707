"""A stored document → what it is on the map, whichever of the two forms it has."""

from __future__ import annotations

from store.model import Document
from store.second_decoder.segment import decode_segment
from store.second_decoder.span import decode_span

SPAN_MARKERS = (b"\x01", b"\x02")
"""What a stored span begins with, which no JSON does (docs/opentelemetry.md, "What is stored")."""


def decode_stored(raw: bytes, version: int) -> Document:
    """What a stored document is on the map. Raises ValueError, and protobuf's DecodeError, for what is neither form."""
    return (decode_span if raw[:1] in SPAN_MARKERS else decode_segment)(raw, version)
