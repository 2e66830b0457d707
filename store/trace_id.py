"""Trace ids in both spellings, and the time inside them.

X-Ray writes ``1-<8 hex epoch>-<24 hex>``; W3C writes the same 32 hex digits without dashes.
Internally a trace id is its 16 bytes, so both spellings denote one trace.
"""

from __future__ import annotations

from binascii import unhexlify

from store.times import DAY

_ZERO = bytes(16)


def parse_trace_id(text: str) -> bytes:
    """The 16 bytes of a trace id in X-Ray's or W3C's form.

    Raises ValueError for any other text, and for the all-zero id: the SDKs write it for requests
    they did not sample, so it names nothing (docs/xray-format.md §12).
    """
    digits = text[2:10] + text[11:] if text[:2] == "1-" and text[10:11] == "-" else text
    try:
        value = unhexlify(digits) if len(digits) == 32 else b""  # a third of what a pattern costs
    except ValueError:
        value = b""
    if not value:
        raise ValueError(
            "expected 1-<8 hex digits>-<24 hex digits> or 32 hex digits, got " + repr(text[:60])
        )
    if value == _ZERO:
        raise ValueError("the all-zero trace id names no trace")
    return value


def format_trace_id(trace_id: bytes) -> str:
    """X-Ray's spelling."""
    digits = trace_id.hex()
    return f"1-{digits[:8]}-{digits[8:]}"


def trace_time(trace_id: bytes, start: int) -> int:
    """Where a trace stands on the TraceId time axis, microseconds since the epoch.

    The epoch inside the id when it lies within a day of ``start`` (the earliest start of any copy of a
    document in the trace, microseconds, so that no later copy moves the trace), else ``start``: W3C ids are random there (docs/xray-format.md §2.2, our
    decision).
    """
    epoch = int.from_bytes(trace_id[:4], "big") * 1_000_000
    return epoch if abs(epoch - start) <= DAY else start
