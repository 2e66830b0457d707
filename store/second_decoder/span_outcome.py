"""How a span ended (docs/opentelemetry.md, "Outcome"), as tables."""

from __future__ import annotations

import re
from typing import NamedTuple

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from store.model import Kind, State
from store.rules.sdk_errors import status_of_exception
from store.second_decoder.attributes import Attributes, number, text
from store.second_decoder.aws_calls import is_aws
from store.second_decoder.outcome import (
    by_status,
    exception_name,
    is_throttling,
    outcome,
    status_in_message,
)

GRPC_OF_CALLER = {1, 3, 5, 6, 7, 9, 10, 11, 16}
"""CANCELLED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, ABORTED,
OUT_OF_RANGE, UNAUTHENTICATED."""
GRPC_EXHAUSTED = 8
HTTP_STATUS = ("http.response.status_code", "http.status_code")
OBSERVED = (
    "INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR", "UNKNOWN"
)  # fmt: skip
"""Values of ``outcome`` beside which Micrometer's ``status`` is HTTP's."""
GRPC_STATUS = (
    "rpc.grpc.status_code",
    "rpc.response.status_code",
    "grpc.status_code",
    "rpc.connect_rpc.error_code",
)
GENAI = ("gen_ai.provider.name", "gen_ai.system", "gen_ai.operation.name")
FLAGS = ("error", "throttle", "fault")
GRPC_NAMES = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
MODEL_MESSAGE = re.compile(r"\bError code: ([0-9]{3})\b|^([0-9]{3}) [A-Z][A-Z_]+\. ")
"""What the SDKs of OpenAI and Anthropic for Python print, and Google's."""


class Failure(NamedTuple):
    """An exception that a span tells of."""

    type: str
    message: str


def recorded(span: Span) -> list[Failure]:
    """The exceptions that a span recorded."""
    return [
        Failure(said.get("exception.type", ""), said.get("exception.message", ""))
        for said in (
            {pair.key: pair.value.string_value for pair in event.attributes}
            for event in span.events
            if event.name == "exception"
        )
    ]


def exception_of(failures: list[Failure]) -> str:
    """What the failure goes by."""
    return next(filter(None, (exception_name(*each) for each in failures)), "")


class Ended(NamedTuple):
    """What a span says about its end. ``exported``: it was an X-Ray document."""

    attributes: Attributes
    status: Status
    failures: list[Failure]
    kind: Kind
    exported: bool
    calls_aws: bool

    @property
    def failed(self) -> bool:
        """Whether its own status says so."""
        return self.status.code == Status.STATUS_CODE_ERROR

    @property
    def is_failed_call_of_aws(self) -> bool:
        """Whether it is a call that an AWS SDK reports as failed."""
        leaves = self.kind in (Kind.CLIENT, Kind.PRODUCER)
        return leaves and self.failed and not self.exported and is_aws(self.attributes)

    @property
    def http_status(self) -> int:
        """The HTTP status; of a failed call of AWS also that in an exception's message. 0 without one."""
        observed = "method" in self.attributes and self.attributes.get("outcome") in OBSERVED
        status = number(self.attributes, *HTTP_STATUS, *(["status"] if observed else []))
        if 0 < status < 1000:
            return status
        named = map(status_in_message, (each.message for each in self.failures))
        return next(filter(None, named), 0) if self.is_failed_call_of_aws else 0

    @property
    def exception(self) -> str:
        """What the failure goes by: an exception, else ``error.type`` or what the status's message says."""
        error_type = text(self.attributes, "error.type")
        if error_type.isdecimal() or error_type == "_OTHER":
            error_type = ""
        return exception_of(self.failures or [Failure(error_type, self.status.message)])


def state_of(ended: Ended) -> State:
    """The class of a finished span."""
    given = [ended.attributes.get(f"aws.xray.{flag}") is True for flag in FLAGS]
    if ended.failed and any(given):
        error, throttle, fault = given
        flags = {"error": error, "throttle": throttle, "fault": fault}
        aws, exception = ended.calls_aws, ended.exception
        return outcome(**flags, status=ended.http_status, aws=aws, exception=exception)
    state = _by_codes(ended)
    throttled = is_throttling(ended.exception)
    if throttled and (
        state is State.ERROR or (ended.is_failed_call_of_aws and not ended.http_status)
    ):
        return State.THROTTLE
    return state


def _by_codes(ended: Ended) -> State:
    if ended.http_status >= 400:
        return by_status(ended.http_status)
    if grpc := grpc_status(ended.attributes):
        return of_grpc(grpc)
    if ended.failed:
        named = 0 if ended.exported else named_status(ended)
        return by_status(named) if named >= 400 else State.FAULT
    return State.FAULT if is_python_grpc_failure(ended) else State.OK


def is_python_grpc_failure(ended: Ended) -> bool:
    """Whether a handler raised: Python's gRPC server leaves the code at 0 and the status unset then."""
    unset = ended.status.code == Status.STATUS_CODE_UNSET and ended.kind is Kind.SERVER
    return unset and "rpc.grpc.status_code" in ended.attributes and bool(ended.failures)


def of_grpc(code: int) -> State:
    """By gRPC status."""
    if code == GRPC_EXHAUSTED:
        return State.THROTTLE
    return State.ERROR if code in GRPC_OF_CALLER else State.FAULT


def grpc_status(attributes: Attributes) -> int:
    """The gRPC status as a number; 0 if it is OK, unknown, or not there."""
    name = text(attributes, *GRPC_STATUS).upper()
    name = "CANCELLED" if name == "CANCELED" else name
    code = GRPC_NAMES.index(name) if name in GRPC_NAMES else number(attributes, *GRPC_STATUS)
    return code if 0 < code < len(GRPC_NAMES) else 0


def named_status(ended: Ended) -> int:
    """The HTTP status that a failure itself names, 0 if it names none."""
    a = ended.attributes
    error_type = text(a, "error.type")
    is_number = re.fullmatch("[45][0-9]{2}", error_type, re.ASCII)
    if is_number and not any(key in a for key in ("db.system.name", "db.system")):
        return int(error_type)
    if ended.kind in (Kind.SERVER, Kind.CONSUMER):
        return 0
    of_model = any(key in a for key in GENAI)
    if of_model:
        for message in (*(each.message for each in ended.failures), ended.status.message):
            if found := MODEL_MESSAGE.search(message):
                return int(found[1] or found[2])
    if not of_model and ended.kind is Kind.INTERNAL:
        return 0
    classes = (error_type, exception_of(ended.failures))
    known = (status_of_exception(each, of_model=of_model) for each in classes)
    return next(filter(None, known), 0)
