"""Two environments beside each other, three days ago: other tests look at now."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import requests_counted, until
from tests.waiting import eventually

pytestmark = pytest.mark.browser

MINUTE = 60


class TwoEnvironments(NamedTuple):
    """``shared`` serves both, and fails in ``staging``; ``alone`` is in production only."""

    http: str
    window: str
    shared: str
    alone: str

    def url(self, more: str = "") -> str:
        return f"{self.http}/compare?test=1&{self.window}{more}"


def documents(
    start: float, service: str, stage: str, count: int, faults: int
) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "trace_id": f"1-{int(start):08x}-{secrets.token_hex(12)}",
            "id": secrets.token_hex(8),
            "name": service,
            "origin": "AWS::ECS::Container",
            "start_time": start + number,
            "end_time": start + number + (0.8 if stage == "staging" else 0.2),
            "fault": number < faults,
            "annotations": {"deployment.environment": stage},
        }


@pytest.fixture(scope="module")
def two(raymap_server: Any) -> TwoEnvironments:
    start = time.time() - 3 * 86_400
    shared, alone = (f"{name}-{secrets.token_hex(3)}" for name in ("checkout", "reports"))
    raymap_server.send(
        *documents(start, shared, "prod", 10, 0),
        *documents(start, shared, "staging", 5, 2),
        *documents(start, alone, "prod", 3, 0),
    )
    window = f"from={int(start) - MINUTE}&to={int(start) + MINUTE}"

    requests = {shared: 15, alone: 3}
    eventually(lambda: requests_counted(raymap_server, window, requests), "the map counts them")
    return TwoEnvironments(raymap_server.http, window, shared, alone)


def side(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=re.compile(f": {name}$"))


def row(page: Page, service: str) -> Locator:
    """Of a service; its clients have its name, too."""
    return page.get_by_role("row", name=re.compile(f"^{service}.*200 ms|^{service}only"))


def test_the_header_leads_to_two_environments_beside_each_other(
    page: Page, two: TwoEnvironments
) -> None:
    """What is selected is on the left; a service that only one has is on its map alone."""
    page.goto(two.url("&environment=staging").replace("/compare", "/map"))
    page.get_by_role("group", name="Scope").get_by_role("link", name="Compare").click()
    expect(page.get_by_role("main", name="Comparison")).to_be_visible()
    expect(page.get_by_label("Left side")).to_have_value("staging")
    expect(page.get_by_label("Right side")).to_have_value("prod")
    expect(side(page, "staging").locator("[data-node]")).to_have_count(2)  # and its clients
    expect(side(page, "prod").locator("[data-node]")).to_have_count(4)
    expect(page.get_by_label("Environment", exact=True)).to_have_count(0)


def test_the_table_says_what_differs_and_every_number_leads_to_its_traces(
    page: Page, two: TwoEnvironments
) -> None:
    page.goto(two.url("&by=environment&left=prod&right=staging"))
    services = page.get_by_role("table", name="Services of prod and staging")
    expect(services.locator("tbody tr").first).to_contain_text(f"{two.alone}only in prod")
    cells = row(page, two.shared).get_by_role("cell")
    expect(cells.nth(3)).to_have_text("200 ms")
    expect(cells.nth(4)).to_have_text("800 ms ▴, worse")
    expect(cells.nth(5)).to_have_text("0 %")
    expect(cells.nth(6)).to_have_text("40 % ▴, worse")
    cells.nth(6).get_by_role("link").click()
    expect(page).to_have_url(re.compile("/traces.*environment=staging.*status=fault"))
    expect(page.locator("table tbody tr")).to_have_count(2)


def test_both_maps_have_one_viewport_and_one_selection(page: Page, two: TwoEnvironments) -> None:
    """A service is at one place on both maps, and selecting it selects it on both."""
    page.goto(two.url("&by=environment&left=prod&right=staging"))
    nodes = [
        side(page, name).get_by_role("button", name=re.compile(f"^{two.shared}, (?!client)"))
        for name in ("prod", "staging")
    ]
    for node in nodes:
        expect(node).to_be_attached()

    def are_at_one_place() -> bool:
        first, second = (one.evaluate("one => [one.style.left, one.style.top]") for one in nodes)
        return bool(first == second)

    until(page, are_at_one_place, "the service is at one place on both")
    row(page, two.shared).get_by_role("button").click()
    for node in nodes:
        expect(node).to_have_attribute("aria-pressed", "true")
    page.goto(two.url("&by=environment&left=prod&right=staging&view=10,20,0.5"))
    for node in nodes:
        expect(node).to_be_attached()

    def have_one_viewport() -> bool:
        all = page.locator(".map-layer").evaluate_all(
            "all => all.map((one) => one.style.transform)"
        )
        return len(all) == 2 and all[0] == all[1] and "scale(0.5)" in all[0]

    until(page, have_one_viewport, "both have the viewport of the address")


def test_sides_are_chosen_and_swapped_in_the_address(page: Page, two: TwoEnvironments) -> None:
    page.goto(two.url())
    expect(page.get_by_label("Left side")).to_have_value("prod")
    page.get_by_role("button", name="Swap").click()
    expect(page).to_have_url(re.compile("left=staging&right=prod"))
    page.get_by_label("Right side").select_option("staging")
    expect(page).to_have_url(re.compile("left=staging&right=staging"))
    page.go_back()
    expect(page.get_by_label("Right side")).to_have_value("prod")


def test_a_window_of_one_environment_has_nothing_to_compare(
    page: Page, two: TwoEnvironments
) -> None:
    page.goto(f"{two.http}/compare?from=1000&to=2000")
    expect(page.get_by_role("heading", name="Nothing to compare")).to_be_visible()


def test_what_there_is_to_compare_is_loaded_before_it_is_missed(
    page: Page, raymap_server: Any
) -> None:
    """No verdict before the server has answered; a failure is said, and can be tried again."""
    waiting: list[Route] = []
    page.route("**/api/v1/places?*", lambda route: waiting.append(route))
    page.goto(raymap_server.http + "/compare")
    empty = page.get_by_role("heading", name="Nothing to compare")
    expect(page.get_by_text("Loading environments, accounts and regions…")).to_be_visible()
    expect(empty).to_have_count(0)
    body = {"error": {"code": "Unavailable", "message": "the store does not answer"}}
    until(page, lambda: waiting, "the request has come")
    waiting[0].fulfill(status=503, json=body)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("503 the store does not answer")
    page.unroute("**/api/v1/places?*")
    one = {"accounts": ["1"], "regions": [], "environments": []}
    page.route("**/api/v1/places?*", lambda route: route.fulfill(json=one))
    alert.get_by_role("button").click()
    expect(empty).to_be_visible()
