"""What services do, in a real browser, some days ago: other tests look at now, or at other days."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import requests_counted
from tests.ui.test_versions import document, node
from tests.waiting import eventually

pytestmark = pytest.mark.browser


class Orders(NamedTuple):
    """A service with two operations, and requests that name none."""

    url: str
    name: str


@pytest.fixture(scope="module")
def orders(raymap_server: Any) -> Orders:
    start = time.time() - 12 * 86_400
    name = f"orders-{secrets.token_hex(3)}"

    def request(method: str, url: str) -> dict[str, Any]:
        return {"http": {"request": {"method": method, "url": f"http://shop{url}"}}}

    raymap_server.send(
        *(document(start + n, name, "1", "prod", **request("GET", f"/o/{n}")) for n in range(4)),
        *(
            document(start + n, name, "1", "prod", fault=n == 0, **request("POST", "/o"))
            for n in range(2)
        ),
        document(start, name, "1", "prod"),
    )
    window = f"from={int(start) - 60}&to={int(start) + 60}"
    eventually(lambda: requests_counted(raymap_server, window, {name: 7}), "the map counts them")
    return Orders(f"{raymap_server.http}/map?test=1&{window}", name)


def test_the_panel_lists_what_a_service_did(page: Page, orders: Orders) -> None:
    """Sorted by what is chosen; each leads to its traces."""
    page.goto(orders.url)
    node(page, orders.name).click()
    details = page.get_by_role("complementary", name="Details")
    rows = details.locator("table.operations tbody")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(re.compile("GET /o/{id}4"))
    expect(rows.nth(1)).to_contain_text(re.compile("POST /o2.*Fault 50 ?%"))
    expect(rows.nth(2)).to_contain_text(re.compile("no operation1"))
    details.get_by_role("button", name="Outcomes").click()
    expect(rows.nth(0)).to_contain_text("POST /o")
    rows.nth(0).get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/traces\?.*operation"))
    expect(page.locator("table tbody tr")).to_have_count(2)


def test_the_map_is_split_by_operation(page: Page, orders: Orders) -> None:
    page.goto(orders.url)
    page.get_by_label("Group by").select_option("operation")
    expect(node(page, f"{orders.name} · GET .o..id.")).to_be_visible()  # / ends the expression
    expect(node(page, f"{orders.name} · no operation")).to_be_visible()
