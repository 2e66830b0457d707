"""Key C compares the map with an earlier period: in a sentence, at the nodes, in the panel, and in the address."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from store.times import DAY, HOUR, MINUTE, SECOND
from tests.api.v1.test_compare import LENGTH, NOON, SHOP, fill, shop
from tests.conftest import ROOT
from tests.http_server import serve
from tests.ui.conftest import box_at_rest
from tests.ui.test_accessibility import AXE, findings_in_both_themes

pytestmark = pytest.mark.browser

WINDOW = f"from={NOON // SECOND}&to={NOON // SECOND + LENGTH * 60}"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A shop that faults now, as it did not in the period before, nor yesterday; then it called something else."""
    store = MemoryStore()
    fill(store, NOON, shop(fault=0.3, calls="new.example.com"))
    fill(store, NOON - LENGTH * MINUTE, shop(calls="new.example.com"))
    fill(store, NOON - DAY, shop(calls="old.example.com"))
    clock = (NOON + HOUR) / SECOND
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: clock)
    with serve(app) as url:
        yield url


def test_key_c_goes_through_the_periods_and_escape_ends(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    bar = page.get_by_role("region", name="Compared in time")
    expect(page.get_by_role("button", name="Compare in time")).to_be_visible()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("against=before"))
    expect(bar.get_by_role("status")).to_have_text(re.compile("^1 failing more"))
    failing = page.get_by_role("button", name=re.compile("^shop, .*Δ faults 0.0 → "))
    expect(failing).to_be_attached()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("against=yesterday"))
    expect(bar.get_by_role("status")).to_have_text(
        re.compile("^1 failing more, 1 new node, 1 vanished node")
    )
    expect(bar.get_by_role("button", name="old.example.com")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("against"))
    expect(bar).to_have_count(0)
    expect(failing).to_have_count(0)


def test_the_panel_has_both_periods(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&against=yesterday&sel={node_id(SHOP)}")
    note = page.get_by_role("complementary").get_by_role("region", name="Then and now")
    expect(note).to_contain_text("Δ faults 0.0 → ")
    expect(note.get_by_role("row", name=re.compile("^Rate"))).to_have_text(re.compile("20.*20"))
    chart = page.get_by_role("img", name=re.compile("^Histogram of response times, now and then"))
    expect(chart.locator(".scatterlayer path.js-line")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Histogram of response times"))).to_have_count(
        1
    )
    start = (NOON - DAY) // SECOND
    expect(note.get_by_role("link", name="Traces then")).to_have_attribute(
        "href", re.compile(f"from={start}&to={start + LENGTH * 60}")
    )
    note.get_by_role("link", name="Traces now").click()
    expect(page).to_have_url(re.compile(f"/traces.*from={NOON // SECOND}.*node={node_id(SHOP)}"))


def test_escape_closes_the_panel_first(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&against=before&sel={node_id(SHOP)}")
    expect(page.get_by_role("region", name="Then and now")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("sel="))
    expect(page).to_have_url(re.compile("against=before"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("against"))


def test_what_cannot_be_compared_is_said(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&against=deployment")
    bar = page.get_by_role("region", name="Compared in time")
    expect(bar.get_by_role("status")).to_contain_text("o deployment was reported")
    page.goto(f"{url}/map?{WINDOW}&against=week")
    expect(bar.get_by_role("status")).to_have_text("Nothing to compare")
    expect(bar).to_contain_text("The earlier period has no requests")


@pytest.mark.parametrize(("width", "shown"), [(1440, "map"), (390, "list")])
def test_the_comparison_covers_nothing(page: Page, url: str, width: int, shown: str) -> None:
    """Its sentence and the places where differences begin stand above the map and its list."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{url}/map?{WINDOW}&as={shown}&against=yesterday")
    bar = page.get_by_role("region", name="Compared in time")
    expect(bar.get_by_role("status")).to_contain_text("1 failing more")
    strip, frame = (box_at_rest(page, one) for one in (bar, page.locator(".map-frame")))
    assert strip["y"] + strip["height"] <= frame["y"]
    if shown == "list":
        switches = box_at_rest(page, page.locator(".map-switches"))
        first = box_at_rest(page, page.locator("tbody tr").first)
        assert switches["y"] + switches["height"] <= first["y"]


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script(path=AXE)
    page.goto(f"{url}/map?{WINDOW}&as=map&against=yesterday&sel={node_id(SHOP)}")
    expect(page.get_by_role("region", name="Then and now")).to_be_visible()
    assert findings_in_both_themes(page) == []
