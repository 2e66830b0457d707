"""What Firehose delivers → invocations."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.lambda_records import cloudwatch
from collector.decode.lambda_records.cloudwatch import (
    Decoded,
    Delivery,
    decode_delivery,
    nothing,
)
from collector.decode.rejected import Reason
from collector.journal.format import Kind
from collector.records import records_of
from tests.lambda_samples import (
    REGION,
    delivery,
    events,
    invocation,
    log_batch,
    record,
    report_line,
)


def decode(*records: dict[str, Any]) -> Decoded:
    given = msgspec.convert(delivery(*records), Delivery)
    return decode_delivery(given, REGION)


TEXT = log_batch("START RequestId: x Version: 42", report_line(), "a line of the function")
JSON = log_batch(*map(json.dumps, events()))
CONTROL = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"timestamp": 1, "message": "hello"}]}


@pytest.mark.parametrize("batch", [TEXT, JSON])
@pytest.mark.parametrize("compress", [True, False])
def test_a_record_in_either_format(batch: dict[str, Any], compress: bool) -> None:
    decoded = decode(record(batch, compress=compress))
    (found,) = decoded.invocations
    assert (found.function, found.version, found.region) == ("checkout", "42", REGION)
    assert found.end == invocation().end
    assert not decoded.rejected


def test_several_objects_and_several_members_in_one_record() -> None:
    members = gzip.compress(json.dumps(TEXT).encode()) + gzip.compress(json.dumps(JSON).encode())
    together = {"data": base64.b64encode(members).decode()}
    assert len(decode(record(CONTROL, TEXT, JSON)).invocations) == 2
    assert len(decode(together).invocations) == 2


def test_control_messages_say_nothing() -> None:
    assert decode(record(CONTROL)) == nothing()


DAMAGED: list[dict[str, Any]] = [
    {},
    {"data": 5},
    {"data": "not base64!"},
    {"data": base64.b64encode(gzip.compress(b"{}")[:-9]).decode()},
    {"data": base64.b64encode(b"\x1f\x8bnot gzip").decode()},
    {"data": base64.b64encode(b"REPORT RequestId: raw line").decode()},
    {"data": base64.b64encode(b'{"logGroup": 5}').decode()},
    {"data": base64.b64encode(b"\xff").decode()},
    {"data": base64.b64encode(b"{}").decode()},
]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_record_costs_itself_only(damaged: dict[str, Any]) -> None:
    decoded = decode(record(TEXT), damaged, record(JSON))
    assert len(decoded.invocations) == 2
    (rejected,) = decoded.rejected
    assert rejected.reason == Reason.INVALID_PLATFORM_RECORD
    assert rejected.message.startswith("record 1: ")


def test_a_damaged_line_costs_itself_only() -> None:
    decoded = decode(record(log_batch("REPORT RequestId: x\tDuration: quick", report_line())))
    assert len(decoded.invocations) == len(decoded.rejected) == 1


def test_decompression_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "MAX_RECORD", 10_000)
    bomb = {"data": base64.b64encode(gzip.compress(b" " * 10_001)).decode()}
    decoded = decode(bomb, record(TEXT))
    assert "10,000 bytes" in decoded.rejected[0].message
    assert len(decoded.invocations) == 1
    monkeypatch.setattr(cloudwatch, "MAX_REQUEST", 1_000)
    assert len(decode(record(TEXT), record(TEXT)).rejected) == 1


def test_the_number_of_log_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "MAX_EVENTS", 4)
    decoded = decode(record(TEXT), record(TEXT))
    assert len(decoded.invocations) == 1
    assert "log events" in decoded.rejected[0].message


@pytest.mark.parametrize("timestamp", [-1, 10**18, 10**30])
def test_an_event_of_no_time_costs_itself_only(timestamp: int) -> None:
    """A number that the journal cannot have would cost the whole delivery."""
    batch = log_batch(report_line(), "a line")
    batch["logEvents"][1]["timestamp"] = timestamp
    decoded = decode(record(batch))
    assert len(decoded.invocations) == 1
    assert [one.message for one in decoded.rejected] == ["timestamp: expected milliseconds"]
    assert sum(each.count for each in records_of(Kind.LOG_LINES, decoded.logs.lines)) >= 1


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"{", b"[{}]", b"{}{}"]))))
def test_no_error_escapes(contents: list[bytes]) -> None:
    records = [{"data": base64.b64encode(content).decode()} for content in contents]
    assert not decode(*records).invocations
