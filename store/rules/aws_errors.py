"""AWS error codes and HTTP statuses that SDKs report only in an exception's message.

A throttle is an HTTP 400 whose error code says so, and not every SDK has a class for every code:
botocore raises ``ClientError`` for services without a modelled throttle, Go wraps the error in
``retry.MaxAttemptsError``, and Java's spans have no HTTP status. Every decoder names exceptions with
`exception_name`, so that one answer of AWS has one state (docs/xray-format.md §13).
"""

from __future__ import annotations

import re

_BOTOCORE = re.compile(r"An error occurred \(([\w.-]+)\) when")
"""botocore's ClientError: ``An error occurred (ThrottlingException) when calling the …``."""

_GO = re.compile(
    r"https? response error StatusCode: (?P<status>\d{3}), RequestID: [^,]*, "
    r"(?:HostID: [^,]*, )?(?:api error )?(?P<code>[A-Za-z][\w.-]*): "
)
"""AWS SDK for Go v2: ``operation error DynamoDB: PutItem, …, https response error StatusCode: 400,
RequestID: …, ProvisionedThroughputExceededException: …``; without a modelled type ``api error …``."""

_GO_V1 = re.compile(
    r"(?P<code>[A-Za-z][\w.-]*): .*\n"
    r"(?:\s*status code: |\{\s+RespMetadata: \{\s+StatusCode: )(?P<status>\d{3}),",
    re.DOTALL,
)
"""AWS SDK for Go v1: ``ThrottlingException: Rate exceeded\\n\\tstatus code: 400, request id: …``; a
modelled error with members prints these instead: ``…\\n{\\n  RespMetadata: {\\n    StatusCode: 400,``."""

_JAVA = re.compile(
    r"\(Service: [^;,)]+[;,] Status Code: (?P<status>\d{3})(?:; Error Code: (?P<code>[\w.-]+))?"
)
"""AWS SDK for Java: ``… (Service: DynamoDb, Status Code: 400, Request ID: …)``; v1 adds the code."""

_JAVA_CAUSE = re.compile(r"(?:software\.amazon\.awssdk|com\.amazonaws)\.[\w.$]+(?=: )")
"""The exception inside the CompletionException of an asynchronous Java client."""

_MESSAGES = {
    "Rate exceeded": "ThrottlingException",
    "Request limit exceeded.": "RequestLimitExceeded",
}
"""AWS's own texts for throttles of which Java's SDK v2 has neither a class nor the code."""

_WRAPPERS = ("CompletionException", "ExecutionException")


def exception_name(type: str, message: str) -> str:
    """What an exception is called: the AWS error code if its message has it, else its type.

    Only messages in the form that an AWS SDK gives them are read.
    """
    if type.endswith("ClientError") and (match := _BOTOCORE.match(message)):
        return match[1]
    if "tatus" in message:  # "Status Code: 400", "StatusCode: 400", "status code: 400"
        match = _GO.search(message) or _GO_V1.match(message) or _JAVA.search(message)
        if match is not None:
            if match["code"]:
                return match["code"]
            text = message[: match.start()].strip()
            if text in _MESSAGES:
                return _MESSAGES[text]
            if type.endswith(_WRAPPERS) and (cause := _JAVA_CAUSE.match(message)):
                return cause[0]
    # A modelled error's class is named by its code; OpenTelemetry writes it with its module.
    return type.removeprefix("botocore.errorfactory.")


def status_in_message(message: str) -> int:
    """The HTTP status that an AWS SDK's exception reports in its message; 0 without one."""
    if "tatus" not in message:
        return 0
    match = _GO.search(message) or _GO_V1.match(message) or _JAVA.search(message)
    return int(match["status"]) if match is not None else 0
