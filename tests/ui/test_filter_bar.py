"""One filter for map, list and panels; and the command palette."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import box_at_rest
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser

EXPRESSION = 'service("payments") { fault }'


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: what an expression selects is tested in both stores, and here what the page does with it."""
    return memory_site


def filter_field(page: Page) -> Locator:
    """The editor, once it is loaded."""
    page.get_by_role("textbox", name="Filter").focus()
    expect(page.locator(".cm-content")).to_be_focused()
    return page.get_by_role("textbox", name="Filter")


def run_filter(page: Page, expression: str) -> None:
    """Enter ``expression`` as a person would: the editor has taken it before Enter is pressed.

    ``fill`` changes the DOM; the editor reads the change in a later task, and an Enter before
    that runs the expression of before.
    """
    filter_field(page).fill(expression)
    expect(page.get_by_role("button", name="Apply")).to_be_visible()
    page.keyboard.press("Enter")


def filter_of(page: Page) -> str:
    """The expression in the address."""
    return parse_qs(urlparse(page.url).query).get("filter", [""])[0]


def test_a_filtered_map_leads_to_the_list_of_the_traces_it_counts(
    page: Page, lasting_shop: Any
) -> None:
    """The expression is in the address of both, and so is the number of traces."""
    page.goto(lasting_shop.url(f"/map?{lasting_shop.window}"))
    run_filter(page, EXPRESSION)
    note = page.get_by_text(re.compile("^Counted from"))
    expect(note).to_be_visible()
    assert filter_of(page) == EXPRESSION
    counted = re.search(r"(\d+) traces?", note.inner_text())
    assert counted is not None
    note.get_by_role("link").click()
    expect(page.get_by_role("main", name="Traces")).to_be_visible()
    assert filter_of(page) == EXPRESSION
    expect(filter_field(page)).to_have_text(EXPRESSION)
    expect(page.locator(".more")).to_contain_text(counted[0])
    page.get_by_role("button", name="Remove the filter").click()
    expect(page.get_by_role("button", name="Remove the filter")).to_have_count(0)
    assert filter_of(page) == ""


def test_an_error_is_underlined_where_it_is(page: Page, lasting_shop: Any) -> None:
    """With what was expected; the map stays, and the map's keys take no letters."""
    page.goto(lasting_shop.url("/map?range=15m&as=map"))
    expect(page.locator("[data-node]").first).to_be_attached()
    filter_field(page).press_sequentially("fault AND respnsetime > 2 ")
    page.keyboard.press("Enter")
    expect(page.locator(".cm-lintRange-error")).to_have_text("respnsetime")
    expect(page.get_by_role("alert")).to_contain_text("did you mean responsetime?")
    assert filter_of(page) == ""
    expect(page.locator("[data-node]").first).to_be_attached()


def test_a_broken_expression_in_a_link_is_shown_as_such(page: Page, lasting_shop: Any) -> None:
    page.goto(lasting_shop.url("/traces?filter=fault+AND"))
    expect(page.get_by_role("alert")).to_contain_text("the expression ends where")
    expect(filter_field(page)).to_have_text("fault AND")


def test_services_are_completed_with_their_requests(page: Page, lasting_shop: Any) -> None:
    page.goto(lasting_shop.url("/map?range=15m"))
    filter_field(page).press_sequentially('service("paym')
    option = page.get_by_role("option", name=re.compile("^payments"))
    expect(option).to_contain_text("requests")
    page.keyboard.press("Tab")
    expect(filter_field(page)).to_have_text(re.compile(r'^service\("payments"'))


def test_expressions_that_were_run_come_back(page: Page, lasting_shop: Any) -> None:
    page.goto(lasting_shop.url("/traces?range=15m"))
    for expression in ("fault", "ok"):
        run_filter(page, expression)
        expect(page).to_have_url(re.compile(f"filter={expression}"))
    page.keyboard.press("Alt+ArrowUp")
    expect(filter_field(page)).to_have_text("fault")
    page.keyboard.press("Alt+ArrowDown")
    expect(filter_field(page)).to_have_text("ok")


