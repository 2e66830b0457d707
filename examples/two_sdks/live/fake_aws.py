"""An HTTP endpoint that answers like DynamoDB, Step Functions, SQS, S3 and Lambda.

The request says how: a DynamoDB item's ``outcome``, an execution's name, a message's body, an
object's key, a function's payload is ``ok``, ``error``, ``throttle`` or ``fault``. Bodies, headers
and error codes are those of AWS; Step Functions' throttle and some faults are codes for which SDKs
have no class.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from examples.in_thread import running


class Failure(NamedTuple):
    """One of AWS's answers: the HTTP status, the error code, its text."""

    status: int
    code: str
    message: str


FAILURES = {
    "dynamodb": {
        "error": Failure(400, "ConditionalCheckFailedException", "The conditional request failed"),
        "throttle": Failure(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. "
            "Consider increasing your provisioning level with the UpdateTable API.",
        ),
        "fault": Failure(500, "InternalServerError", "Internal server error"),
    },
    "sfn": {
        "error": Failure(400, "StateMachineDoesNotExist", "State Machine Does Not Exist"),
        "throttle": Failure(400, "ThrottlingException", "Rate exceeded"),
        "fault": Failure(500, "InternalFailure", "Internal failure"),
    },
    "sqs": {
        "error": Failure(400, "QueueDoesNotExist", "The specified queue does not exist."),
        "throttle": Failure(400, "RequestThrottled", "Request is throttled."),
        "fault": Failure(500, "InternalFailure", "We encountered an internal error."),
    },
    "s3": {
        "error": Failure(404, "NoSuchKey", "The specified key does not exist."),
        "throttle": Failure(503, "SlowDown", "Please reduce your request rate."),
        "fault": Failure(500, "InternalError", "We encountered an internal error."),
    },
    "lambda": {
        "error": Failure(404, "ResourceNotFoundException", "Function not found: price"),
        "throttle": Failure(429, "TooManyRequestsException", "Rate Exceeded."),
        "fault": Failure(500, "ServiceException", "An error occurred."),
    },
}
_NAMESPACES = {
    "dynamodb": "com.amazonaws.dynamodb.v20120810",
    "sfn": "com.amazonaws.states.v20161123",
    "sqs": "com.amazonaws.sqs",
}
QUERY_CODES = {"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue"}
"""SQS's codes before it spoke JSON, which SDKs still report for compatibility."""
_TARGETS = {"DynamoDB_20120810": "dynamodb", "AWSStepFunctions": "sfn", "AmazonSQS": "sqs"}
_REQUEST_ID = "4b2e6a1c-0d5f-4f7e-9d3a-5c1b2a3d4e5f"


def serving() -> AbstractContextManager[str]:
    """The URL of a running endpoint."""
    return running(_Server(("127.0.0.1", 0), _Handler))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that ends resets its idle connections; other errors are of this program."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = read_body(self)
        target = self.headers.get("X-Amz-Target", "")
        service = _TARGETS.get(target.partition(".")[0])
        if service is not None:
            self._json(service, json.loads(body))
        elif "/functions/" in self.path:
            self._lambda(json.loads(body)["outcome"])
        else:
            self._reply(501, b"", {})
            self.log_error("neither a known X-Amz-Target nor a function: %r", self.path)

    def do_GET(self) -> None:
        outcome = urlsplit(self.path).path.rpartition("/")[2]
        headers = {"x-amz-request-id": "4B2E6A1C0D5F4F7E", "x-amz-id-2": "a/b+c="}
        if outcome == "ok":
            self._reply(200, b"a label", {**headers, "ETag": '"5d41402abc4b2a76b9719d911017c592"'})
            return
        failure = FAILURES["s3"][outcome]
        body = (
            f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{failure.code}</Code>"
            f"<Message>{escape(failure.message)}</Message><RequestId>4B2E6A1C0D5F4F7E</RequestId>"
            "<HostId>a/b+c=</HostId></Error>"
        )
        self._reply(failure.status, body.encode(), {**headers, "Content-Type": "application/xml"})

    def _json(self, service: str, request: dict[str, Any]) -> None:
        outcome, response = _answer(service, request)
        headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": _REQUEST_ID}
        if outcome == "ok":
            self._reply(200, json.dumps(response).encode(), headers)
            return
        failure = FAILURES[service][outcome]
        body = {"__type": f"{_NAMESPACES[service]}#{failure.code}", "message": failure.message}
        if service == "sqs":
            code = QUERY_CODES.get(failure.code, failure.code)
            party = "Sender" if failure.status < 500 else "Receiver"
            headers["x-amzn-query-error"] = f"{code};{party}"
        self._reply(failure.status, json.dumps(body).encode(), headers)

    def _lambda(self, outcome: str) -> None:
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": _REQUEST_ID}
        if outcome == "ok":
            self._reply(200, b"{}", {**headers, "X-Amz-Executed-Version": "$LATEST"})
            return
        failure = FAILURES["lambda"][outcome]
        body = {"Type": "User", "message": failure.message}
        headers["x-amzn-ErrorType"] = failure.code
        self._reply(failure.status, json.dumps(body).encode(), headers)

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Errors alone are of interest, and those SDKs report themselves."""


def read_body(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, chunked or not."""
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    parts = []
    while size := int(request.rfile.readline().partition(b";")[0], 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _answer(service: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The outcome that a request of a JSON protocol asks for, and the response if it is ``ok``."""
    match service:
        case "dynamodb":
            return request["Item"]["outcome"]["S"], {}
        case "sfn":
            arn = request["stateMachineArn"].replace(":stateMachine:", ":execution:")
            return request["name"], {"executionArn": f"{arn}:1", "startDate": 1795608000.0}
        case _:
            body = request["MessageBody"]
            digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
            return body, {"MessageId": _REQUEST_ID, "MD5OfMessageBody": digest}
