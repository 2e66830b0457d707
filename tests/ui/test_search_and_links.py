"""Finding services that the map leaves out, and numbers that lead to their requests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import box_at_rest
from tests.ui.maps import grid_map, map_node, serve_map, service_map
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: most answers are the tests' own."""
    return memory_site


@pytest.fixture
def shop(lasting_shop: Any) -> Any:
    """Sent once: tests here only look at it."""
    return lasting_shop


def serve_large_map(page: Page) -> list[str]:
    """A map that leaves out three services, and a search that knows them; the texts searched for."""
    texts: list[str] = []
    hidden = [map_node(f"order-worker-{at}", fault=10 * at) for at in range(3)]
    answer = {
        **grid_map(40),
        "total_nodes": 43,
        "left_out": 3,
        "state_counts": {"fault": 412, "throttle": 0, "error": 7, "ok": 43, "unknown": 0},
    }

    def search(route: Route) -> None:
        text = re.search(r"[?&]q=([^&]*)", route.request.url)
        texts.append(text[1] if text else "")
        found = [{**one, "drawn": False} for one in hidden if texts[-1] in one["name"]]
        body = {"services": found, "total": len(found)}
        route.fulfill(content_type="application/json", body=json.dumps(body))

    def focus(route: Route) -> None:
        route.fulfill(content_type="application/json", body=json.dumps(service_map(hidden[2:])))

    serve_map(page, lambda: answer)
    page.route("**/api/services?*", search)
    page.route("**/api/map/focus?*", focus)
    return texts


def test_search_finds_services_that_are_not_drawn(page: Page, site: MemorySite) -> None:
    """A hit outside the map opens its surroundings."""
    texts = serve_large_map(page)
    page.goto(site.http + "/map?test=1")
    page.get_by_label("Find a service").fill("order-worker")
    expect(page.get_by_text("3 of 43", exact=True)).to_be_visible()
    expect(page.get_by_text("No service matches")).to_have_count(0)
    page.get_by_role("button", name=re.compile("order-worker-2.*20 % faults")).click()
    expect(page.get_by_role("navigation", name="Focus")).to_contain_text("order-worker-2")
    assert texts == ["order-worker"]


def test_enter_opens_the_first_hit_outside(page: Page, site: MemorySite) -> None:
    """When the map itself has none. Also before the server has found it, and while the field still shows the hits of
    another text."""
    serve_large_map(page)
    page.goto(site.http + "/map?test=1")
    field = page.get_by_label("Find a service")
    field.fill("worker-1")
    expect(page.get_by_role("button", name=re.compile("order-worker-1"))).to_be_visible()
    field.fill("worker-2")
    field.press("Enter")
    expect(page).to_have_url(re.compile("focus=order-worker-2"))


def test_a_name_that_nothing_has_is_said_so(page: Page, site: MemorySite) -> None:
    """Only after the server has looked, too."""
    texts = serve_large_map(page)
    page.goto(site.http + "/map?test=1")
    page.get_by_label("Find a service").fill("nothing-like-this")
    expect(page.get_by_text("No service matches")).to_be_visible()
    assert texts == ["nothing-like-this"]


def test_nothing_is_said_of_a_name_before_there_is_a_map(page: Page, site: MemorySite) -> None:
    """Whether a service matches is unknown until then."""
    serve_large_map(page)
    delayed: list[Route] = []

    def delay(route: Route) -> None:
        delayed.append(route)

    page.route("**/api/map?*", delay)
    with page.expect_request("**/api/map?*"):
        page.goto(site.http + "/map?test=1&q=nothing-like-this")
    expect(page.get_by_label("Find a service")).to_have_value("nothing-like-this")
    expect(page.get_by_text("No service matches")).to_have_count(0)
    page.unroute("**/api/map?*", delay)
    for route in delayed:
        route.fallback()
    expect(page.get_by_text("No service matches")).to_be_visible()


def test_the_legend_counts_what_is_not_drawn(page: Page, site: MemorySite) -> None:
    """And the page says how many services are drawn, above the map and not over it."""
    serve_large_map(page)
    page.goto(site.http + "/map?test=1")
    legend = page.get_by_role("group", name="Legend")
    expect(legend.get_by_role("button", name=re.compile("^Fault"))).to_contain_text("412")
    note = page.get_by_text(re.compile("^40 of 43 services are drawn"))
    expect(note).to_be_visible()
    map_box, note_box = box_at_rest(page, page.locator(".map")), box_at_rest(page, note)
    assert note_box["y"] + note_box["height"] <= map_box["y"] + 1


def test_a_number_of_the_details_leads_to_its_requests(page: Page, shop: Any) -> None:
    """The list has the node, the status and the range."""
    node = shop.node_id(shop.payments)
    page.goto(shop.url(f"/map?range=30m&sel={node}"))
    row = page.get_by_role("complementary", name="Details").get_by_role(
        "row", name=re.compile("Faults")
    )
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/traces\?range=30m&node={node}&status=fault$"))
    expect(page.locator(f'a[href^="/traces/{shop.trace_id}"]')).to_be_visible()


def test_a_line_of_the_error_breakdown_leads_to_its_requests(page: Page, shop: Any) -> None:
    """By its exception, which the list then names."""
    node = shop.node_id(shop.payments)
    page.goto(shop.url(f"/map?sel={node}"))
    details = page.get_by_role("complementary", name="Details")
    details.get_by_role("link", name="PaymentError").click()
    expect(page).to_have_url(re.compile(rf"node={node}&error=fault:PaymentError$"))
    expect(page.get_by_text("Error: PaymentError")).to_be_visible()
    expect(page.locator(f'a[href^="/traces/{shop.trace_id}"]')).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ requests? in \d+ traces?$"))).to_be_visible()
