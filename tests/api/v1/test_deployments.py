"""Deployments over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.v1 import DeploymentList
from store.memory import MemoryStore
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0
from tests.store.test_deployments import EVENT

NOW = T0 // SECOND
PATH = "/api/v1/deployments"


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(MemoryStore(), version="1", clock=lambda: float(NOW)))


def listed(client: TestClient, query: str = "?from=-1h&to=2030-01-01") -> list[tuple[str, str]]:
    found = get(client, f"{PATH}{query}", DeploymentList)["deployments"]
    return [(each["service"], each["version"]) for each in found]


def report(client: TestClient, query: str = "", **body: Any) -> dict[str, Any]:
    reply = client.post(f"{PATH}{query}", json=body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def test_deployments_are_listed_latest_first(client: TestClient) -> None:
    assert report(client, service="checkout", version="41", at=NOW - 60)["at"] == NOW - 60
    assert report(client, service="checkout", version="42")["at"] == NOW
    report(client, service="stock", version="7", at=NOW - 30)
    assert listed(client) == [("checkout", "42"), ("stock", "7"), ("checkout", "41")]
    assert listed(client, "?from=-40s&to=2030-01-01") == [("checkout", "42"), ("stock", "7")]
    assert listed(client, "?to=2030-01-01&service=stock") == [("stock", "7")]
    assert listed(client, "?to=2030-01-01&limit=1") == [("checkout", "42")]


def test_a_repeated_report_is_one_deployment(client: TestClient) -> None:
    for _ in range(2):
        report(client, service="checkout", version="41", at=NOW - 60)
    assert listed(client) == [("checkout", "41")]
    report(client, id="d-1", service="checkout", version="42", state="started")
    report(client, id="d-1", service="checkout", version="42", state="failed")
    assert len(listed(client)) == 2


def test_events_of_codedeploy_as_they_are(client: TestClient) -> None:
    """Every state is a mark; an address may say whose it is. Marks without a service are anyone's."""
    event = {**EVENT, "time": "2026-11-24T10:00:00Z"}
    answer = report(client, **event)
    assert (answer["state"], answer["service"]) == ("success", "")
    report(client, "?service=checkout&version=42", **event)
    window = "?from=2026-11-24&to=2026-11-25"
    assert listed(client, window) == [("checkout", "42")]
    assert listed(client, f"{window}&service=stock") == []
    report(client, **event)
    assert listed(client, f"{window}&service=stock") == [("", "")]


def test_parameters_take_the_place_of_members(client: TestClient) -> None:
    """Also where the body lacks what a deployment must have."""
    answer = report(client, "?service=checkout&version=42")
    assert (answer["service"], answer["version"]) == ("checkout", "42")
    assert report(client, "?version=43", service="checkout", version="1")["version"] == "43"


def test_a_deployment_is_removed(client: TestClient) -> None:
    id = report(client, id="a/b c", service="checkout")["id"]
    for _ in range(2):
        assert client.delete(f"{PATH}/{id}").status_code == 204
    assert listed(client) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body must be a JSON object, got a list"),
        (b"{}", "service or version must be given"),
        (b'{"service": "x", "at": "soon"}', "at must be epoch seconds"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, body: bytes, message: str) -> None:
    reply = client.post(PATH, content=body)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]
    assert listed(client) == []


def test_a_large_body_is_refused(client: TestClient) -> None:
    assert client.post(PATH, content=b"x" * 64_001).status_code == 413
