"""The map marks where an edge is missing, and the panel says why and what mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from store.model import Document, NodeKey
from store.times import SECOND
from tests.builders import T0, call, segment, trace_id
from tests.conftest import ROOT
from tests.http_server import serve

pytestmark = pytest.mark.browser

NOW = T0 // SECOND + 600
WINDOW = f"from={T0 // SECOND}&to={NOW}"
SHOP, STOCK, HOST = (
    NodeKey("", "shop", ""),
    NodeKey("", "stock", ""),
    NodeKey("", "stock", "remote"),
)


def call_without_header(number: int) -> list[Document]:
    """A request of the shop that calls the stock, which begins a trace of its own."""
    at = T0 + number * SECOND
    called = call(
        16 * number + 2,
        node=HOST,
        host="stock",
        start=at + 10_000,
        end=at + 90_000,
        operation="GET",
    )
    sdk = b'{"aws": {"xray": {"sdk": "X-Ray for Python"}}}'
    times = {"start": at, "end": at + 100_000}
    inside = {"start": at + 30_000, "end": at + 50_000}
    return [
        segment(16 * number + 1, name="shop", trace_id=trace_id(number), calls=(called,), **times),
        segment(16 * number + 5, name="stock", trace_id=trace_id(1000 + number), raw=sdk, **inside),
    ]


@pytest.fixture
def url() -> Iterator[str]:
    store = MemoryStore()
    for number in range(6):
        store.put(call_without_header(number), str(number))
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: float(NOW))
    with serve(app) as url:
        yield url


def test_why_and_what_mends_it(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    expect(page.get_by_text("Edge missing")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("stock.*6 calls end here"))).to_be_attached()
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(HOST)}")
    missing = page.locator(".missing")
    expect(missing.get_by_role("heading", level=4)).to_have_text("Header not passed on6 of 6")
    expect(missing).to_contain_text("XRayMiddleware(app, xray_recorder)")
    expect(missing.get_by_role("combobox")).to_have_value("xray-python")
    missing.get_by_role("combobox").select_option("otel-go")
    expect(missing).to_contain_text("otel.SetTextMapPropagator")
    missing.get_by_role("link", name="Other end").click()
    expect(page).to_have_url(re.compile(f"/traces/1-{trace_id(1000).hex()[:8]}"))


def test_read_when_it_is_opened(page: Page, url: str) -> None:
    requested: list[str] = []
    page.on("request", lambda each: requested.append(each.url) if "/missing" in each.url else None)
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(SHOP)}")
    heading = page.get_by_role("heading", name="Why is an edge missing?")
    expect(heading).to_be_visible()
    assert not requested
    heading.click()
    expect(page.locator(".missing")).to_contain_text("Header not passed on")
    page.locator(".missing").get_by_role("button", name="stock", exact=True).first.click()
    expect(page).to_have_url(re.compile(f"sel={node_id(STOCK)}"))
