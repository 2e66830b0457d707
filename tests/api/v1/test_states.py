"""The states of a state machine over HTTP."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.v1 import StateList
from collector.decode.document import decode_document
from store.memory import MemoryStore
from store.times import SECOND
from tests.api.console.test_map import get
from tests.api.graph.test_state_flow import execution
from tests.builders import T0

NOW = T0 // SECOND + 60


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Two executions, of which one fails in its second state."""
    store = MemoryStore()
    for number, fails in ((1, ""), (2, "Charge")):
        document = execution(number, "Reserve", "Charge", fails=fails, fault=bool(fails))
        document["trace_id"] = f"1-{T0 // SECOND:08x}-{number:024x}"
        for each in (document, *document["subsegments"]):
            for name in ("start_time", "end_time"):
                each[name] += T0 / SECOND
        for state in document["subsegments"]:
            for inner in state["subsegments"]:
                inner.update(start_time=state["start_time"], end_time=state["end_time"])
        store.put([decode_document(json.dumps(document).encode(), T0)], str(number))
    return TestClient(create_app(store, version="1", clock=lambda: float(NOW)))


def test_the_states_of_a_machine(client: TestClient) -> None:
    services = client.get("/api/v1/services?from=-5m").json()["services"]
    (id,) = [each["id"] for each in services if each["type"] != "client"]
    reply = get(client, f"/api/v1/nodes/{id}/states?from=-5m", StateList)
    assert (reply["executions"], reply["traces"], reply["complete"]) == (2, 2, True)
    assert [(s["name"], s["requests"], s["fault"], s["average_ms"]) for s in reply["states"]] == [
        ("Reserve", 2, 0, pytest.approx(1000, abs=1)),
        ("Charge", 2, 1, pytest.approx(1000, abs=1)),
    ]
    assert reply["transitions"] == [
        {"source": None, "target": "Reserve", "count": 2},
        {"source": "Reserve", "target": "Charge", "count": 2},
        {"source": "Charge", "target": None, "count": 2},
    ]
    narrowed = get(client, f"/api/v1/nodes/{id}/states?from=-5m&filter=fault", StateList)
    assert narrowed["executions"] == 1


def test_a_node_without_traffic_is_none(client: TestClient) -> None:
    answer = client.get("/api/v1/nodes/n0/states?from=-5m")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NoSuchNode")
    assert "expected an id" not in answer.text


def test_a_name_in_place_of_an_id_is_answered_with_the_id(client: TestClient) -> None:
    services = client.get("/api/v1/services?from=-5m").json()["services"]
    machine = next(each for each in services if each["type"] != "client")
    answer = client.get(f"/api/v1/nodes/{machine['name']}/states?from=-5m")
    assert answer.status_code == 404
    assert f"expected an id, and this name has {machine['id']}" in answer.text
