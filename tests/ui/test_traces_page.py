"""The list of traces: its chart, and what survives the way to a trace and back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from api.console.charts import Dot, traces_figure
from store.model import State, TimeRange
from store.times import SECOND
from tests.ui.conftest import Delayed
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: these tests are about the page."""
    return memory_site


@pytest.fixture
def shop(lasting_shop: Any) -> Any:
    """Sent once: tests here only look at it."""
    return lasting_shop


WINDOW = TimeRange(0, 900 * SECOND)


def serve_figure(page: Page, count: int, *, total: int) -> None:
    """Answer the chart's request with so many traces, one in fifty failed."""
    dots = [
        Dot(
            at * SECOND // 10, 40_000 + at * 7, State.FAULT if at % 50 == 0 else State.OK, f"1-{at}"
        )
        for at in range(count)
    ]
    counts = {"shown": count, "total": total, "counted_all": True}
    body = json.dumps({**traces_figure(dots, WINDOW), **counts})

    def fulfil(route: Route) -> None:
        route.fulfill(content_type="application/json", body=body)

    page.route("**/api/traces/figure?*", fulfil)


def test_a_chart_on_its_way_says_so(page: Page, shop: Any) -> None:
    """Never an empty box; after five seconds it says that this takes longer than usual."""
    figure = Delayed(page, "**/api/traces/figure?*")
    page.clock.install()
    page.goto(shop.url("/traces"))
    skeleton = page.get_by_role("status").filter(has_text="Loading chart")
    expect(skeleton).to_be_visible()
    figure.wait()
    page.clock.fast_forward(5_000)
    expect(skeleton).to_contain_text("taking longer than usual")
    figure.release()
    expect(skeleton).to_have_count(0)
    expect(page.get_by_role("img", name=re.compile("^Response times of"))).to_be_visible()


def test_many_traces_are_a_heatmap_that_says_what_it_leaves_out(page: Page, shop: Any) -> None:
    """And the failed ones are marks that can be clicked."""
    serve_figure(page, 5000, total=12_431)
    page.goto(shop.url("/traces"))
    expect(page.get_by_text("the newest 5,000 of 12,431 traces")).to_be_visible()
    chart = page.locator(".chart")
    expect(chart.locator(".heatmaplayer image")).to_be_visible()
    expect(chart.locator("path.point")).to_have_count(100)


def test_ticks_are_durations_at_a_readable_size(page: Page, shop: Any) -> None:
    """Not `2` and `5` in small print between 100 and 1000."""
    serve_figure(page, 300, total=300)
    page.goto(shop.url("/traces"))
    ticks = page.locator(".chart .ytick text")
    expect(ticks.first).to_be_visible()
    expect(page.locator(".chart-skeleton")).to_have_count(0)
    for tick in ticks.all():
        assert re.fullmatch(r"\d[\d.]* (µs|ms|s|min)", tick.text_content() or "")
        size = tick.evaluate("(text) => parseFloat(getComputedStyle(text).fontSize)")
        assert size >= 11


def test_range_and_filter_survive_a_trace(page: Page, shop: Any) -> None:
    """From the list to a trace, to the map and to the list again."""
    node = shop.node_id(shop.payments)
    page.goto(shop.url(f"/traces?range=1h&node={node}&status=fault"))
    page.locator(f'a[href^="/traces/{shop.trace_id}"]').click()
    expect(page.get_by_role("treegrid", name="Timeline")).to_be_visible()
    page.get_by_role("link", name="Traces (filtered)").click()
    expect(page).to_have_url(shop.url(f"/traces?range=1h&node={node}&status=fault"))
    page.go_back()
    page.get_by_role("link", name="Service map", exact=True).click()
    expect(page).to_have_url(re.compile(r"/map\?range=1h$"))
    expect(page.get_by_role("button", name="Time range: Last hour")).to_be_visible()


def test_a_trace_leads_to_the_map_of_its_time(page: Page, shop: Any) -> None:
    """Five fixed minutes around its start."""
    page.goto(shop.url(f"/traces/{shop.trace_id}"))
    page.get_by_role("link", name="This time on the map").click()
    expect(page).to_have_url(re.compile(r"/map\?from=\d+&to=\d+$"))
    expect(page.get_by_role("button", name=re.compile(f"^{shop.payments}, ")).first).to_be_visible()


def test_times_say_their_zone(page: Page, shop: Any) -> None:
    """In the list, in the head of a trace, and in the words of a fixed range."""
    page.goto(shop.url("/traces"))
    expect(page.get_by_role("columnheader", name="Start UTC")).to_be_visible()
    page.keyboard.press("[")
    expect(page.get_by_role("button", name=re.compile(r"^Time range: .* UTC$"))).to_be_visible()
    page.goto(shop.url(f"/traces/{shop.trace_id}"))
    expect(page.locator(".trace-facts div").filter(has_text="Start")).to_contain_text("UTC")
