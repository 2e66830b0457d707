"""Two sides of one time on the map: versions, accounts, filters, chosen in the comparison's strip."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import HOUR, SECOND
from tests.api.v1.test_compare_sides import MINUTES, NOON, fill
from tests.conftest import ROOT
from tests.http_server import serve
from tests.ui.test_accessibility import AXE, findings_in_both_themes

pytestmark = pytest.mark.browser

WINDOW = f"from={NOON // SECOND}&to={NOON // SECOND + MINUTES * 60}"
ONE, TWO = (NodeKey(account, "shop", "") for account in ("111111111111", "222222222222"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A shop in two accounts. In the first, gold customers get a version that fails."""
    store = MemoryStore()
    fill(
        store,
        {"account": ONE.account, "version": "1.9", "tier": "basic"},
        {"account": ONE.account, "version": "2.0", "tier": "gold", "fault": 0.3},
        {"account": TWO.account, "version": "1.9"},
    )
    clock = (NOON + HOUR) / SECOND
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: clock)
    with serve(app) as url:
        yield url


def test_two_versions_are_chosen_and_change_places(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    page.get_by_role("button", name="Compare in time").click()
    bar = page.get_by_role("region", name="Compared in time")
    bar.get_by_label("Earlier period, or two sides").select_option("Two versions")
    expect(page).to_have_url(re.compile("against=by:version"))
    outer, inner = bar.get_by_label("Outer ring"), bar.get_by_label("Inner ring")
    expect(outer).to_have_value("2.0")
    expect(inner).to_have_value("1.9")
    expect(bar.get_by_role("status")).to_contain_text("fail")
    expect(page.get_by_role("button", name=re.compile("^shop, .*Δ faults 0.0 → "))).to_be_attached()
    outer.select_option("1.9")
    expect(page).to_have_url(re.compile("side=1.9&other=2.0"))
    expect(inner).to_have_value("2.0")
    expect(page.get_by_role("button", name=re.compile("^shop, .*→ 0.0 %"))).to_be_attached()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("against|side=|other="))


def test_the_panel_has_figures_times_and_traces_of_both(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&against=by:version&sel={node_id(ONE)}")
    note = page.get_by_role("complementary").get_by_role("region", name="Both sides")
    expect(note.get_by_role("columnheader")).to_have_text(["1.9", "2.0"])
    expect(note.get_by_role("row", name=re.compile("^Rate"))).to_have_text(re.compile("20.*20"))
    note.get_by_role("link", name="Traces of 2.0").click()
    expect(page).to_have_url(re.compile("/traces.*group_by=version.*node="))
    expect(page.get_by_text("shop · 2.0").first).to_be_visible()


def test_accounts_are_compared_by_name(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&against=by:account&side={TWO.account}&sel={node_id(TWO)}")
    note = page.get_by_role("complementary").get_by_role("region", name="Both sides")
    expect(note.get_by_role("row", name=re.compile("^Rate"))).to_have_text(re.compile("40.*20"))
    chart = page.get_by_role("img", name=re.compile("^Histogram of response times, now and then"))
    expect(chart.locator(".scatterlayer path.js-line")).to_be_visible()
    expect(note.get_by_role("link", name=f"Traces of {ONE.account}")).to_have_attribute(
        "href", re.compile(f"node={node_id(ONE)}")
    )


def test_two_filters_are_written(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&against=by:filter")
    bar = page.get_by_role("region", name="Compared in time")
    expect(bar.get_by_role("status")).to_have_text("Write two filters")
    bar.get_by_label("Outer ring").fill('annotation.tier = "gold"')
    bar.get_by_label("Inner ring").fill("annotation.tier =")
    bar.get_by_label("Inner ring").press("Enter")
    expect(bar.get_by_role("status")).to_contain_text("Other: ")
    bar.get_by_label("Inner ring").fill('annotation.tier = "basic"')
    bar.get_by_role("button", name="Compare", exact=True).click()
    expect(bar.get_by_role("status")).to_contain_text("fail")
    expect(page).to_have_url(re.compile("side=annotation.*gold.*other=annotation.*basic"))


@pytest.mark.parametrize("by", ["version", "filter"])
def test_axe_finds_nothing(page: Page, url: str, by: str) -> None:
    page.add_init_script(path=AXE)
    page.goto(f"{url}/map?{WINDOW}&as=map&against=by:{by}&sel={node_id(ONE)}")
    expect(page.get_by_role("region", name="Compared in time")).to_be_visible()
    assert findings_in_both_themes(page) == []
