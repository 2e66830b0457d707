"""Responses of the OTLP receivers, in protobuf and in OTLP's JSON."""

from __future__ import annotations

import json

from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.decode.rejected import Reason, Rejected
from collector.receivers.otlp_response import (
    MAX_NAMED,
    UNAVAILABLE,
    export_response,
    export_response_json,
    failure,
    failure_json,
)


def rejected(number: int) -> list[Rejected]:
    return [Rejected(Reason.INVALID_ID, "16 hex digits", f"{i:016x}") for i in range(number)]


def test_success_is_an_empty_message() -> None:
    """As the specification wants it: partial_success is not set."""
    response = export_response([])
    assert response.SerializeToString() == b""
    assert export_response_json(response) == b"{}"


def test_rejections_are_counted_and_the_first_are_named() -> None:
    response = export_response([*rejected(2), Rejected(Reason.MISSING_NAME, "no name")])
    assert response.partial_success.rejected_spans == 3
    assert response.partial_success.error_message == (
        "0000000000000000: InvalidId: 16 hex digits; 0000000000000001: InvalidId: 16 hex digits; "
        "MissingName: no name"
    )
    copy = ExportTraceServiceResponse.FromString(response.SerializeToString())
    assert copy == response


def test_a_response_stays_small() -> None:
    message = export_response(rejected(1000)).partial_success.error_message
    assert message.count("InvalidId") == MAX_NAMED
    assert message.endswith(f"; and {1000 - MAX_NAMED} more")
    assert "more" not in export_response(rejected(MAX_NAMED)).partial_success.error_message


def test_integers_of_64_bits_are_strings_in_json() -> None:
    body = json.loads(export_response_json(export_response(rejected(1))))
    assert body["partialSuccess"]["rejectedSpans"] == "1"
    assert body["partialSuccess"]["errorMessage"].startswith("0000000000000000: InvalidId")


def test_a_failure_says_when_to_retry() -> None:
    status = failure(UNAVAILABLE, "the journal is full", retry_after=5)
    (detail,) = status.details
    retry = RetryInfo()
    assert detail.Unpack(retry)
    assert retry.retry_delay.seconds == 5
    assert json.loads(failure_json(status)) == {"code": 14, "message": "the journal is full"}
    assert not failure(UNAVAILABLE, "wrong").details
