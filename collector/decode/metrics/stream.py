"""What Firehose delivers of a CloudWatch metric stream (OpenTelemetry 1.0) → points.

A record is base64 of one or several ExportMetricsServiceRequest, each behind its length as a varint. A
damaged record costs itself only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from collector.decode.lambda_records.cloudwatch import (
    MAX_RECORD,
    Delivery,
    data_of,
    decompress,
)
from collector.decode.lambda_records.events import damaged
from collector.decode.metrics.otlp import MAX_POINTS, STREAM, Points, decode_metrics
from collector.decode.rejected import Rejected

MAX_STREAM = 32 << 20
"""Bytes of all records of a request, decompressed; CloudWatch compresses none."""
_MOST_SHIFT = 35


def decode_stream(delivery: Delivery) -> Points:
    """The points in all records of a request."""
    found = Points([], Counter(), [])
    left, messages = MAX_STREAM, 0
    for number, record in enumerate(delivery.records):
        try:
            content = decompress(data_of(record), min(MAX_RECORD, left))
            left -= len(content)
            for message in split_messages(content):
                messages += 1
                if messages + _count(found) > MAX_POINTS:
                    raise damaged(f"more than {MAX_POINTS:,} points in one request")
                part = decode_metrics(message, STREAM)
                found.points.extend(part.points)
                found.ignored.update(part.ignored)
                found.rejected.extend(part.rejected)
        except Rejected as rejected:
            rejected.message = f"record {number}: {rejected.message}"
            found.rejected.append(rejected.as_value())
    return found


def _count(found: Points) -> int:
    return len(found.points) + found.ignored.total() + len(found.rejected)


def split_messages(content: bytes) -> Iterator[bytes]:
    """Messages that are each behind their length. Raises Rejected when a length does not fit."""
    at = 0
    while at < len(content):
        size, at = _length(content, at)
        if size > len(content) - at:
            raise damaged(f"a message of {size:,} bytes where {len(content) - at:,} are left")
        yield content[at : at + size]
        at += size


def _length(content: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    size = shift = 0
    while at < len(content) and shift < _MOST_SHIFT:
        byte = content[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, at
        shift += 7
    raise damaged(f"byte {at}: expected the length of a message")
