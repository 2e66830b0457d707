"""The panel of a node says what would stop if it did, once opened."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from tests.api.v1.test_impact import NOW, STOCK, WINDOW, request
from tests.conftest import ROOT
from tests.http_server import serve

pytestmark = pytest.mark.browser


@pytest.fixture
def url() -> Iterator[str]:
    """Of eight requests two need the stock."""
    store = MemoryStore()
    for number in range(8):
        store.put(request(number, needs_stock=number < 2), str(number))
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: float(NOW))
    with serve(app) as url:
        yield url


def test_who_needs_it_and_what_only_it_leads_to(page: Page, url: str) -> None:
    requested: list[str] = []
    page.on("request", lambda each: requested.append(each.url) if "/impact" in each.url else None)
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(STOCK)}")
    expect(page.get_by_role("heading", name="If it stops")).to_be_visible()
    assert not requested, "it reads traces: only when it is opened"
    page.get_by_role("heading", name="If it stops").click()
    impact = page.locator(".impact")
    expect(impact.get_by_role("row")).to_have_text(
        [
            *("Who needs itRequestsShare", "web 225 %", "web client225 %"),
            *("What it leads toRequestsShare", "items remote2100 %"),
        ]
    )
    expect(impact).to_contain_text("Only through it: items remote")
    hops = impact.get_by_role("group", name="Hops")
    hops.get_by_role("button", name="1 hop").click()
    expect(impact.get_by_role("row")).to_have_count(4)
    hops.get_by_role("button", name="any distance").click()
    expect(impact.get_by_role("row")).to_have_count(5)
    impact.get_by_role("link", name="2").first.click()
    expect(page).to_have_url(re.compile("/traces.*filter=service"))
    expect(page.locator("table tbody tr")).to_have_count(2)
    assert len(requested) == 1


def test_single_points_are_marked_and_listed_on_wish(page: Page, url: str) -> None:
    requested: list[str] = []
    page.on("request", lambda each: requested.append(each.url) if "structure" in each.url else None)
    page.goto(f"{url}/map?{WINDOW}")
    switch = page.get_by_role("group", name="Single points of failure")
    expect(switch).to_have_text("Single points")
    assert not [each for each in requested if "/api/" in each]
    switch.get_by_role("button", name="Single points").click()
    expect(page).to_have_url(re.compile("structure=1"))
    expect(switch.get_by_role("button", name="web")).to_have_attribute(
        "title", "2 services are reached through it alone, with 4 requests"
    )
    marked = page.get_by_role("button", name=re.compile("^web, .*2 services through it alone"))
    expect(marked).to_be_attached()
    switch.get_by_role("button", name="web").click()
    expect(page.get_by_role("heading", name="If it stops")).to_be_visible()
    switch.get_by_role("button", name="Single points").click()
    expect(marked).to_have_count(0)
