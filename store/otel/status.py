"""The outcome of a span: X-Ray's flags, and the recorded exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from store.otel.attributes import Attributes, number, text
from store.otel.genai import is_genai
from store.otel.http_block import is_observation
from store.otel.merge_patch import DOCUMENT
from store.otel.semconv import GRPC_CODES, GRPC_ERRORS, GRPC_THROTTLE
from store.rules.aws_errors import exception_name, status_in_message
from store.rules.sdk_errors import status_in_messages, status_of_exception

STATUS_UNSET, STATUS_ERROR = 0, 2


_GRPC_STATUS = (
    "rpc.grpc.status_code",
    "rpc.response.status_code",
    "grpc.status_code",
    "rpc.connect_rpc.error_code",
)
"""The third is what .NET's Grpc.AspNetCore, Envoy and Micrometer write (code or name), the fourth Connect's, whose
names are gRPC's in lower case but for ``canceled``."""


class Flags(NamedTuple):
    """X-Ray's three flags; several may be set."""

    error: bool = False
    throttle: bool = False
    fault: bool = False


NO_FLAGS = Flags()
FAULT = Flags(fault=True)
ERROR, THROTTLE = Flags(error=True), Flags(error=True, throttle=True)


class Thrown(NamedTuple):
    """One exception. ``stack`` is the sender's text, in its language's format."""

    type: str
    message: str = ""
    stack: str = ""


def http_status(attributes: Attributes) -> int:
    """The HTTP status; 0 if there is none."""
    status = number(attributes, "http.response.status_code", "http.status_code")
    if status is None and "outcome" in attributes and is_observation(attributes):
        status = number(attributes, "status")
    return status if status is not None and 0 < status < 1000 else 0


def flags_of(attributes: Attributes, status_code: int, status: int, failure: int = 0) -> Flags:
    """The flags: by HTTP status, else by gRPC status, else by that of the ``failure``, else by the span's own.

    ``aws.xray.error`` and its like are ours: what X-Ray's flags become when they are exported.
    """
    failed = status_code == STATUS_ERROR
    if failed:
        given = Flags(*[attributes.get(f"aws.xray.{flag}") is True for flag in Flags._fields])
        if any(given):
            return given
    if status >= 400:
        if DOCUMENT in attributes:  # the flags were none
            return NO_FLAGS
        return _of_status(status)
    if (
        "rpc.grpc.status_code" in attributes
        or "rpc.response.status_code" in attributes
        or "grpc.status_code" in attributes
        or "rpc.connect_rpc.error_code" in attributes
    ):
        flags = _of_grpc(attributes)
        if flags is not None:
            return flags
    return _of_status(failure) if failed else NO_FLAGS


def _of_status(status: int) -> Flags:
    if not 400 <= status < 500:
        return FAULT
    return THROTTLE if status == 429 else ERROR


def failure_status(
    attributes: Attributes, message: str, thrown: list[Thrown], *, leaves: bool, enters: bool
) -> int:
    """The HTTP status that a failed span tells without an attribute for it; 0 if it tells none.

    Its ``error.type`` (OpenTelemetry, "HTTP": the status code as text), unless a database's, whose codes
    are its own; else what SDKs of models and clouds say (`store.rules.sdk_errors`) of a call, which
    ``leaves`` or is a model's. A service that one ``enters`` fails by itself, whatever it called.
    """
    code = text(attributes, "error.type")
    if _is_status(code) and not ("db.system.name" in attributes or "db.system" in attributes):
        return int(code)
    of_model = not enters and is_genai(attributes)
    if of_model and (found := model_status(thrown) or status_in_messages([message])):
        return found
    names = (code, first_name(thrown)) if of_model or leaves else ()
    statuses = (status_of_exception(name, of_model=of_model) for name in names)
    return next(filter(None, statuses), 0)


def _is_status(code: str) -> bool:
    return len(code) == 3 and code.isascii() and code.isdecimal() and 400 <= int(code) < 600


def _of_grpc(attributes: Attributes) -> Flags | None:
    """By the gRPC code; None when it says OK or nothing known, and the span's own status decides."""
    code = number(attributes, *_GRPC_STATUS)
    if code is None:
        name = text(attributes, *_GRPC_STATUS).upper()
        code = GRPC_CODES.get(name.replace("CANCELED", "CANCELLED"), 0)
    if code == GRPC_THROTTLE:
        return THROTTLE
    if code in GRPC_ERRORS:
        return ERROR
    return FAULT if 0 < code < len(GRPC_CODES) else None


def escaped_grpc(span: Span, attributes: Attributes) -> bool:
    """Whether an exception left a gRPC server's handler although the span reports OK.

    Python's instrumentation sets OK before the handler runs and updates neither code nor status
    when an exception leaves it (opentelemetry-instrumentation-grpc 0.66b2, ``_start_span``); gRPC
    then answers UNKNOWN, a server fault. The recorded exception is the evidence: handled errors
    should not be recorded (OpenTelemetry, "Recording errors").
    """
    if "rpc.grpc.status_code" not in attributes or span.status.code != STATUS_UNSET:
        return False
    return any(event.name == "exception" for event in span.events)


def recorded_exceptions(span: Span) -> list[Thrown]:
    """The exceptions that a span recorded as events."""
    return [
        _thrown({each.key: each.value.string_value for each in event.attributes})
        for event in span.events
        if event.name == "exception"
    ]


def failure_of(message: str, attributes: Attributes) -> list[Thrown]:
    """The failure of a span without recorded exceptions: its ``error.type`` and status message."""
    kind = text(attributes, "error.type")
    if kind.isdecimal() or kind == "_OTHER":  # the HTTP status once more
        kind = ""
    return [Thrown(kind, message)] if kind or message else []


def _thrown(texts: Mapping[str, str]) -> Thrown:
    names = ("exception.type", "exception.message", "exception.stacktrace")
    return Thrown(*(texts.get(name, "") for name in names))


def first_name(thrown: list[Thrown]) -> str:
    """The name of the first exception that has one (`store.rules.aws_errors`)."""
    for exception in thrown:
        if name := exception_name(exception.type, exception.message):
            return name
    return ""


def model_status(thrown: list[Thrown]) -> int:
    """The HTTP status that an SDK of a model reports in an exception's message; 0 without one."""
    return status_in_messages(exception.message for exception in thrown)


def aws_status(thrown: list[Thrown]) -> int:
    """The HTTP status that an AWS SDK reports in an exception's message; 0 without one.

    OpenTelemetry's Java agent (2.10, 2.33) records the exception of a failed call of the AWS SDK v2
    and no status code.
    """
    for exception in thrown:
        if status := status_in_message(exception.message):
            return status
    return 0
