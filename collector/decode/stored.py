"""Raw bytes of a store or a journal → their document, whichever receiver it came from."""

from __future__ import annotations

from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_stored
from store.model import Document
from store.otel.stored_span import is_span


def decode_any(raw: bytes, version: int) -> Document:
    """The document in ``Document.raw``. Raises Rejected, and nothing else."""
    return decode_stored(raw, version) if is_span(raw) else decode_document(raw, version)
