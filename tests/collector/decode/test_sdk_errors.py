"""A failure of an LLM or a cloud has its HTTP status though the span has no attribute for it."""

from __future__ import annotations

from typing import Any

import pytest

from collector.decode.otlp import columns as by_column
from collector.decode.otlp.columns import decode_otlp_columns
from store.model import State
from tests.collector.otlp_samples import CLIENT, CONSUMER, INTERNAL, SERVER, decode, export, span

LLM = {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"}
HTTP = {"server.address": "pay.example.com"}
CODE_429 = "Error code: 429 - {'error': {'message': 'Rate limit reached', 'code': 'rate_limit'}}"
FAULT, ERROR, THROTTLE = State.FAULT, State.ERROR, State.THROTTLE

ERROR_TYPES: list[tuple[dict[str, Any], str, State]] = [
    # A number is HTTP's status, but not a database's.
    (HTTP, "400", ERROR),
    (HTTP, "404", ERROR),
    (HTTP, "429", THROTTLE),
    (HTTP, "500", FAULT),
    (HTTP, "599", FAULT),
    (HTTP, "200", FAULT),
    (HTTP, "600", FAULT),
    (HTTP, "0404", FAULT),
    (HTTP, "42P01", FAULT),
    (HTTP, "٤٠٤", FAULT),
    (LLM, "429", THROTTLE),
    (LLM, "404", ERROR),
    ({"db.system": "mssql"}, "404", FAULT),
    ({"db.system.name": "mysql"}, "429", FAULT),
    ({**HTTP, "http.status_code": 503}, "429", FAULT),
    ({**HTTP, "http.status_code": 404}, "500", ERROR),
    ({**HTTP, "rpc.grpc.status_code": 14}, "429", FAULT),
    ({**HTTP, "rpc.grpc.status_code": 5}, "500", ERROR),
    # Classes of the SDKs of models, with and without their package
    (LLM, "RateLimitError", THROTTLE),
    (LLM, "openai.RateLimitError", THROTTLE),
    (LLM, "anthropic.RateLimitError", THROTTLE),
    (LLM, "litellm.exceptions.RateLimitError", THROTTLE),
    (LLM, "com.openai.errors.RateLimitException", THROTTLE),
    (LLM, "cohere.errors.too_many_requests_error.TooManyRequestsError", THROTTLE),
    (LLM, "google.api_core.exceptions.ResourceExhausted", THROTTLE),
    (LLM, "ThrottlingException", THROTTLE),
    (LLM, "ModelNotReadyException", THROTTLE),
    (LLM, "rate_limit_error", THROTTLE),
    (LLM, "BadRequestError", ERROR),
    (LLM, "openai.AuthenticationError", ERROR),
    (LLM, "NotFoundError", ERROR),
    (LLM, "AccessDeniedException", ERROR),
    (LLM, "ValidationException", ERROR),
    (LLM, "InternalServerError", FAULT),
    (LLM, "anthropic.OverloadedError", FAULT),
    (LLM, "APITimeoutError", FAULT),
    (LLM, "TimeoutError", FAULT),
    (LLM, "_OTHER", FAULT),
    # Elsewhere a class counts with an SDK's package alone: half of all programs have a NotFoundError.
    (HTTP, "openai.RateLimitError", THROTTLE),
    (HTTP, "litellm.exceptions.RateLimitError", THROTTLE),
    (HTTP, "google.api_core.exceptions.ResourceExhausted", THROTTLE),
    (HTTP, "google.api_core.exceptions.NotFound", ERROR),
    (HTTP, "google.api_core.exceptions.ServiceUnavailable", FAULT),
    (HTTP, "azure.core.exceptions.ResourceNotFoundError", ERROR),
    (HTTP, "azure.core.exceptions.HttpResponseError", FAULT),
    (HTTP, "RateLimitError", FAULT),
    (HTTP, "shop.errors.RateLimitError", FAULT),
    (HTTP, "openaix.RateLimitError", FAULT),
    (HTTP, "NotFound", FAULT),
]

THROWN: list[tuple[dict[str, Any], str, str, State]] = [
    (LLM, "openai.RateLimitError", CODE_429, THROTTLE),
    (LLM, "Exception", CODE_429, THROTTLE),
    (LLM, "Exception", "Error code: 400 - {}", ERROR),
    (LLM, "Exception", "Error code: 503", FAULT),
    (LLM, "openai.RateLimitError", "Error code: 500 - {}", FAULT),
    (LLM, "google.genai.errors.ClientError", "429 RESOURCE_EXHAUSTED. {'error': {}}", THROTTLE),
    (LLM, "google.genai.errors.ClientError", "404 NOT_FOUND. {'error': {}}", ERROR),
    (LLM, "google.genai.errors.ServerError", "503 UNAVAILABLE. {'error': {}}", FAULT),
    (LLM, "ValueError", "429 tokens are too many", FAULT),
    (LLM, "ValueError", "Error code: 42", FAULT),
    (LLM, "botocore.errorfactory.ThrottlingException", "slow down", THROTTLE),
    (HTTP, "Exception", CODE_429, FAULT),
    (HTTP, "openai.RateLimitError", CODE_429, THROTTLE),
]


def _one_by_one_and_by_column(monkeypatch: pytest.MonkeyPatch, given: Any) -> set[State]:
    monkeypatch.setattr(by_column, "FEW", 0)
    ok = span(CLIENT, HTTP, id=7)
    document, _ = decode_otlp_columns(export(given, ok), 7).documents
    assert document == decode(given)
    return {document.state, *(call.state for call in document.calls)}


@pytest.mark.parametrize(("attributes", "error_type", "state"), ERROR_TYPES)
def test_error_type(
    monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any], error_type: str, state: State
) -> None:
    failed = span(CLIENT, {**attributes, "error.type": error_type}, failed=True)
    assert _one_by_one_and_by_column(monkeypatch, failed) == {state}
    ok = span(CLIENT, {**attributes, "error.type": error_type})
    if not {"http.status_code", "rpc.grpc.status_code"} & attributes.keys():
        assert _one_by_one_and_by_column(monkeypatch, ok) == {State.OK}


