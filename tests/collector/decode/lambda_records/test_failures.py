"""A handler that raised is a failed invocation: by its runtime's line, through every source of records."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from collector.decode.document import decode_document
from collector.decode.lambda_records.cloudwatch import Decoded, Delivery, decode_delivery
from collector.decode.lambda_records.otlp_logs import decode_json_logs
from collector.decode.lambda_records.upload import decode_upload
from store.model import State
from store.rules.handler_failures import is_telling, version_in
from store.rules.invocation_documents import documents_of
from store.rules.invocations import Invocation
from store.times import MINUTE
from tests.lambda_samples import (
    END,
    GROUP,
    REGION,
    REQUEST,
    STREAM,
    event,
    events,
    log_batch,
    record,
    report_line,
)

OTHER = "0a0a0a0a-9175-4dea-83b0-a71384c4f507"
RAISED = '[ERROR] ValueError: no amount\rTraceback (most recent call last):\r\xa0\xa0File "/app.py"'
AS_JSON = json.dumps(
    {
        "timestamp": event("")["time"][:19] + "Z",
        "level": "ERROR",
        "errorType": "ValueError",
        "errorMessage": "no amount",
        "requestId": REQUEST,
        "stackTrace": ["…"],
    }
)
LOGGED = f"[ERROR]\t2026-11-24T00:00:00.000Z\t{REQUEST}\tcould not read, using the default"


def start(request: str = REQUEST) -> str:
    return f"START RequestId: {request} Version: 42"


def end(request: str = REQUEST) -> str:
    return f"END RequestId: {request}"


def decode(*messages: str, **change: Any) -> Decoded:
    """Of one stream, through Firehose."""
    return decode_delivery(Delivery(records=[record(log_batch(*messages, **change))]), REGION)


def failure(*messages: str) -> tuple[str, str]:
    (found,) = decode(*messages).invocations
    return found.failure, found.failure_message


@pytest.mark.parametrize("line", [RAISED, AS_JSON])
def test_a_runtimes_line_makes_the_invocation_fail(line: str) -> None:
    assert failure(start(), LOGGED, line, end(), report_line()) == ("ValueError", "no amount")
    as_json = map(json.dumps, events())
    begun, done = as_json
    assert failure(begun, line, done) == ("ValueError", "no amount")


def test_of_a_delivery_that_begins_within_a_request() -> None:
    assert failure(RAISED, end(), report_line()) == ("ValueError", "no amount")
    assert failure(RAISED, report_line()) == ("ValueError", "no amount")


def test_an_application_may_log_errors() -> None:
    assert failure(start(), LOGGED, "[ERROR] no luck", end(), report_line()) == ("", "")


def test_only_the_request_that_failed() -> None:
    decoded = decode(
        *(start(OTHER), end(OTHER), report_line(request=OTHER)),
        *(start(), RAISED, end(), report_line()),
    )
    found = {each.request_id: each.failure for each in decoded.invocations}
    assert found == {OTHER: "", REQUEST: "ValueError"}


def test_only_the_attempt_that_failed() -> None:
    """Lambda retries under the same request id, a minute later and more."""
    failed, again = (log_batch(start(), *more, end(), report_line()) for more in ([RAISED], []))
    for each in again["logEvents"]:
        each["timestamp"] += MINUTE // 1_000
    together = {**failed, "logEvents": failed["logEvents"] + again["logEvents"]}
    decoded = decode_delivery(Delivery(records=[record(together)]), REGION)
    assert [each.failure for each in decoded.invocations] == ["ValueError", ""]


def test_both_segments_are_faults_with_the_exception() -> None:
    (found,) = decode(start(), RAISED, end(), report_line()).invocations
    for content in documents_of(found):
        document = decode_document(msgspec.json.encode(content), 1)
        assert (document.state, document.exception) == (State.FAULT, "ValueError")
        (exception,) = content["cause"]["exceptions"]
        assert exception["message"] == "no amount"
    assert content["annotations"]["lambda_status"] == "error"


def test_the_extension_sends_the_line_by_itself() -> None:
    begun, done = events()
    line = {**event("function"), "record": RAISED, "requestId": REQUEST}
    upload = {"function": {"name": "checkout"}, "events": [begun, line, done]}
    (found,) = decode_upload(json.dumps(upload).encode()).folded.invocations
    assert found.failure == "ValueError"
    line["record"] = json.loads(AS_JSON)
    (found,) = decode_upload(json.dumps(upload).encode()).folded.invocations
    assert found.failure == "ValueError"


def test_otlp_log_records_say_it_as_well() -> None:
    records = [
        {"timeUnixNano": f"{END}000", "body": {"stringValue": text}}
        for text in (start(), RAISED, end(), report_line())
    ]
    names = {"aws.log.group.names": GROUP, "aws.log.stream.names": STREAM}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in names.items()]
    logs = {"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": records}]}
    decoded = decode_json_logs(json.dumps({"resourceLogs": [logs]}).encode())
    (found,) = decoded.folded.invocations
    assert found.failure == "ValueError"


def test_the_line_is_stored_with_the_type_of_the_exception() -> None:
    lines = decode(start(), LOGGED, RAISED, end(), report_line()).logs.lines
    assert [(line.body[:10], line.failure) for line in lines if not line.record] == [
        ("[ERROR]\t20", ""),
        ("[ERROR] Va", "ValueError"),
    ]


def errors(*messages: str) -> list[tuple[float, int]]:
    """The value and the identity of each point of the metric."""
    points = decode(*messages).logs.points
    return [(each.sum, each.point) for each in points if each.metric == "Lambda/Errors"]


def test_errors_add_up_in_one_delivery_and_in_two() -> None:
    (whole,) = errors(start(), RAISED, end(), report_line())
    (first,) = errors(start(), RAISED)
    (second,) = errors(end(), report_line())
    assert (whole[0], first[0], second[0]) == (1.0, 1.0, 0.0)
    assert whole[1] == first[1] != second[1], "in whichever deliveries, one error"
    assert errors(start(), end(), report_line("Status: timeout"))[0] == (1.0, whole[1])


def test_a_record_is_stored_with_its_failure() -> None:
    (found,) = decode(start(), RAISED, end(), report_line()).invocations
    assert isinstance(found, Invocation)
    record_in_metadata = documents_of(found)[0]["metadata"]["raymap"]["platform_record"]
    assert record_in_metadata["failure"] == "ValueError"


def test_an_event_of_an_environments_start_names_the_runtime() -> None:
    begun = event("platform.initStart", functionName="checkout", runtimeVersion="python:3.12.v38")
    (line,) = decode(json.dumps(begun)).logs.lines
    assert line.record == "init"
    assert is_telling(line.body)
    assert version_in(line.body, line.log_stream) == "42"
    assert version_in(line.body, "") == "$LATEST"
