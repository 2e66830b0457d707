"""Lines of functions as OTLP logs: their form, and what becomes of them without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from raymap.contrib.sam.lines import FunctionLine
from raymap.contrib.sam.sender import Sender, logs_of
from tests.http_server import serve
from tests.waiting import eventually

REQUEST = "0e6d3e8e-71f2-4b3c-9d5a-2f1d0c9b8a7e"
LINE = FunctionLine("hello", "$LATEST", "text", 1_000_000, REQUEST)


def test_lines_are_sent_by_function_with_their_request_and_trace() -> None:
    other = LINE._replace(function="other", text="x")
    first, second = logs_of([LINE, other, LINE], "eu-west-1")["resourceLogs"]
    attributes = {each["key"]: each["value"] for each in first["resource"]["attributes"]}
    assert attributes["faas.name"] == {"stringValue": "hello"}
    assert attributes["cloud.region"] == {"stringValue": "eu-west-1"}
    assert len(first["scopeLogs"][0]["logRecords"]) == 2
    (record,) = second["scopeLogs"][0]["logRecords"]
    assert record["traceId"] == REQUEST.replace("-", "")
    assert record["timeUnixNano"] == "1000000000"


def test_lines_wait_while_the_server_refuses_and_arrive_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    bodies: list[dict[str, Any]] = []
    statuses = iter([503, 503])

    async def server(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        status = next(statuses, 200)
        if status == 200:
            bodies.append(json.loads(body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    with serve(server) as url:
        sender = Sender(url, "")
        sender.put([LINE])
        eventually(lambda: bodies, "the line arrives")
        sender.put([LINE._replace(text="second")])
        sender.close()
    texts = [
        record["body"]["stringValue"]
        for body in bodies
        for record in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    ]
    assert texts == ["text", "second"]
    assert (sender.sent, sender.dropped) == (2, 0)
    assert capfd.readouterr().err.count("Until then lines of functions wait in memory") == 1


def test_lines_that_could_not_be_sent_are_counted() -> None:
    sender = Sender("http://127.0.0.1:9", "")
    sender.put([LINE] * 12_000)
    sender.close()
    assert sender.dropped == 12_000
