"""What Firehose delivers of a CloudWatch Logs subscription → invocations, requests of API Gateway and log lines, and
spans of ``aws/spans``.

The body is a list of records in base64; each is gzip of one or several JSON objects, one for a few log
events of one stream, or the same without compression. A damaged record costs itself only.
"""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from collector.decode.aws_spans import AwsSpans, no_spans, read_spans
from collector.decode.lambda_records.access_logs import take_access_lines
from collector.decode.lambda_records.events import damaged, read_line
from collector.decode.lambda_records.execution_logs import take_execution_lines
from collector.decode.lambda_records.fold import Origin, Skipped, fold, origin_of_logs
from collector.decode.lambda_records.lines import Lines, StreamLine, collect
from collector.decode.limits import check_value_count
from collector.decode.rejected import Rejected
from store.otel.aws_span_blocks import GROUP
from store.rules.gateway_requests import GatewayRequest
from store.rules.invocations import Invocation

MAX_RECORD = 16 << 20
"""Bytes of one record, decompressed. Firehose itself takes 1 MB of it, compressed."""
MAX_REQUEST = 64 << 20
"""Bytes of all records of a request, decompressed."""
MAX_EVENTS = 50_000
"""Log events of a request, and records."""
MAX_VALUES = 2 * MAX_EVENTS
"""Values of a request in JSON, beyond the records' data."""
_MILLISECOND = 1_000
_LATEST = 253_402_300_799_000_000
"""The end of the year 9999 in microseconds."""
_decode_first = json.JSONDecoder().raw_decode
_BLANK = " \t\r\n"


class Delivery(Struct):
    """A request of Firehose."""

    requestId: str = ""
    timestamp: int = 0
    records: list[dict[str, Any]] = msgspec.field(default_factory=list)


def read_delivery(body: bytes) -> Delivery:
    """Raises Rejected for what is no request of Firehose, or has too many records."""
    check_value_count(body, MAX_VALUES)
    try:
        delivery = msgspec.json.decode(body, type=Delivery)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"the request body: {error}") from error
    if len(delivery.records) > MAX_EVENTS:
        raise damaged(f"more than {MAX_EVENTS:,} records in one request")
    return delivery


class LogEvent(Struct):
    """One line of a log."""

    timestamp: int
    message: str


class LogBatch(Struct):
    """Log events of one stream."""

    messageType: str = ""
    owner: str = ""
    logGroup: str = ""
    logStream: str = ""
    logEvents: list[LogEvent] = msgspec.field(default_factory=list)


class Decoded(NamedTuple):
    """What came of a delivery."""

    invocations: list[Invocation]
    skipped: list[Skipped]
    rejected: list[Rejected]
    logs: Lines
    spans: AwsSpans
    requests: list[GatewayRequest]
    """Of access logs of API Gateway that name a trace."""


SOURCE = "firehose"


def nothing() -> Decoded:
    """What comes of a delivery without records."""
    return Decoded([], [], [], Lines([], Counter(), []), no_spans(), [])


def decode_delivery(delivery: Delivery, region: str) -> Decoded:
    """All invocations that the records of a request finish. ``region``: of the stream's ARN."""
    decoded = nothing()
    left, events = MAX_REQUEST, MAX_EVENTS
    for number, record in enumerate(delivery.records):
        try:
            content = decompress(data_of(record), min(MAX_RECORD, left))
            left -= len(content)
            for batch in _batches(content):
                events -= len(batch.logEvents)
                if events < 0:
                    raise damaged(f"more than {MAX_EVENTS:,} log events in one request")
                _add(decoded, batch, region)
        except Rejected as rejected:
            rejected.message = f"record {number}: {rejected.message}"
            decoded.rejected.append(rejected.as_value())
    return decoded


def _add(decoded: Decoded, batch: LogBatch, region: str) -> None:
    if batch.logGroup == GROUP:
        messages = (event.message for event in batch.logEvents)
        spans, refused = read_spans(messages, batch.owner, region)
        decoded.spans.add(spans)
        decoded.rejected.extend(refused)
        return
    origin = origin_of_logs(batch.logGroup, batch.logStream, batch.owner, region)
    stream = list(_stream(batch))
    if not origin.function:
        stream = _take_services(decoded, origin, stream)
    lines = collect(origin, stream, SOURCE)
    folded, rejected = fold(origin, [line.fact for line in stream], lines.failed)
    decoded.invocations.extend(folded.invocations)
    decoded.skipped.extend(folded.skipped)
    decoded.rejected.extend(rejected)
    decoded.logs.add(lines)


def _take_services(decoded: Decoded, origin: Origin, stream: list[StreamLine]) -> list[StreamLine]:
    """Take what AWS's services log of requests; returns the other lines."""
    access = take_access_lines(origin, stream, SOURCE)
    decoded.requests.extend(access.requests)
    decoded.rejected.extend(access.rejected)
    decoded.logs.lines.extend(access.lines)
    executions = take_execution_lines(origin, access.others, SOURCE)
    decoded.rejected.extend(executions.rejected)
    decoded.logs.lines.extend(executions.lines)
    return executions.others


def _stream(batch: LogBatch) -> Iterator[StreamLine]:
    for event in batch.logEvents:
        time = event.timestamp * _MILLISECOND
        if not 0 <= time <= _LATEST:
            yield StreamLine(event.message, 0, damaged("timestamp: expected milliseconds"))
            continue
        try:
            yield StreamLine(event.message, time, read_line(event.message, time))
        except Rejected as rejected:
            yield StreamLine(event.message, time, rejected)


def data_of(record: dict[str, Any]) -> bytes:
    """What a record of Firehose carries. Raises Rejected."""
    data = record.get("data")
    if not isinstance(data, str):
        raise damaged("expected data in base64")
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise damaged(f"not base64: {error}") from error


def decompress(data: bytes, limit: int) -> bytes:
    """The content of gzip, of several members as well, or the data itself."""
    if not data.startswith(b"\x1f\x8b"):
        return _bounded(data, limit)
    parts, size = [], 0
    while data:
        decompressor = zlib.decompressobj(wbits=31)
        try:
            part = decompressor.decompress(data, limit - size + 1)
        except zlib.error as error:
            raise damaged(f"not gzip: {error}") from error
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        if not decompressor.eof:
            raise damaged("the gzip ends early")
        parts.append(part)
        data = decompressor.unused_data
    return b"".join(parts)


def _bounded(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _too_large(limit: int) -> Rejected:
    return damaged(f"more than {limit:,} bytes decompressed")


_read_batch = msgspec.json.Decoder(LogBatch).decode


def _batches(content: bytes) -> Iterator[LogBatch]:
    """The batches with data in a record; a control message is none."""
    for part in _objects(content):
        try:
            batch = _read_batch(part)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise damaged(f"no log events: {error}") from error
        if batch.messageType == "CONTROL_MESSAGE":
            continue
        if not batch.logGroup:
            raise damaged("expected log events with their logGroup")
        yield batch


def _objects(content: bytes) -> Iterator[bytes]:
    """JSON objects that follow each other, with or without white space in between."""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    else:
        yield content
        return
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise damaged(f"not UTF-8 (byte {error.start})") from error
    at = _skip(text, 0)
    while at < len(text):
        try:
            _, end = _decode_first(text, at)
        except (ValueError, RecursionError) as error:
            raise damaged(f"not JSON at character {at}") from error
        yield text[at:end].encode()
        at = _skip(text, end)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
