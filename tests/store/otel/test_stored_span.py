"""The stored form of a span."""

from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from store.otel.stored_span import frame, is_span, is_unsampled, read_span, write_span


@pytest.mark.parametrize("size", [0, 100, 300, 20_000, 3_000_000])
def test_round_trip_of_any_length(size: int) -> None:
    span = Span(name="x" * size, span_id=b"12345678")
    shared = frame(b"", "https://opentelemetry.io/schemas/1.30.0")
    stored = write_span(shared, frame(b"", ""), span.SerializeToString())
    message = read_span(stored)
    assert message.scope_spans[0].spans[0] == span
    assert message.schema_url.endswith("1.30.0")


def test_markers() -> None:
    sampled = write_span(frame(b"", ""), frame(b"", ""), b"")
    counted = write_span(frame(b"", ""), frame(b"", ""), b"", sampled=False)
    assert is_span(sampled)
    assert is_span(counted)
    assert (is_unsampled(sampled), is_unsampled(counted)) == (False, True)
    assert not is_span(b'{"id": "1"}')


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x01", b"\x01\xff", b"\x01\x12\x00"])
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored span"):
        read_span(raw)
