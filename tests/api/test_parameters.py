"""A query parameter that a route does not have is refused, with what was probably meant."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from tests.api.shop import END, START

WINDOW = f"from={START}&to={END}"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(MemoryStore(), version="1")


def refusal(app: FastAPI, url: str) -> Any:
    response = TestClient(app).get(url)
    assert response.status_code == 400, response.text
    return response.json()["error"]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        (f"/api/traces?{WINDOW}&service=api", "'service' (perhaps filter=service(\"…\"))"),
        (f"/api/traces?{WINDOW}&annotation.tier=1", "(perhaps filter=annotation.tier = …)"),
        (f"/api/v1/traces?{WINDOW}&http.status=5", "(perhaps filter=http.status = …)"),
        (
            f"/api/map?{WINDOW}&filtr=fault",
            "'filtr' (perhaps filter); known are from, to, account, region",
        ),
        ("/api/v1/services?form=-1h", "'form' (perhaps from)"),
        ("/api/v1/map?Filter=fault", "(perhaps filter)"),
        ("/api/status?x=1", "'x'; this path has none"),
        ("/api/pins?" + "y" * 500 + "=1", "yyy"),
    ],
)
def test_the_parameter_is_named(app: FastAPI, url: str, hint: str) -> None:
    error = refusal(app, url)
    assert error["code"] == "UnknownParameter"
    assert hint in error["message"]
    assert len(error["message"]) < 300


def test_a_repeated_parameter_is_refused(app: FastAPI) -> None:
    error = refusal(app, f"/api/map?{WINDOW}&filter=fault&filter=ok")
    assert error["message"] == "filter is given more than once; expected one value"


@pytest.mark.slow
def test_every_described_parameter_is_known(app: FastAPI) -> None:
    """Each alone is never refused as unknown, and each path refuses another."""
    client = TestClient(app)
    for path, methods in app.openapi()["paths"].items():
        described = [p["name"] for p in methods.get("get", {}).get("parameters", ()) if p["in"] == "query"]  # fmt: skip
        if "get" in methods and path.startswith("/api/"):
            for name in described:
                assert "UnknownParameter" not in client.get(path, params={name: "1"}).text
            assert "UnknownParameter" in client.get(path, params={"nonsense": "1"}).text
