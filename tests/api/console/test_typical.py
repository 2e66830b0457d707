"""What a trace is compared with: the same kind of request, gone well, as slow as most."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.schemas.traces import TypicalTrace
from store.memory import MemoryStore
from store.model import Document, State
from store.times import MINUTE, SECOND
from store.trace_id import format_trace_id
from tests.api.console.test_map import get
from tests.builders import T0, call, http, segment, trace_id

SHOP = "https://shop.example.com"


def request(
    number: int, ms: int, path: str = "/orders/7", method: str = "GET", **more: Any
) -> Document:
    """A trace of one segment."""
    start = more.pop("start", T0 + number * SECOND)
    return segment(
        number,
        trace_id=trace_id(number, start // SECOND),
        start=start,
        end=start + ms * 1000,
        http=http(200, f"{SHOP}{path}", method),
        **more,
    )


FAILING = request(1, 900, path="/orders/81?retry=1", state=State.FAULT)


@pytest.fixture
def client(app: FastAPI, store: MemoryStore) -> TestClient:
    store.put([FAILING], "failing")
    return TestClient(app)


def typical(client: TestClient, document: Document = FAILING) -> TypicalTrace:
    url = f"/api/traces/{format_trace_id(document.trace_id)}/typical"
    found: TypicalTrace = get(client, url, TypicalTrace)
    return found


def test_the_typical_one_is_as_slow_as_most_of_its_kind(
    client: TestClient, store: MemoryStore
) -> None:
    """Not the fastest, the slowest or the nearest in time; ids in the path make no difference."""
    times = (40, 55, 60, 90, 4000)
    alike = [request(10 + at, ms, path=f"/orders/{at}") for at, ms in enumerate(times)]
    store.put(alike, "alike")
    found = typical(client)
    assert found["compared"] == 5
    assert found["median_ms"] == 60
    assert found["trace"] is not None
    assert found["trace"]["id"] == format_trace_id(alike[2].trace_id)


@pytest.mark.parametrize(
    "other",
    [
        request(2, 60, path="/carts/7"),
        request(2, 60, method="PUT"),
        request(2, 60, name="backoffice"),
        request(2, 60, state=State.ERROR),
        request(2, 60, state=State.IN_PROGRESS),
        request(2, 60, calls=(call(9, start=T0 + 2 * SECOND + 5, state=State.FAULT),)),
        request(2, 60, start=T0 + 200 * MINUTE),
    ],
    ids=["path", "method", "entry", "failed", "in progress", "failed inside", "too late"],
)
def test_another_kind_of_request_is_no_model(
    client: TestClient, store: MemoryStore, other: Document
) -> None:
    """Nor is one that failed, is incomplete, or was long before or after."""
    store.put([other], "other")
    assert typical(client) == {
        "id": format_trace_id(FAILING.trace_id),
        "trace": None,
        "compared": 0,
        "median_ms": None,
    }


def test_a_trace_of_an_hour_ago_will_do_without_a_nearer_one(
    client: TestClient, store: MemoryStore
) -> None:
    store.put([request(2, 60, start=T0 - 60 * MINUTE)], "earlier")
    assert typical(client)["compared"] == 1
    store.put([request(3, 70, start=T0 + 5 * MINUTE)], "nearer")
    assert typical(client)["median_ms"] == 70


def test_a_trace_is_not_compared_with_itself(client: TestClient, store: MemoryStore) -> None:
    good = request(5, 60)
    store.put([good], "good")
    assert typical(client, good)["compared"] == 0


def test_an_unknown_trace_is_a_404(client: TestClient) -> None:
    answer = client.get(f"/api/traces/{'0' * 31}1/typical")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NoSuchTrace"
