"""The line above the map says what is wrong; a click shows it on the map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from api.app import create_app
from api.graph.build import node_id
from api.problems.watch import Watch
from store.memory import MemoryStore
from store.times import MINUTE
from tests.api.problems.traffic import PAYMENTS, minute_of
from tests.builders import T0
from tests.conftest import ROOT
from tests.http_server import serve
from tests.ui.conftest import until
from tests.ui.test_accessibility import AXE, findings_in_both_themes

pytestmark = pytest.mark.browser

BEGAN, NOW = 70, 75
WINDOW = f"from={T0 // 10**6}&to={T0 // 10**6 + NOW * 60}"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Half of the requests fail at ``payments``, which a chain of calls leads to."""
    store = MemoryStore()
    for minute in range(NOW):
        store.put(minute_of(minute, 0.5 * (minute >= BEGAN)), f"{minute}")
    assert Watch(store).round(T0 + NOW * MINUTE)
    clock = T0 / 1e6 + NOW * 60 + 40
    dist = ROOT / "ui/dist"
    app = create_app(
        store, version="1", static_dir=dist, clock=lambda: clock, judged_until=lambda: clock
    )
    with serve(app) as url:
        yield url


class Problems:
    """What the server lists, as a test changes it."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        (self.real,) = page.request.get(f"{url}/api/v1/problems").json()["problems"]
        self.listed: list[dict[str, Any]] = [self.real]
        self.minutes = 60
        self.judged: float | None = 1
        page.route("**/api/v1/problems", self._answer)

    def _answer(self, route: Route) -> None:
        route.fulfill(
            json={
                "from": 0,
                "to": 1,
                "minutes_counted": self.minutes,
                "minutes_needed": 60,
                "judged_until": self.judged,
                "problems": self.listed,
            }
        )

    def like(self, name: str, **more: Any) -> dict[str, Any]:
        """Another problem."""
        return {
            **self.real,
            "id": name,
            "text": f"✕ {name} fails",
            "origin": {**self.real["origin"], "id": name, "name": name},
            **more,
        }


def strip(page: Page) -> Any:
    return page.get_by_role("region", name="Problems")


def test_the_line_and_what_it_shows_of_the_map(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    line = strip(page).get_by_role("button", name=re.compile("payments faults"))
    expect(line).to_contain_text(
        re.compile(r"payments ?faults 1 → 5\d % ?since \d\d:\d\d ?affects shop, checkout")
    )
    line.click()
    expect(line).to_have_attribute("aria-pressed", "true")
    start = T0 // 10**6 + (BEGAN - 10) * 60
    expect(page).to_have_url(re.compile(f"from={start}&to=.*problem=|problem=.*from={start}"))
    page.reload()
    expect(line).to_have_attribute("aria-pressed", "true")
    line.click()
    expect(line).to_have_attribute("aria-pressed", "false")
    expect(page).not_to_have_url(re.compile("problem="))


def test_key_c_compares_with_the_time_before_the_problem(page: Page, url: str) -> None:
    """Of a window in which it had begun: one of before is compared with the period before it."""
    switch = page.get_by_role("button", name="Compare in time")
    page.goto(f"{url}/map?{WINDOW}")
    expect(strip(page)).to_contain_text("payments")
    expect(switch).to_be_visible()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("against=problem"))
    bar = page.get_by_role("region", name="Compared in time")
    expect(bar.get_by_role("status")).to_have_text(re.compile("failing more"))
    expect(bar).to_contain_text("before the problem")
    page.goto(f"{url}/map?from={T0 // 10**6}&to={T0 // 10**6 + BEGAN * 60}")
    expect(strip(page)).to_contain_text("payments")
    expect(switch).to_be_visible()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("against=before"))


def test_the_exception_leads_to_its_traces(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    strip(page).get_by_role("link", name="CardDeclined").click()
    expect(page).to_have_url(re.compile(f"/traces\\?.*node={node_id(PAYMENTS)}&status=fault"))
    expect(page.locator("table tbody tr")).not_to_have_count(0)


def test_more_problems_are_shown_on_request_and_move_nothing_before(page: Page, url: str) -> None:
    problems = Problems(page, url)
    page.clock.install()
    page.goto(f"{url}/map?{WINDOW}")
    expect(strip(page)).to_contain_text("payments")
    frame = page.locator(".map-frame")
    until(page, lambda: frame.bounding_box(), "the map is there")
    before = frame.bounding_box()
    problems.listed = [problems.like("ledger"), problems.real, problems.like("cart", measure="p90")]
    page.clock.fast_forward(61_000)
    expect(strip(page)).to_contain_text("ledger")
    expect(strip(page).get_by_role("status")).to_have_text(
        "Problem: ✕ ledger fails. Problem: ✕ cart fails"
    )
    assert frame.bounding_box() == before
    strip(page).get_by_role("button", name="2 more").click()
    expect(strip(page).get_by_role("listitem")).to_have_count(3)
    page.evaluate(AXE.read_text())
    assert findings_in_both_themes(page) == []
    strip(page).get_by_role("button", name="Fewer").click()
    expect(strip(page).get_by_role("listitem")).to_have_count(1)


def test_nothing_unusual(page: Page, url: str) -> None:
    problems = Problems(page, url)
    real = problems.real
    problems.listed = [problems.like("ledger", state="closed", ended=real["since"] + 360)]
    page.goto(f"{url}/map?{WINDOW}")
    expect(strip(page)).to_contain_text(
        re.compile(r"Nothing unusual; last problem \d\d:\d\d, 6 min \(ledger\)")
    )
    problems.listed = []
    page.reload()
    expect(strip(page)).to_have_text("Nothing unusual")
    problems.minutes = 23
    page.reload()
    expect(strip(page)).to_have_text("Learning what is usual: 23 of 60 minutes")


def test_a_wall_screen_has_the_map_and_its_problems(page: Page, url: str) -> None:
    """Nothing to click around them, and the problems are listed without a click."""
    problems = Problems(page, url)
    problems.listed = [problems.real, problems.like("ledger")]
    page.goto(f"{url}/map?{WINDOW}&kiosk=1")
    expect(strip(page).get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("button", name=re.compile("^payments, "))).to_be_attached()
    for gone in ("Map tools", "Legend", "Declared"):
        expect(page.get_by_label(gone)).to_be_hidden()
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_placeholder("Find a service")).to_be_hidden()
    expect(strip(page).get_by_role("button", name=re.compile("Mute|Fewer"))).to_have_count(0)


def test_minutes_that_are_not_judged_are_named(page: Page, url: str) -> None:
    """Beside a problem as beside none: nothing unusual says nothing of them."""
    problems = Problems(page, url)
    problems.judged = 1 - 25 * 60
    page.goto(f"{url}/map?{WINDOW}")
    words = re.compile(r"Not judged yet: the 25 minutes since \d\d:\d\d")
    expect(strip(page)).to_contain_text(words)
    expect(strip(page).get_by_role("listitem")).to_have_count(1)
    problems.listed = []
    page.reload()
    expect(strip(page)).to_contain_text("Nothing unusual")
    expect(strip(page)).to_contain_text(words)


def test_a_problem_is_muted_and_shown_again(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    strip(page).get_by_role("button", name="Mute payments for an hour").click()
    expect(strip(page)).to_contain_text("Nothing unusual")
    strip(page).get_by_role("button", name="1 muted").click()
    strip(page).get_by_role("button", name="Show payments again").click()
    expect(strip(page).get_by_role("button", name="Mute payments for an hour")).to_be_visible()


def test_a_problem_is_added_to_a_notebook(page: Page, url: str) -> None:
    """With its words and its map, from ten minutes before it began."""
    session = {"name": None, "role": None, "via": None, "tenant": ""}
    page.route("**/auth/session", lambda route: route.fulfill(json=session))
    page.goto(f"{url}/map?range=1h")
    page.get_by_role("button", name=re.compile("to a notebook$")).click()
    form = page.get_by_role("dialog", name=re.compile("to a notebook$"))
    form.get_by_label("Title").fill("Payments")
    form.get_by_role("button", name="Add to notebook").click()
    form.get_by_role("link", name="Payments").click()
    entry = page.locator(".notebook-entry")
    expect(entry).to_contain_text("Problem")
    expect(entry).to_contain_text("Originpayments")
    expect(entry.get_by_role("link")).to_have_attribute(
        "href", re.compile("^/map.from=.*&problem=")
    )
