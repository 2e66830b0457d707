"""The panel says how far its figures are to be trusted, and the map marks what is not exact."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import edge_id, node_id
from store.memory import MemoryStore
from store.model import Document, NodeKey, State
from store.times import SECOND
from tests.builders import T0, call, segment, trace_id
from tests.conftest import ROOT
from tests.http_server import serve

pytestmark = pytest.mark.browser

NOW = T0 // SECOND + 600
WINDOW = f"from={T0 // SECOND - 60}&to={NOW}"
SHOP, STOCK, PAY = (NodeKey("", name, "") for name in ("shop", "stock", "pay"))


def answered(number: int, name: str, ahead: int = 0, **change: object) -> list[Document]:
    """A request of the shop with a call, and its answer, by a clock that is ahead."""
    at = T0 + number * SECOND
    times = {"start": at + 10_000, "end": at + 60_000}
    made = call(16 * number + 2, node=NodeKey("", name, "remote"), host=name, **times)
    trace = {"trace_id": trace_id(number), **change}
    within = {"start": at + 20_000 + ahead, "end": at + 50_000 + ahead}
    return [
        segment(16 * number + 1, name="shop", start=at, end=at + 100_000, calls=(made,), **trace),
        segment(16 * number + 3, name=name, parent_id=16 * number + 2, **within, **trace),
    ]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    store = MemoryStore()
    for number in range(6):
        store.put(answered(number, "stock", ahead=-52_000), f"stock {number}")
        store.put(answered(10 + number, "pay"), f"pay {number}")
        store.put(answered(20 + number, "mail", weight=8), f"mail {number}")
    running = segment(1, name="pay", trace_id=trace_id(99), state=State.IN_PROGRESS)
    store.put([running], "running")
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: float(NOW))
    with serve(app) as url:
        yield url


def test_the_map_marks_what_is_not_exact(page: Page, url: str) -> None:
    """Once in the legend, and in words at the node; what is scaled has ≈ before its numbers."""
    page.goto(f"{url}/map?{WINDOW}")
    legend = page.get_by_role("group", name="Legend")
    expect(legend).to_contain_text("Partial")
    expect(legend).to_contain_text("Clock off")
    expect(legend).not_to_contain_text("Scaled")
    expect(page.get_by_role("button", name=re.compile("^stock, .*clock off"))).to_be_attached()
    expect(page.get_by_role("button", name=re.compile("^pay, .*partial"))).to_be_attached()


def test_the_panel_says_why_and_leads_to_the_traces(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(STOCK)}")
    trust = page.get_by_role("group", name="How far these figures are to be trusted")
    expect(trust).to_contain_text("Clock off: its clock is 42 ms behind, in 6 of 6 calls")
    trust.get_by_role("link", name="Example").click()
    expect(page).to_have_url(re.compile("/traces/1-"))
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(PAY)}")
    expect(trust).to_contain_text("Partial: 1 of 7 requests has not ended")
    trust.get_by_role("link", name="Traces").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)


def test_exact_figures_say_so_and_edges_have_theirs(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&sel={edge_id(SHOP, PAY)}")
    trust = page.get_by_role("group", name="How far these figures are to be trusted")
    expect(trust).to_have_text(re.compile("Exact: all were received, and have ended"))
    page.goto(f"{url}/map?{WINDOW}&sel={edge_id(SHOP, STOCK)}")
    expect(trust).to_contain_text("the clock of stock is 42 ms behind that of shop")
    page.goto(f"{url}/map?{WINDOW}&sel={node_id(SHOP)}")
    expect(trust).to_contain_text("Scaled: 18 requests received stand for 60")
