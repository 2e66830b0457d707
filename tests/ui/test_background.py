"""Work that serves no request: said where numbers count it, and where it is counted apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from store.model import Document, Kind, NodeKey, State
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.conftest import ROOT
from tests.http_server import serve
from tests.ui.conftest import box_at_rest

pytestmark = pytest.mark.browser

SHOP, BATCH = NodeKey("", "shop", ""), NodeKey("", "nightly", "")
WINDOW = f"from={T0 // SECOND}&to={T0 // SECOND + 900}"


def unit(number: int, **change: object) -> Document:
    """A root that begins some seconds after T0."""
    at = T0 + number * SECOND
    given = {"start": at, "end": at + 20_000, "kind": Kind.SERVER, "node": SHOP}
    return segment(number, trace_id=trace_id(number), **{**given, **change})


def job(number: int, **change: object) -> Document:
    """A job of 20 minutes."""
    end = T0 + number * SECOND + 20 * MINUTE
    table = call(0x1000 + number, node=NodeKey("", "orders", "AWS::DynamoDB::Table"))
    return unit(number, **{"end": end, "kind": Kind.INTERNAL, "calls": (table,), **change})


@pytest.fixture
def url() -> Iterator[str]:
    """A console of a shop with requests and jobs, and of a service with jobs alone."""
    store = MemoryStore()
    requests = [unit(number) for number in range(1, 31)]
    jobs = [job(40), job(41), job(42, state=State.FAULT, exception="Timeout")]
    batch = [job(number, node=BATCH) for number in (50, 51)]
    store.put([*requests, unit(31, state=State.FAULT), *jobs, *batch], "all")
    with serve(create_app(store, version="1", static_dir=ROOT / "ui/dist")) as url:
        yield url


def test_background_work_beside_requests(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(SHOP)}")
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_text("Background work: 3, average 20 min, 1 fault")).to_be_visible()
    expect(panel.get_by_role("link", name="1 fault")).to_have_attribute(
        "href", re.compile("work=background&status=fault")
    )
    expect(panel.get_by_role("row", name=re.compile("^Average 20 ms"))).to_be_visible()
    panel.get_by_role("paragraph").get_by_role("link", name="3", exact=True).click()
    expect(page).to_have_url(re.compile("work=background"))
    expect(page.get_by_text("3 units of background work in 3 traces")).to_be_visible()
    expect(page.get_by_text("Background work: shop")).to_be_visible()
    page.get_by_role("button", name="Remove the filter shop").click()
    expect(page).not_to_have_url(re.compile("work="))


def test_a_service_without_requests_says_so(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(BATCH)}")
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_text(re.compile("· background work$"))).to_be_visible()
    expect(panel.get_by_text("Background work:")).to_have_count(0)
    row = panel.get_by_role("row", name=re.compile("^Background 0.1"))
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile("work=background"))
    expect(page.get_by_text("2 units of background work in 2 traces")).to_be_visible()


def test_a_tooltip_says_so(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    button = page.get_by_role("button", name=re.compile("^nightly, .*background work"))
    box = box_at_rest(page, button)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = page.get_by_role("tooltip")
    expect(tooltip).to_contain_text("nightly")
    expect(tooltip.get_by_role("rowheader", name="Background")).to_be_visible()
