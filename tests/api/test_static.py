"""The console's files, deep links, and what every response carries."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<title>console</title>")
    (built / "assets" / "app-1a2b.js").write_text("let a")
    (built / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("of others")
    return TestClient(create_app(MemoryStore(), version="0", static_dir=built))


@pytest.mark.parametrize("path", ["/", "/map", "/traces/1-5759e988-bd862e3fe1be46a994272793"])
def test_deep_links_lead_to_the_index(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert "console" in response.text
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/loki/api/v1/labels",
        "/prometheus/api/v1/rules",
        "/prometheus/federate",
        "/service-level-objectives",
        "/docs",
        "/traces/1-5759e988-bd862e3fe1be46a994272793/spans",
        "/api/nowhere",
    ],
)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    """A health check of another product's path must fail, and an SDK must not read a page as an answer;
    a browser gets the console's page, which says that it has none here."""
    for accept in ("application/json", "*/*", "", "text/html;q=0, */*"):
        response = client.get(path, headers={"Accept": accept})
        assert response.status_code == 404, accept
        assert response.headers["content-type"] == "application/json"
        assert "there is no GET /" in response.text
    response = client.get(path, headers={"Accept": BROWSER})
    assert response.status_code == 404
    is_page = response.headers["content-type"].startswith("text/html")
    assert is_page is not path.startswith("/api/")


@pytest.mark.parametrize("path", ["/", "/map", "/traces/1-5759e988-bd862e3fe1be46a994272793"])
def test_pages_are_for_who_takes_html(client: TestClient, path: str) -> None:
    for accept in ("application/json", "application/json, text/html;q=0", "image/png"):
        assert client.get(path, headers={"Accept": accept}).status_code == 404, accept
    for headers in ({"Accept": BROWSER}, {"Accept": "*/*"}, {"Accept": ""}):
        assert client.get(path, headers=headers).status_code == 200, headers


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/services", "GET, HEAD"),
        ("DELETE", "/api/v1/map", "GET, HEAD"),
        ("PATCH", "/api/v1/deployments", "GET, HEAD, POST"),
        ("GET", "/api/map/arrange", "POST"),
        ("HEAD", "/api/map/arrange", "POST"),
        ("POST", "/readyz", "GET, HEAD"),
        ("POST", "/map", "GET, HEAD"),
        ("PUT", "/assets/app-1a2b.js", "GET, HEAD"),
        ("GET", "/ServiceGraph", "POST"),
    ],
)
def test_a_wrong_method_is_405_with_the_right_ones(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.headers.get("allow")) == (405, allowed)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tag-resource"), ("PUT", "/api/nowhere"), ("OPTIONS", "/tempo")]
)
def test_no_method_reaches_what_is_not_there(client: TestClient, method: str, path: str) -> None:
    """Further operations of Application Signals are POSTs to paths like these."""
    response = client.request(method, path)
    assert (response.status_code, "allow" in response.headers) == (404, False)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/map", "/api/v1/services", "/readyz", "/map"],
)
def test_head_is_a_get_without_its_body(client: TestClient, path: str) -> None:
    query = "?from=1795560000&to=1795560600" if path.startswith("/api") else ""
    got, head = client.get(path + query), client.head(path + query)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


def test_assets_never_change(client: TestClient) -> None:
    response = client.get("/assets/app-1a2b.js")
    assert "immutable" in response.headers["cache-control"]
    assert "javascript" in response.headers["content-type"]
    assert client.get("/favicon.svg").headers["cache-control"] == "no-cache"
    assert client.get("/assets/gone.js").status_code == 404


def test_assets_are_sent_compressed(client: TestClient) -> None:
    """To who takes it; what a cache keeps of one answer is not for the others."""
    path = "/assets/app-1a2b.js"
    response = client.get(path)
    assert (response.text, response.headers["content-encoding"]) == ("let a", "gzip")
    assert "Accept-Encoding" in response.headers["vary"]
    assert "immutable" in response.headers["cache-control"]
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == ("let a", False)
    head = client.head(path)
    assert (head.content, head.headers["content-length"]) == (
        b"",
        response.headers["content-length"],
    )


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%00"])
def test_nothing_outside_is_served(client: TestClient, path: str) -> None:
    assert "of others" not in client.get(path).text


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
