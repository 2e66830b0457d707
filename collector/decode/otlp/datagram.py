"""Payloads that AWS's OpenTelemetry distribution sends in place of an X-Ray document.

``T1S`` or ``T1U`` (unsampled: part of the counts, not of a trace) and OTLP in base64; ``M1`` and
metrics in base64, which are acknowledged, counted and discarded. They occur behind the header of a
datagram and among the documents of PutTraceSegments.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from collector.decode.document import decode_documents
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Reason, Rejected
from store.model import Document

_TRACES = {b"T1S": True, b"T1U": False}
_METRICS = b"M1"


def is_metrics(raw: bytes) -> bool:
    """Whether a payload contains metrics, which are discarded."""
    return raw[:2] == _METRICS


def base64_spans(raw: bytes) -> bytes | None:
    """The base64 of a payload with spans; None for any other."""
    return raw[3:].strip() if raw[:3] in _TRACES else None


def decode_payload(raw: bytes, version: int) -> Iterator[Document | Rejected]:
    """The documents of one payload: X-Ray's, or spans in base64."""
    sampled = _TRACES.get(raw[:3])
    if sampled is not None:
        return _spans(raw, version, sampled)
    return iter(()) if is_metrics(raw) else decode_documents(raw, version)


def _spans(raw: bytes, version: int, sampled: bool) -> Iterator[Document | Rejected]:
    try:
        body = binascii.a2b_base64(raw[3:].strip(), strict_mode=True)
        yield from decode_otlp(body, version, sampled=sampled)
    except binascii.Error as error:
        message = f"{raw[:3].decode()}: what follows is not base64: {error}"
        yield Rejected(Reason.INVALID_DATAGRAM, message)
    except Rejected as rejected:
        message = f"{raw[:3].decode()}: {rejected.message}"
        yield Rejected(Reason.INVALID_DATAGRAM, message)
