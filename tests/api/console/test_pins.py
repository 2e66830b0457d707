"""Pins in the console's API (docs/console-api.md)."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.app import create_app
from api.schemas.traces import PinList, PinnedTrace, TraceDetail
from store.memory import MemoryStore
from store.trace_id import format_trace_id
from tests.api.shop import shop
from tests.builders import T0, trace_id

NOW = T0 / 1_000_000 + 3600
ID = format_trace_id(trace_id(99))
PIN = f"/api/traces/{ID}/pin"


@pytest.fixture
def app(store: MemoryStore) -> FastAPI:
    return create_app(store, version="1.2.3", clock=lambda: NOW)


@pytest.fixture
def client(app: FastAPI, store: MemoryStore) -> TestClient:
    store.put(shop(), "shop")
    return TestClient(app, raise_server_exceptions=False)


def shaped(answer: Any, shape: Any) -> Any:
    assert answer.status_code == 200, answer.text
    TypeAdapter(shape).validate_python(answer.json(), extra="forbid")
    return answer.json()


def pin_of(client: TestClient) -> Any:
    return shaped(client.get(f"/api/traces/{ID}"), TraceDetail)["pin"]


def test_pin_note_and_unpin(client: TestClient) -> None:
    assert pin_of(client) is None
    assert shaped(client.get("/api/pins"), PinList) == {"pins": []}
    made = shaped(client.put(PIN), PinnedTrace)
    assert made == {"id": ID, "note": "", "at": NOW}
    assert pin_of(client) == {"note": "", "at": NOW}
    other = f"/api/traces/{trace_id(99).hex()}/pin"
    noted = shaped(client.put(other, json={"note": " it's \u2603 "}), PinnedTrace)
    assert noted == {**made, "note": "it's \u2603"}
    assert shaped(client.get("/api/pins"), PinList) == {"pins": [noted]}
    for _ in range(2):
        gone = client.delete(PIN)
        assert (gone.status_code, gone.content) == (204, b"")
    assert pin_of(client) is None


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "said"),
    [
        (f"/api/traces/{format_trace_id(trace_id(98))}/pin", "", 404, "NoSuchTrace", "no trace 1-"),
        ("/api/traces/hello/pin", "", 400, "InvalidRequest", "trace id: expected 1-"),
        (PIN, '{"note": 7}', 400, "InvalidRequest", "note"),
        (PIN, '{"note": "a\\nb"}', 400, "InvalidRequest", "one line of text"),
        (PIN, '{"note": "%s"}' % ("x" * 501), 400, "InvalidRequest", "at most 500 characters"),
        (PIN, "[]", 400, "InvalidRequest", "JSON object"),
        (PIN, "{", 400, "InvalidRequest", "not JSON"),
        (PIN, "x" * 10_001, 413, "RequestEntityTooLarge", "10000 bytes"),
    ],
)
def test_what_cannot_be_pinned(
    client: TestClient, path: str, body: str, status: int, code: str, said: str
) -> None:
    answer = client.put(path, content=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert client.get("/api/pins").json() == {"pins": []}


def test_what_is_no_id_cannot_be_unpinned(client: TestClient) -> None:
    assert client.delete("/api/traces/hello/pin").status_code == 400


def test_no_other_site_can_pin(client: TestClient) -> None:
    """A browser's preflight for a PUT or DELETE from another origin is rejected."""
    preflight = client.options(
        PIN, headers={"Origin": "http://elsewhere", "Access-Control-Request-Method": "PUT"}
    )
    assert preflight.status_code >= 400
    assert "access-control-allow-origin" not in preflight.headers
