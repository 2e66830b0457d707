"""The log lines of a trace and of a function, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from collector.decode.document import decode_document
from store.log_lines import NO_TRACE, LogLine
from store.memory import MemoryStore
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.builders import T0, segment, trace_id

ID = trace_id(1)
TEXT = format_trace_id(ID)
NOW = T0 + 60 * SECOND


@pytest.fixture
def app(store: MemoryStore) -> FastAPI:
    return create_app(
        store,
        version="1",
        log_link="https://logs.example.com/?q={trace_id}",
        clock=lambda: NOW / SECOND,
    )


@pytest.fixture
def http(app: FastAPI) -> TestClient:
    return TestClient(app)


def line(body: str, at: int = 0, **members: Any) -> LogLine:
    return LogLine(T0 + at * SECOND, body, **({"name": "web", "trace_id": ID} | members))


def put_trace(store: MemoryStore) -> None:
    document = {
        "trace_id": TEXT,
        "id": "00000000000000a1",
        "name": "web",
        "start_time": T0 / SECOND,
        "end_time": T0 / SECOND + 1,
    }
    store.put([decode_document(json.dumps(document).encode(), T0)], "t")


def test_the_lines_of_a_trace(store: MemoryStore, http: TestClient) -> None:
    put_trace(store)
    store.put_log_lines([line("hello", severity="info", span_id=0xA1), line("late", 400)], "a")
    answer = http.get(f"/api/v1/traces/{ID.hex()}/logs").json()
    assert [(one["text"], one["severity"], one["segment"]) for one in answer["lines"]] == [
        ("hello", "info", "00000000000000a1")
    ]
    assert answer["left_out"] == 0
    (link,) = answer["links"]
    assert link == {
        "segment": None,
        "label": "logs.example.com",
        "url": f"https://logs.example.com/?q={TEXT}",
    }


def test_what_does_not_fit_is_counted(store: MemoryStore, http: TestClient) -> None:
    put_trace(store)
    store.put_log_lines([line(str(at), at) for at in range(5)], "a")
    answer = http.get(f"/api/v1/traces/{TEXT}/logs?limit=2").json()
    assert ([one["text"] for one in answer["lines"]], answer["left_out"]) == (["0", "1"], 3)


def test_lines_of_a_trace_that_is_not_stored(store: MemoryStore, http: TestClient) -> None:
    missing = http.get(f"/api/v1/traces/{TEXT}/logs")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NoSuchTrace")
    store.put_log_lines([line("hello")], "a")
    answer = http.get(f"/api/v1/traces/{TEXT}/logs").json()
    assert [one["segment"] for one in answer["lines"]] == [None]
    assert answer["links"] == []


def test_the_last_lines_of_a_function(store: MemoryStore, http: TestClient) -> None:
    store.put_log_lines([line("a"), line("b", 1), line("c", 2, name="other")], "a")
    answer = http.get("/api/v1/logs?function=web&from=-15m&limit=1").json()
    assert [one["text"] for one in answer["lines"]] == ["b"]
    assert answer["left_out"] == 1
    assert answer["lines"][0]["trace_id"] == TEXT


def test_lines_of_older_traces_are_said_to_be_missing(
    store: MemoryStore, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = [
        segment(1, trace_id=trace_id(n), start=T0, end=T0 + 9, name="web", environment="prod")
        for n in range(3)
    ]
    store.put(traces, "t")
    url = "/api/v1/logs?function=web&from=-15m&environment=prod"
    assert http.get(url).json()["traces_left_out"] is False
    monkeypatch.setattr("api.console.filtered.MOST_SELECTED_TRACES", 2)
    assert http.get(url).json()["traces_left_out"] is True
    assert http.get("/api/v1/logs?function=web&from=-15m").json()["traces_left_out"] is False


def test_the_lines_of_a_place(store: MemoryStore, http: TestClient) -> None:
    """An environment is that of the trace, which only one line of a request may name."""
    store.put(
        [segment(1, trace_id=ID, start=T0, end=T0 + 9, name="web", environment="prod")],
        "t",
    )
    lines = [
        line("own", trace_id=NO_TRACE, request_id="r1", account="1"),
        line("report", 1, request_id="r1", account="1"),
        line("dev", 2, trace_id=trace_id(2), request_id="r2", account="2", region="eu-west-1"),
    ]
    store.put_log_lines(lines, "a")

    def texts(query: str) -> list[str]:
        answer = http.get(f"/api/v1/logs?function=web&from=-15m&{query}").json()
        return [one["text"] for one in answer["lines"]]

    assert texts("account=1") == ["own", "report"]
    assert texts("region=eu-west-1") == ["dev"]
    assert texts("environment=prod") == ["own", "report"]
    assert texts("environment=prod&account=2") == []
    assert texts("environment=staging") == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/api/v1/traces/x/logs", "trace id"),
        ("/api/v1/logs", "function"),
        ("/api/v1/logs?function=web&limit=0", "limit"),
        ("/api/v1/logs?function=web&from=soon", "from"),
    ],
)
def test_what_is_wrong_is_named(http: TestClient, path: str, why: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 400
    assert why in answer.json()["error"]["message"]
