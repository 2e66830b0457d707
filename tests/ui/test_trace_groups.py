"""Traces by any dimensions beside their list: counted when it is opened, and each group a link."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import Delayed
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser
STATS = "**/api/v1/stats?*"


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: most answers are the tests' own."""
    return memory_site


@pytest.fixture
def shop(lasting_shop: Any) -> Any:
    """Sent once: tests here only look at it."""
    return lasting_shop


def group(value: Any, count: int, **metrics: Any) -> dict[str, Any]:
    known = {"count": count, "ok": count, "error": 0, "throttle": 0, "fault": 0, "in_progress": 0}
    shares = {"fault_share": 0.0, "error_share": 0.0, "p50": 12.5, "p95": 80.0, "p99": 90.0}
    figures = {**known, **shares, **metrics}
    point = {"start": 1_795_560_060, "traces": count, "metrics": figures}
    return {
        "values": [value],
        "traces": count,
        "metrics": figures,
        "filter": f'user = "{value}"' if value else "NOT user EXISTS",
        "status": "",
        "points": [point],
    }


def stats(groups: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    total = sum(each["traces"] for each in groups)
    return {
        "from": 1_795_560_000.0,
        "to": 1_795_560_900.0,
        "of": "traces",
        "by": ["user"],
        "metrics": list(groups[0]["metrics"]) if groups else [],
        "step": 60,
        "examined": total,
        "complete": True,
        "bound": None,
        "counted_from": 1_795_560_000.0,
        "groups_total": len(groups),
        "total": {"traces": total, "metrics": {"count": total}},
        "groups": groups,
        **more,
    }


def opened(page: Page, shop: Any, query: str, **answer: Any) -> Locator:
    page.route(STATS, lambda route: route.fulfill(json=stats(**answer)))
    page.goto(shop.url(f"/traces?{shop.window}&{query}"))
    region = page.get_by_role("region", name="Groups")
    expect(region.get_by_role("table")).to_be_visible()
    return region


def test_groups_of_the_server_lead_to_their_traces(page: Page, shop: Any) -> None:
    """Opened by a button, split by an annotation, narrowed by a link, and left again."""
    page.goto(shop.url(f"/traces?{shop.window}"))
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    expect(page.get_by_role("table", name="Traces", exact=True)).to_be_visible()
    assert not [url for url in requested if "/api/v1/stats" in url]
    page.get_by_role("button", name="Group by…").click()
    region = page.get_by_role("region", name="Groups")
    expect(page).to_have_url(re.compile("by=operation"))
    region.get_by_label("Dimension 1").select_option("annotation.tenant")
    table = region.get_by_role("table", name="Traces by annotation.tenant")
    expect(table).to_contain_text("acme")
    expect(region).to_contain_text(re.compile(r"(All \d+ traces were|The only trace was) counted"))
    table.get_by_role("link", name="Only acme").click()
    expect(page).to_have_url(re.compile(r"filter=annotation.*acme"))
    expect(page.locator(f'a[href^="/traces/{shop.trace_id}"]')).to_be_visible()
    on_map = region.get_by_role("link", name="acme on the map")
    expect(on_map).to_have_attribute("href", re.compile(r"^/map\?.*filter=annotation"))
    page.get_by_role("button", name="Group by…").click()
    expect(region.get_by_role("table")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("by="))


def test_a_shared_address_shows_the_same(page: Page, shop: Any) -> None:
    """Dimensions, columns, order; sorting what is there requests nothing."""
    requested: list[str] = []
    groups = [group("ann", 5, p95=20.0), group("bob", 3, p95=900.0), group(None, 1, p95=None)]

    def answer(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(json=stats(groups))

    page.route(STATS, answer)
    page.goto(shop.url(f"/traces?{shop.window}&by=user&metrics=count,p95&rank=p95"))
    table = page.get_by_role("table", name="Traces by user")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.get_by_role("columnheader")).to_have_text(
        [
            "user",
            "Traces",
            re.compile("p95"),
            "Outcomes",
            re.compile("^p95 over time"),
            re.compile("map"),
        ]
    )
    links = table.get_by_role("link", name=re.compile("^Only"))
    expect(links).to_have_text(["bob", "ann", "none"])
    table.get_by_role("button", name="p95").click()
    expect(links).to_have_text(["ann", "bob", "none"])
    expect(page).to_have_url(re.compile(r"rank=p95,asc"))
    table.get_by_role("button", name="Traces").click()
    expect(links).to_have_text(["ann", "bob", "none"])
    assert len(requested) == 1
    expect(table.get_by_role("img", name=re.compile("^ann: at most 5, at "))).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Slowest").check()
    expect(table.get_by_role("columnheader", name="Slowest")).to_be_visible()


def test_what_was_not_counted_is_said(page: Page, shop: Any) -> None:
    """The bound, and what of the list's filters the numbers do not have."""
    region = opened(
        page,
        shop,
        "by=user",
        groups=[group("ann", 5)],
        complete=False,
        bound="seconds",
        groups_total=1204,
        counted_from=1_795_560_300.0,
    )
    expect(region).to_contain_text("1 of 1,204 groups, greatest Traces first.")
    expect(region).to_contain_text("Not all: the newest 5 traces were counted, those since")
    ends = f"{shop.node_id(shop.storefront)}:{shop.node_id(shop.payments)}"
    region = opened(page, shop, f"by=user&edge={ends}", groups=[group("ann", 5)])
    expect(region).to_contain_text("The list is narrowed to the edge, and these numbers are not.")


def test_slow_empty_and_failing_answers_say_so(page: Page, shop: Any) -> None:
    late = Delayed(page, STATS)
    page.clock.install()
    page.goto(shop.url(f"/traces?{shop.window}&by=user"))
    late.wait()
    loading = page.get_by_role("status").filter(has_text="Loading groups")
    expect(loading).to_be_visible()
    page.clock.fast_forward(6_000)
    expect(loading).to_contain_text("taking longer than usual")
    late.release()
    expect(page.get_by_role("region", name="Groups").get_by_role("table")).to_be_visible()
    page.goto(shop.url(f"/traces?{shop.window}&by=usr"))
    expect(page.get_by_role("alert")).to_contain_text("did you mean user?")


def test_nothing_is_counted_again_unless_requested(page: Page, shop: Any) -> None:
    """A live range goes on below; the numbers stay until a button renews them."""
    requested: list[str] = []

    def answer(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(json=stats([group("ann", 5)]))

    page.route(STATS, answer)
    page.clock.install()
    page.goto(shop.url("/traces?range=1h&by=user"))
    region = page.get_by_role("region", name="Groups")
    expect(region.get_by_role("table")).to_be_visible()
    for _ in range(4):
        page.clock.fast_forward(20_000)
    assert len(requested) == 1
    region.get_by_role("button", name="Count again").click()
    expect(region.get_by_role("table")).to_be_visible()
    page.wait_for_timeout(200)
    assert len(requested) == 2
    assert requested[0] != requested[1]


def test_a_fixed_range_is_counted_again_as_well(page: Page, shop: Any) -> None:
    region = opened(page, shop, "by=user", groups=[group("ann", 5)])
    page.route(STATS, lambda route: route.fulfill(json=stats([group("ann", 7)])))
    region.get_by_role("button", name="Count again").click()
    expect(region).to_contain_text("All 7 traces were counted.")


def test_requests_of_a_chosen_service_in_some_states(page: Page, shop: Any) -> None:
    node = shop.node_id(shop.payments)
    page.goto(shop.url(f"/traces?{shop.window}&node={node}&status=fault&by=state"))
    region = page.get_by_role("region", name="Groups")
    expect(region.get_by_role("combobox", name="Count")).to_be_disabled()
    table = region.get_by_role("table", name="Requests by state")
    expect(table.get_by_role("link", name="Only fault")).to_be_visible()
    table.get_by_role("link", name="Only fault").click()
    expect(page).to_have_url(re.compile(r"status=fault.*filter=|filter=.*status=fault"))
    expect(page.locator(f'a[href^="/traces/{shop.trace_id}"]')).to_be_visible()
