"""Declared against observed, on the map and as a list, with a real server behind it."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import wait_until
from tests.ui.declarations import STACK

pytestmark = pytest.mark.browser

PLACES = (
    """Object.fromEntries([...__map.scene.nodes.values()].map((n) => [n.data.id, [n.x, n.y]]))"""
)
EDGES = "__map.scene.edges.map((e) => e.data.declared ?? '').filter(Boolean).sort()"


@pytest.fixture(scope="module")
def declared(lasting_shop: Any) -> Iterator[Any]:
    """The shop with a declared stack, which other modules must not see."""
    path = "/api/v1/declarations"
    lasting_shop.server.post(path, STACK)
    yield lasting_shop
    address = lasting_shop.url(f"{path}/{STACK['stack']}")
    urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=30)


def open_map(page: Page, shop: Any, query: str = "") -> None:
    page.goto(shop.url(f"/map?as=map&test=1&range=1h{query}"))
    expect(page.locator("[data-node]").first).to_be_attached()


def test_the_map_shows_what_is_declared_and_moves_nothing(page: Page, declared: Any) -> None:
    """What was never seen comes beside its caller, dashed; what is undeclared is marked."""
    open_map(page, declared)
    before = page.evaluate(PLACES)
    switch = page.get_by_role("group", name="Declared")
    switch.get_by_role("button", name="Declared").click()
    gone = page.get_by_role("button", name="invoices, AWS::DynamoDB::Table · declared, not seen")
    expect(gone).to_be_attached()
    marked = re.compile("^payments, AWS::Lambda::Function · not declared, ")
    expect(page.get_by_role("button", name=marked)).to_be_attached()
    after = page.evaluate(PLACES)
    assert {id: after[id] for id in before} == before
    assert len({*map(tuple, after.values())}) == len(after) > len(before)
    assert page.evaluate(EDGES) == ["never_seen", "undeclared"]
    expect(switch.get_by_role("link", name="2 declared, not seen")).to_be_visible()
    expect(page).to_have_url(re.compile("declared=1"))
    switch.get_by_role("button", name="Declared").click()
    expect(gone).to_have_count(0)
    assert page.evaluate(PLACES) == before


def test_the_panel_says_which_stack_declares_it(page: Page, declared: Any) -> None:
    open_map(page, declared, f"&sel={declared.node_id(declared.storefront)}")
    note = page.get_by_role("region", name="Declared")
    expect(note).to_contain_text("seen, stack shop-of-ui as Front")
    expect(note).to_contain_text("Compared with ")
    open_map(page, declared, "&declared=1")
    page.get_by_role("button", name="invoices, AWS::DynamoDB::Table").click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel).to_contain_text("declared, not seen, stack shop-of-ui as Invoices")
    expect(panel).to_contain_text("No traffic in this range.")
    panel.get_by_role("link", name="All differences").click()
    expect(page.get_by_role("heading", name="Declared against observed")).to_be_visible()


def test_every_difference_leads_to_its_place(page: Page, declared: Any) -> None:
    page.goto(declared.url("/map?as=list&range=1h&declared=1"))
    expect(page.get_by_role("table", name="Services")).to_contain_text("invoices")
    page.get_by_role("link", name="2 declared, not seen").click()
    page.get_by_role("link", name="all differences 4").click()
    table = page.get_by_role("table", name="Findings")
    expect(table.get_by_role("row")).to_have_count(5)
    expect(table).to_contain_text("dead, or not traced")
    choices = page.get_by_role("navigation", name="Status")
    expect(choices.get_by_role("link", name="all differences 4")).to_be_visible()
    choices.get_by_role("link", name=re.compile("^seen 1")).click()
    expect(table.get_by_role("row")).to_have_count(2)
    choices.get_by_role("link", name=re.compile("^declared, not seen 2")).click()
    table.get_by_role("link", name="storefront → invoices").click()
    expect(page.get_by_role("heading", name="storefront → invoices")).to_be_visible()
    expect(page.get_by_role("complementary", name="Details")).to_contain_text("policy")


def test_the_list_fits_a_phone(page: Page, declared: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(declared.url("/declared"))
    expect(page.get_by_role("table", name="Stacks")).to_contain_text("shop-of-ui")
    wait_until(page, "document.documentElement.scrollWidth <= 390")
    page.get_by_text("1 open points").click()
    expect(page.get_by_text("which declares no call")).to_be_visible()


APART = """() => {
  const boxes = ['.declared-switch', '[role=toolbar][aria-label="Map tools"]', '[role=group][aria-label=Legend]']
    .map((selector) => document.querySelector(selector).getBoundingClientRect())
  const apart = (a, b) => a.bottom <= b.top || b.bottom <= a.top || a.right <= b.left || b.right <= a.left
  return boxes.every((box, at) => box.width > 0 && boxes.slice(0, at).every((other) => apart(box, other)))
}"""


def test_the_switch_and_the_tools_share_a_phones_map(page: Page, declared: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_map(page, declared, "&declared=1")
    expect(page.get_by_role("group", name="Declared").get_by_role("link").first).to_be_visible()
    expect(page.get_by_role("toolbar", name="Map tools")).to_be_visible()
    expect(page.get_by_role("group", name="Legend")).to_be_visible()
    wait_until(page, f"({APART})()")


def test_without_a_declared_stack_there_is_no_switch(page: Page, lasting_shop: Any) -> None:
    page.route(
        "**/api/v1/declarations**",
        lambda route: route.fulfill(content_type="application/json", body='{"stacks": []}'),
    )
    open_map(page, lasting_shop)
    expect(page.get_by_role("group", name="Declared")).to_have_count(0)
