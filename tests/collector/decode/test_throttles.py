"""One answer of AWS has one state, whichever SDK reports it and whichever decoder reads it.

Documents and spans as the SDKs write them: OpenTelemetry's Java agent 2.10 and 2.33 with AWS SDK v2,
X-Ray's and OpenTelemetry's Go with AWS SDK v2, Python with botocore.
"""

from __future__ import annotations

from typing import Any

import pytest

from collector.decode.columnar.documents import decode_columns
from collector.decode.document import decode_document
from store.model import State
from tests.collector.otlp_samples import CLIENT, decode, span
from tests.collector.samples import START, segment_bytes

JAVA = "software.amazon.awssdk.services.dynamodb.model."
THROTTLE = "ProvisionedThroughputExceededException"
JAVA_MESSAGE = "{} (Service: DynamoDb, Status Code: {}, Request ID: 4B2E) (SDK Attempt Count: 4)"
GO_MESSAGE = (
    "operation error DynamoDB: PutItem, exceeded maximum number of attempts, 3, https response "
    "error StatusCode: 400, RequestID: 4B2E, {}"
)
AWS_API = {"rpc.system": "aws-api", "rpc.service": "DynamoDb", "rpc.method": "PutItem"}

OTEL: list[tuple[str, dict[str, Any], str, str, State]] = [
    ("java throttle", {}, JAVA + THROTTLE, JAVA_MESSAGE.format("exceeded", 400), State.THROTTLE),
    (
        "java condition",
        {},
        JAVA + "ConditionalCheckFailedException",
        JAVA_MESSAGE.format("The conditional request failed", 400),
        State.ERROR,
    ),
    (
        "java fault",
        {},
        JAVA + "InternalServerErrorException",
        JAVA_MESSAGE.format("internal", 500),
        State.FAULT,
    ),
    (
        "java without a response",
        {},
        "software.amazon.awssdk.core.exception.SdkClientException",
        "Unable to execute HTTP request: Connect timed out",
        State.FAULT,
    ),
    (
        "go throttle",
        {"http.response.status_code": 400},
        "*retry.MaxAttemptsError",
        GO_MESSAGE.format(THROTTLE + ": exceeded"),
        State.THROTTLE,
    ),
    (
        "go throttle without a status",
        {},
        "github.com/aws/aws-sdk-go-v2/aws/retry.MaxAttemptsError",
        GO_MESSAGE.format("api error ThrottlingException: Rate exceeded"),
        State.THROTTLE,
    ),
    (
        "go condition",
        {"http.status_code": 400},
        "*smithy.OperationError",
        GO_MESSAGE.format("ConditionalCheckFailedException: The conditional request failed"),
        State.ERROR,
    ),
    (
        "botocore throttle without a status",
        {},
        "botocore.exceptions.ClientError",
        "An error occurred (ThrottlingException) when calling the StartExecution operation",
        State.THROTTLE,
    ),
]


@pytest.mark.parametrize(
    ("attributes", "kind", "message", "state"),
    [case[1:] for case in OTEL],
    ids=[c[0] for c in OTEL],
)
def test_spans(attributes: dict[str, Any], kind: str, message: str, state: State) -> None:
    thrown = {"exception.type": kind, "exception.message": message}
    document = decode(span(CLIENT, {**AWS_API, **attributes}, failed=True, exceptions=[thrown]))
    (call,) = document.calls
    assert (call.state, document.state) == (state, state)


def test_the_status_in_a_message_is_the_calls() -> None:
    thrown = {"exception.type": "E", "exception.message": JAVA_MESSAGE.format("no", 404)}
    document = decode(span(CLIENT, AWS_API, failed=True, exceptions=[thrown]))
    assert document.calls[0].status == 404
    other = decode(span(CLIENT, {"peer.service": "x"}, failed=True, exceptions=[thrown]))
    assert (other.calls[0].status, other.calls[0].state) == (0, State.FAULT)


XRAY: list[tuple[str, dict[str, Any], str, State]] = [
    (
        "go",
        {"type": "*retry.MaxAttemptsError", "message": GO_MESSAGE.format(THROTTLE + ": exceeded")},
        THROTTLE,
        State.THROTTLE,
    ),
    (
        "botocore",
        {
            "type": "ClientError",
            "message": "An error occurred (ThrottlingException) when calling the StartExecution "
            "operation (reached max retries: 4): Rate exceeded",
        },
        "ThrottlingException",
        State.THROTTLE,
    ),
    (
        "botocore, another code",
        {"type": "ClientError", "message": "An error occurred (NoSuchBucket) when calling the"},
        "NoSuchBucket",
        State.ERROR,
    ),
    (
        "java",
        {"type": JAVA + THROTTLE, "message": JAVA_MESSAGE.format("exceeded", 400)},
        JAVA + THROTTLE,
        State.THROTTLE,
    ),
]


@pytest.mark.parametrize(
    ("exception", "name", "state"), [case[1:] for case in XRAY], ids=[c[0] for c in XRAY]
)
@pytest.mark.parametrize("by_id", [False, True], ids=["cause", "cause by id"])
def test_documents(exception: dict[str, Any], name: str, state: State, by_id: bool) -> None:
    """Error and fault are set, as X-Ray's SDKs do; one by one and in columns."""
    entry = {"id": "e" * 16, "remote": True, **exception}
    call = {
        "id": "b" * 16, "name": "dynamodb", "namespace": "aws", "start_time": START,
        "end_time": START + 0.1, "error": True, "fault": True,
        "http": {"response": {"status": 400}},
        "cause": "e" * 16 if by_id else {"exceptions": [entry]},
    }  # fmt: skip
    cause = {"exceptions": [entry]} if by_id else None
    raw = segment_bytes(subsegments=[call], cause=cause)
    (decoded,) = decode_document(raw, 1).calls
    assert (decoded.exception, decoded.state) == (name, state)
    columns, rejected = decode_columns([raw], 1)
    assert not rejected
    assert (columns.calls.exceptions, columns.calls.states) == ([name], [state])


def test_of_exceptions_with_one_id_the_first_that_has_a_name_counts() -> None:
    """X-Ray's SDKs reuse the id of an exception that they recorded further down."""
    named = {"id": "e" * 16, "type": "SlowDown"}
    call = {
        "id": "b" * 16, "name": "s3", "namespace": "aws", "start_time": START,
        "end_time": START + 0.1, "error": True, "cause": "e" * 16,
    }  # fmt: skip
    for entries in ([{"id": "e" * 16}, named], [named, {"id": "e" * 16, "type": ""}]):
        raw = segment_bytes(subsegments=[call], cause={"exceptions": entries})
        assert decode_document(raw, 1).calls[0].state == State.THROTTLE
