"""How a unit ended, by flags, HTTP status and exception (docs/xray-format.md §5.6, §13), as tables."""

from __future__ import annotations

import re

from store.model import State
from store.rules.throttling_codes import THROTTLING_CODES

CODE = r"([A-Za-z][A-Za-z0-9_.-]*)"
CODE_IN_MESSAGE = (
    # Go's AWS SDK v2, smithy's ResponseError: "…, https response error StatusCode: 400, RequestID: …, api error X: …"
    re.compile(
        rf"https? response error StatusCode: ([0-9]{{3}}), RequestID: [^,]*, (?:HostID: [^,]*, )?(?:api error )?{CODE}: "
    ),
    # Java's AWS SDK v1: "… (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: X; …)"
    re.compile(r"\(Service: [^;,)]+[;,] Status Code: ([0-9]{3}); Error Code: ([A-Za-z0-9_.-]+)"),
)
GO_1 = re.compile(
    rf"{CODE}: .*\n(?:\s*status code: |\{{\s+RespMetadata: \{{\s+StatusCode: )(?P<status>[0-9]{{3}}),",
    re.S,
)
"""Go's AWS SDK v1, awserr's requestError, and its modelled errors."""
BOTOCORE = re.compile(r"An error occurred \(([A-Za-z0-9_.-]+)\) when")
JAVA_2 = re.compile(r"(.*?)\(Service: [^;,)]+[;,] Status Code: (?P<status>[0-9]{3})", re.S)
JAVA_2_TEXTS = {
    "Rate exceeded": "ThrottlingException",
    "Request limit exceeded.": "RequestLimitExceeded",
}
"""What AWS answers where Java's SDK v2 has neither a class nor the code."""
JAVA_CAUSE = re.compile(r"((?:software\.amazon\.awssdk|com\.amazonaws)\.[A-Za-z0-9_.$]+): ")


def outcome(
    *, error: bool, throttle: bool, fault: bool, status: int, aws: bool, exception: str
) -> State:
    """The class of a finished unit. ``aws``: it is a call of an AWS service."""
    client_side = 400 <= status < 500
    throttled = throttle or status == 429 or is_throttling(exception)
    if not (error or throttle or fault):
        return by_status(status)
    if fault and client_side and (error or aws):
        return State.THROTTLE if throttled else State.ERROR
    if fault:
        return State.FAULT
    return State.THROTTLE if throttled else State.ERROR


def is_throttling(exception: str) -> bool:
    """Whether an exception, perhaps with its module, is an error code that means: slower."""
    return exception.rpartition(".")[2] in THROTTLING_CODES


def by_status(status: int) -> State:
    """The class that an HTTP status alone stands for."""
    if status >= 500:
        return State.FAULT
    if status == 429:
        return State.THROTTLE
    return State.ERROR if status >= 400 else State.OK


def exception_name(type: str, message: str) -> str:
    """What a failure goes by: the AWS error code, if an SDK's message has it, else the exception's type."""
    if type.endswith("ClientError") and (found := BOTOCORE.match(message)):
        return found[1]
    for pattern in CODE_IN_MESSAGE:
        if found := pattern.search(message):
            return found[2]
    if found := GO_1.match(message):
        return found[1]
    if found := JAVA_2.match(message):
        if found[1].strip() in JAVA_2_TEXTS:
            return JAVA_2_TEXTS[found[1].strip()]
        cause = JAVA_CAUSE.match(message)
        if cause and type.endswith(("CompletionException", "ExecutionException")):
            return cause[1]
    return type.removeprefix("botocore.errorfactory.")


def status_in_message(message: str) -> int:
    """The HTTP status that an AWS SDK writes into an exception's message, 0 without one."""
    for pattern in CODE_IN_MESSAGE:
        if found := pattern.search(message):
            return int(found[1])
    for other in (GO_1, JAVA_2):
        if found := other.match(message):
            return int(found["status"])
    return 0
