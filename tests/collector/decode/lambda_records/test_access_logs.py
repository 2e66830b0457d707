"""Lines of API Gateway's access logs: what is read of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.decode.lambda_records.access_logs import read_access_line, take_access_lines
from collector.decode.lambda_records.fold import Origin
from collector.decode.lambda_records.lines import StreamLine
from collector.decode.rejected import Rejected
from store.log_lines import ACCESS, NO_TRACE
from store.rules.gateway_requests import Api, GatewayRequest
from tests.access_logs import ANSWERED, GROUP, START, THROTTLED, TRACED, access_line
from tests.lambda_samples import ACCOUNT, END, REGION, REQUEST, TRACE_ID

ORIGIN = Origin(account="999988887777", region="us-east-1", log_group=GROUP, log_stream="0f1e2d")


def read(text: str) -> GatewayRequest:
    request = read_access_line(text, END, ORIGIN)
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("api", "kind", "duration"),
    [
        ("Rest", Api.REST, 140_000),
        ("Http", Api.HTTP, 140_000),
        ("WebSocket", Api.WEBSOCKET, 130_000),
    ],
)
def test_each_format_says_which_request_it_was(api: str, kind: Api, duration: int) -> None:
    request = read(access_line(api, **TRACED, **ANSWERED))
    assert (request.name, request.kind, request.status) == ("shop/prod", kind, 200)
    assert (request.start, request.duration, request.integration) == (START, duration, 130_000)
    assert (request.account, request.region) == (ACCOUNT, REGION)
    assert request.integration_request == REQUEST
    assert request.trace == ("" if api == "Http" else TRACE_ID.hex())


def test_a_variable_without_a_value_says_nothing() -> None:
    """API Gateway writes ``-``, also where the format has no quotation marks."""
    line = access_line(**THROTTLED | {"error.messageString": None})
    assert '"errorMessage":-' in line
    request = read(line)
    assert (request.status, request.integration, request.error) == (429, 0, "")
    assert (request.trace, request.integration_request) == ("", "")
    assert not request.reached_integration


def test_where_the_line_does_not_say_the_log_does() -> None:
    given = json.loads(access_line(error_messageString='"-"', name="-"))
    for name in ("accountId", "domainName", "requestTimeEpoch", "apiName"):
        del given[name]
    request = read(json.dumps(given))
    assert (request.account, request.region) == (ORIGIN.account, ORIGIN.region)
    assert (request.start, request.name) == (END - 140_000, "a1b2c3/prod")


def test_seconds_and_milliseconds_are_distinguished() -> None:
    assert read(access_line(requestTimeEpoch=START // 1_000_000)).start == START // 10**6 * 10**6


@pytest.mark.parametrize(
    "change",
    [
        {"status": None},
        {"status": "OK"},
        {"status": 20},
        {"responseLatency": "-3"},
        {"responseLatency": "1e99"},
        {"requestTimeEpoch": "nan"},
        {"stage": "x" * 300},
    ],
)
def test_a_damaged_line_is_refused_and_remains_a_line(change: dict[str, Any]) -> None:
    good = access_line(**TRACED)
    lines = [StreamLine(text, END) for text in (good, access_line(**change), good)]
    found = take_access_lines(ORIGIN, lines, "firehose")
    assert [each.reason for each in found.rejected] == ["InvalidPlatformRecord"]
    assert (len(found.requests), found.others) == (2, lines[1:2])


@pytest.mark.parametrize(
    "text",
    [
        "POST /orders 200",
        '{"apiId": "a", "stage": "b"}',
        '{"apiId": "a", "stage": "b", "requestId": 7.5}',
        '{"apiId": "a", "stage": "b", "requestId": "r"',
        '["apiId", "stage"]',
        '{"apiId": {}, "stage": [], "requestId": null}',
    ],
)
def test_other_lines_are_nothing_here(text: str) -> None:
    assert read_access_line(text, END, ORIGIN) is None


def test_a_line_that_names_a_functions_request_alone_waits() -> None:
    lines = [
        StreamLine(access_line("Http", **ANSWERED), END),
        StreamLine(access_line("Http", **THROTTLED), END),
        StreamLine(access_line(**TRACED, **ANSWERED), END),
    ]
    found = take_access_lines(ORIGIN, lines, "firehose")
    assert [each.record for each in found.lines] == [ACCESS, "", ""]
    assert [each.request_id for each in found.lines] == [REQUEST, "", REQUEST]
    assert found.lines[0].trace_id == NO_TRACE
    assert [each.status for each in found.requests] == [429, 200]
    assert found.requests[0].trace_id == found.lines[1].trace_id != NO_TRACE


def test_rejected_is_all_that_is_raised() -> None:
    with pytest.raises(Rejected):
        read_access_line(access_line(status="x"), END, ORIGIN)