@pytest.mark.parametrize(("attributes", "kind", "message", "state"), THROWN)
def test_exception(
    monkeypatch: pytest.MonkeyPatch,
    attributes: dict[str, Any],
    kind: str,
    message: str,
    state: State,
) -> None:
    """As an event, and as error.type with the status message."""
    thrown = {"exception.type": kind, "exception.message": message}
    event = span(CLIENT, attributes, failed=True, exceptions=[thrown])
    assert _one_by_one_and_by_column(monkeypatch, event) == {state}
    reported = span(CLIENT, {**attributes, "error.type": kind}, failed=message)
    assert _one_by_one_and_by_column(monkeypatch, reported) == {state}


def test_messages_make_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans that differ in an exception's message alone are not taken for each other."""
    by_column.forget()
    monkeypatch.setattr(by_column, "FEW", 0)
    messages = ["boom", "Error code: 429", "Error code: 404", "boom", "Error code: 429"]
    spans = [
        span(CLIENT, LLM, id=id, failed=True, exceptions=[{"exception.message": message}])
        for id, message in enumerate(messages, 1)
    ]
    states = [document.state for document in decode_otlp_columns(export(*spans), 7).documents]
    assert states == [FAULT, THROTTLE, ERROR, FAULT, THROTTLE]


def test_a_server_that_fails_by_its_dependency_is_at_fault() -> None:
    """The class tells the outcome of the call that raised it, not of the service around it."""
    thrown = {"exception.type": "openai.RateLimitError", "exception.message": CODE_429}
    for kind, attributes in ((SERVER, {}), (SERVER, LLM), (CONSUMER, LLM), (INTERNAL, {})):
        assert decode(span(kind, attributes, failed=True, exceptions=[thrown])).state == FAULT
    assert decode(span(SERVER, {"error.type": "429"}, failed=True)).state == THROTTLE
    agent = span(INTERNAL, {"gen_ai.operation.name": "invoke_agent"}, failed=CODE_429)
    assert decode(agent).state == THROTTLE


def test_an_exported_document_has_its_own_flags() -> None:
    given = {**LLM, "aws.xray.document": "{}", "error.type": "429"}
    assert decode(span(CLIENT, given, failed=True)).state == FAULT
