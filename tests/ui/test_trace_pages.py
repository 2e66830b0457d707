"""The list of traces and the page of one, in a real browser, against a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import box_at_rest, until_later

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(lasting_shop: Any) -> Any:
    """Sent once: tests here only look at it, or send another."""
    return lasting_shop


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(120):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {wanted}")


def test_from_the_map_to_the_exception_by_keyboard_alone(page: Page, shop: Any) -> None:
    """Map, details, traces, trace, exception: never a mouse."""
    page.goto(shop.url("/map"))
    button = page.get_by_role("button", name=re.compile(f"^{shop.payments}, (?!client)")).first
    expect(button).to_be_visible()
    tab_to(page, button)
    page.keyboard.press("Enter")
    traces = page.get_by_role("link", name="View traces")
    expect(traces).to_be_visible()
    tab_to(page, traces)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/traces\?.*node="))

    row = page.get_by_role("table", name="Traces").locator("tbody tr").first
    expect(row).to_be_visible()
    tab_to(page, row)
    page.keyboard.press("Enter")
    timeline = page.get_by_role("treegrid", name="Timeline")
    expect(timeline).to_be_visible()
    tab_to(page, timeline)
    failing = timeline.get_by_role("row").filter(has_text="PaymentError")
    active = timeline.locator(".is-active")
    for _ in range(10):
        if "is-active" in (failing.get_attribute("class") or ""):
            break
        before = active.get_attribute("id") or ""
        page.keyboard.press("ArrowDown")
        expect(active).not_to_have_id(before)
    page.keyboard.press("Enter")
    details = page.get_by_role("complementary", name="Segment details")
    expect(details.get_by_role("heading", name="PaymentError")).to_be_visible()


def test_the_list_shows_the_trace(page: Page, shop: Any) -> None:
    """Status in words, entry, request, code and annotations; arrows move, a click opens."""
    page.goto(shop.url("/traces"))
    row = page.locator("tr", has=page.locator(f'a[href="/traces/{shop.trace_id}"]'))
    for words in ("Fault", shop.storefront, "POST /checkout", "502", "tenant: acme"):
        expect(row).to_contain_text(words)
    row.click()
    expect(page).to_have_url(shop.url(f"/traces/{shop.trace_id}"))


def test_a_status_filter_is_in_the_address(page: Page, shop: Any) -> None:
    """The chips write it, the API reads it."""
    page.goto(shop.url("/traces"))
    row = page.locator("tr", has=page.locator(f'a[href="/traces/{shop.trace_id}"]'))
    expect(row).to_be_visible()
    page.get_by_role("group", name="Statuses").get_by_role("button", name="OK").click()
    expect(page).to_have_url(re.compile("status=ok"))
    expect(row).to_have_count(0)


def test_the_scatter_is_drawn(page: Page, shop: Any) -> None:
    """Above the list, one mark per trace."""
    page.goto(shop.url("/traces"))
    chart = page.get_by_role("img", name=re.compile("^Response times of"))
    expect(chart.locator("path.point").first).to_be_visible()


def test_a_mark_of_the_scatter_opens_its_trace(page: Page, shop: Any) -> None:
    """The shortest way from an outlier to its cause."""
    page.goto(shop.url("/traces"))
    mark = page.locator(".chart path.point").last
    expect(mark).to_be_visible()
    expect(page.locator(".chart-skeleton")).to_have_count(0)
    box = box_at_rest(page, mark)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".chart .hovertext")).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("/traces/1-"))


def test_newer_traces_wait_behind_a_button(page: Page, shop: Any) -> None:
    """A refresh does not move the row that someone is about to click."""
    page.clock.install()
    page.goto(shop.url("/traces"))
    row = page.locator("tr", has=page.locator(f'a[href="/traces/{shop.trace_id}"]'))
    expect(page.locator(".chart path.point").first).to_be_visible()
    expect(page.locator(".chart-skeleton")).to_have_count(0)
    before = box_at_rest(page, row)
    newer = shop.another()
    button = page.get_by_role("button", name=re.compile("new trace"))
    until_later(page, button.is_visible, "the newer trace is announced")
    assert row.bounding_box() == before
    button.click()
    expect(page.locator(f'a[href="/traces/{newer.trace_id}"]')).to_be_visible()


def test_a_link_to_a_segment_opens_its_details(page: Page, shop: Any) -> None:
    """The exception, its cause under it, and where it was thrown."""
    page.goto(shop.url(f"/traces/{shop.trace_id}?seg={shop.payments_id}"))
    details = page.get_by_role("complementary", name="Segment details")
    expect(details.get_by_role("tab", name="Exceptions")).to_have_attribute("aria-selected", "true")
    expect(details.get_by_role("heading", name="PaymentError")).to_be_visible()
    expect(details.get_by_text("payments/handler.py:88")).to_be_visible()
    expect(details.get_by_text("caused by")).to_be_visible()
    expect(details.get_by_role("heading", name="UpstreamTimeout")).to_be_visible()


def test_annotations_and_metadata(page: Page, shop: Any) -> None:
    """Indexed values as a table, the rest as a tree that folds."""
    page.goto(shop.url(f"/traces/{shop.trace_id}?seg={shop.segment_id}"))
    details = page.get_by_role("complementary", name="Segment details")
    details.get_by_role("tab", name="Annotations").click()
    expect(details.get_by_role("row", name="tenant acme")).to_be_visible()
    details.get_by_role("tab", name="Metadata").click()
    expect(details.get_by_text("149.5")).to_be_visible()
    details.get_by_role("button", name=re.compile("cart")).click()
    expect(details.get_by_text("149.5")).to_have_count(0)


def test_rows_fold(page: Page, shop: Any) -> None:
    """The left arrow folds what is under a row, the right one unfolds it."""
    page.goto(shop.url(f"/traces/{shop.trace_id}"))
    timeline = page.get_by_role("treegrid", name="Timeline")
    rows = timeline.get_by_role("row")
    expect(rows.first).to_be_visible()
    before = rows.count()
    timeline.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(rows.first).to_have_attribute("aria-expanded", "false")
    assert rows.count() < before
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(before)


def test_the_first_fault_is_one_click_from_the_head(page: Page, shop: Any) -> None:
    """The deepest failing row."""
    page.goto(shop.url(f"/traces/{shop.trace_id}"))
    page.locator(".trace-facts").get_by_role("button", name=re.compile("payments")).click()
    expect(page).to_have_url(re.compile("seg="))
    expect(page.get_by_role("complementary", name="Segment details")).to_be_visible()


def test_a_trace_is_pinned_and_let_go(page: Page, shop: Any) -> None:
    """By keyboard; it says so, also after a reload."""
    shop = shop.another()
    page.goto(shop.url(f"/traces/{shop.trace_id}"))
    button = page.get_by_role("button", name="Pin", exact=True)
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_have_attribute("title", "Pin: keep this trace for ever")
    tab_to(page, button)
    page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_have_attribute("title", re.compile("^Unpin"))
    retention = page.locator(".trace-facts div", has=page.get_by_text("Retention", exact=True))
    expect(retention).to_contain_text("pinned")
    pinned = shop.server.get("/api/pins")["pins"]
    assert shop.trace_id in [pin["id"] for pin in pinned]
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(retention).to_have_count(0)
    assert shop.trace_id not in [pin["id"] for pin in shop.server.get("/api/pins")["pins"]]


def test_a_pin_that_fails_says_so(page: Page, shop: Any) -> None:
    """And nothing looks pinned that is not."""
    shop = shop.another()
    page.goto(shop.url(f"/traces/{shop.trace_id}"))
    button = page.get_by_role("button", name="Pin", exact=True)
    expect(button).to_be_visible()
    page.route("**/pin", lambda route: route.abort())
    button.click()
    expect(page.get_by_role("alert").filter(has_text="Could not pin")).to_have_text(
        "Could not pin: the server does not answer"
    )
    expect(button).to_have_attribute("aria-pressed", "false")
    page.unroute("**/pin")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Could not pin")).to_have_count(0)


def test_map_and_raw_documents_of_one_trace(page: Page, shop: Any) -> None:
    """The same map component, and the documents as BatchGetTraces returns them."""
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=map"))
    expect(
        page.get_by_role("button", name=re.compile(f"^{shop.payments}, (?!client)"))
    ).to_be_visible()
    page.get_by_role("tab", name="Raw JSON").click()
    expect(page).to_have_url(re.compile("tab=raw"))
    expect(page.get_by_text(f'"{shop.trace_id}"').first).to_be_visible()


@pytest.mark.parametrize("form", ["xray", "w3c"])
def test_a_trace_is_found_by_its_id(page: Page, shop: Any, form: str) -> None:
    """In either written form."""
    bare = shop.trace_id[2:].replace("-", "")
    page.goto(shop.url("/map"))
    field = page.get_by_label("Find a trace by its id")
    field.fill(shop.trace_id if form == "xray" else bare)
    field.press("Enter")
    expect(page).to_have_url(shop.url(f"/traces/{shop.trace_id}"))
    expect(page.get_by_role("treegrid", name="Timeline")).to_be_visible()


def test_what_is_no_id_is_refused_in_words(page: Page, raymap_server: Any) -> None:
    """Before any request to the server."""
    page.goto(raymap_server.http + "/map")
    field = page.get_by_label("Find a trace by its id")
    field.fill("hello")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Not a trace id")


@pytest.mark.parametrize("path", ["/traces/1-00000001-000000000000000000000001", "/nowhere"])
def test_what_is_not_there_has_a_page_of_its_own(page: Page, raymap_server: Any, path: str) -> None:
    """It says what was looked for, and leads back."""
    page.goto(raymap_server.http + path)
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Service map")).to_be_visible()