def test_eight_keys_lead_from_a_service_to_the_exception(page: Page, lasting_shop: Any) -> None:
    """Ctrl+K, three letters, Enter; E to its failing traces, E to the newest, E to the exception."""
    page.goto(lasting_shop.url("/map?range=15m"))
    expect(filter_field(page)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.press("p")
    page.keyboard.press("a")
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Details")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("table", name="Traces")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("treegrid", name="Timeline")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="PaymentError")).to_be_visible()


def drag_over(page: Page, chart: Locator) -> None:
    """From a quarter to three quarters of a chart, in both directions."""
    area = chart.locator(".nsewdrag").first
    expect(area).to_be_attached()
    expect(chart.locator(".chart-skeleton")).to_have_count(0)  # a drag before that is not noticed
    area.scroll_into_view_if_needed()
    box = box_at_rest(page, area)
    x, y, width, height = box["x"], box["y"], box["width"], box["height"]
    page.mouse.move(x + width * 0.1, y + height * 0.1)
    page.mouse.down()
    page.mouse.move(x + width * 0.5, y + height * 0.5)
    page.mouse.move(x + width * 0.9, y + height * 0.95)
    page.mouse.up()


def test_dragging_over_a_histogram_narrows_the_filter(page: Page, lasting_shop: Any) -> None:
    """To the service, and to the times that were dragged over."""
    node = lasting_shop.node_id(lasting_shop.payments)
    page.goto(lasting_shop.url(f"/map?range=15m&sel={node}&filter=fault"))
    drag_over(page, page.get_by_role("img", name=re.compile("^Histogram of response times")))
    expect(page).to_have_url(re.compile("responsetime"))
    assert re.fullmatch(
        r'fault AND service\(id\(name: "payments", type: "AWS::Lambda::Function"\)\) '
        r"\{ responsetime >= [\d.]+ AND responsetime < [\d.]+ \}",
        filter_of(page),
    )


def test_a_box_in_the_chart_narrows_time_and_response_time(page: Page, lasting_shop: Any) -> None:
    page.goto(lasting_shop.url("/traces?range=15m"))
    drag_over(page, page.get_by_role("img", name=re.compile("^Response times of")))
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    assert re.fullmatch(r"responsetime >= [\d.]+ AND responsetime < [\d.]+", filter_of(page))


def test_traces_are_sorted_by_response_time(page: Page, lasting_shop: Any) -> None:
    """By the server, over all of them; the header says so."""
    page.goto(lasting_shop.url("/traces?range=15m"))
    page.get_by_role("button", name="Response").click()
    expect(page).to_have_url(re.compile("sort=response"))
    header = page.get_by_role("columnheader", name="Response")
    expect(header).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize("column", ["Duration", "Code"])
def test_a_column_sorts_both_ways(page: Page, lasting_shop: Any, column: str) -> None:
    page.goto(lasting_shop.url(f"/traces?{lasting_shop.window}"))
    header = page.get_by_role("columnheader", name=column)
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(page).to_have_url(re.compile(f"sort={column.lower()},asc"))
    expect(page.locator(f'a[href^="/traces/{lasting_shop.trace_id}"]')).to_be_visible()
    header.get_by_role("button").click()
    expect(page).not_to_have_url(re.compile("sort="))


def test_an_entry_of_the_legend_is_added_to_the_filter(page: Page, lasting_shop: Any) -> None:
    """The map then counts those traces; the filter that was there stays."""
    page.goto(lasting_shop.url("/map?as=map&range=15m&filter=ok+OR+fault"))
    page.get_by_role("button", name="Add fault to the filter").click()
    expect(filter_field(page)).to_have_text("(ok OR fault) AND fault")
    expect(page.get_by_text(re.compile("^Counted from"))).to_be_visible()


def test_an_attribute_that_sets_traces_apart_is_added_to_the_filter(
    page: Page, lasting_shop: Any
) -> None:
    """One click; the comparison is fetched when it is opened, and not before. It says which sets are compared,
    what selects the same traces, and which fields have a value for each."""
    requested: list[str] = []
    same = 'http.useragent = "ios"'
    found = {"filter": 'annotation.tier = "plus"', "selected": 60, "rest": 70, "same": [same]}
    answer = {
        "selected": 68,
        "rest": 332,
        "words": "68 faults against 332 other traces in the same window",
        "attributes": [found],
        "distinct": [{"field": "annotation.order_id", "values": 66}],
    }

    def compare(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(json=answer)

    page.route("**/api/traces/differences?*", compare)
    page.goto(lasting_shop.url("/traces?range=15m&status=fault"))
    expect(page.get_by_role("table", name="Traces")).to_be_visible()
    assert requested == []
    page.get_by_role("button", name="What sets these apart?").click()
    comparison = page.get_by_role("region", name="What sets these traces apart")
    expect(comparison).to_contain_text("68 faults against 332 other traces in the same window.")
    expect(comparison).to_contain_text("annotation.order_id: 66 distinct values")
    expect(page.get_by_role("button", name=same)).to_be_hidden()
    comparison.get_by_text("1 more attribute of the same traces").click()
    expect(page.get_by_role("button", name=same)).to_be_visible()
    page.get_by_role("button", name='annotation.tier = "plus"').click()
    expect(page).to_have_url(re.compile("filter=annotation.tier"))
    assert filter_of(page) == 'annotation.tier = "plus"'
    assert "status=fault" in requested[0]
