"""The console's files, deep links, and what every response carries."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<title>console</title>")
    (built / "assets" / "app-1a2b.js").write_text("let a")
    (built / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("secret")
    return TestClient(create_app(MemoryStore(), version="0", static_dir=built))


@pytest.mark.parametrize("path", ["/", "/map", "/traces/1-5759e988-bd862e3fe1be46a994272793"])
def test_deep_links_lead_to_the_index(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert "console" in response.text
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-cache"


def test_assets_never_change(client: TestClient) -> None:
    response = client.get("/assets/app-1a2b.js")
    assert "immutable" in response.headers["cache-control"]
    assert "javascript" in response.headers["content-type"]
    assert client.get("/favicon.svg").headers["cache-control"] == "no-cache"
    assert client.get("/assets/gone.js").status_code == 404


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%00"])
def test_nothing_outside_is_served(client: TestClient, path: str) -> None:
    assert "secret" not in client.get(path).text


def test_unbuilt_console_says_how_to_build_it() -> None:
    client = TestClient(create_app(MemoryStore(), version="0"))
    assert "npm" in client.get("/map").text


def test_responses_carry_security_headers(client: TestClient) -> None:
    for path in ("/", "/api/status", "/assets/app-1a2b.js", "/api/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_health_and_metrics() -> None:
    client = TestClient(create_app(MemoryStore(), version="0", metrics=lambda: b"up 1\n"))
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").json() == {"ready": True, "problems": []}
    assert client.get("/metrics").content == b"up 1\n"


def test_extra_routers_and_hooks() -> None:
    """The collector's routes come first; hooks run around the app's life."""
    router = APIRouter()

    @router.post("/TraceSegments")
    async def put() -> dict[str, str]:
        return {"router": "extra"}

    seen: list[str] = []

    async def start() -> None:
        seen.append("start")

    async def stop() -> None:
        seen.append("stop")

    app = create_app(
        MemoryStore(), version="0", extra_routers=[router], on_start=[start], on_stop=[stop]
    )
    with TestClient(app) as client:
        assert client.post("/TraceSegments").json() == {"router": "extra"}
    assert seen == ["start", "stop"]
