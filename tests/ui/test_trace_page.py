"""One trace: failures inside it, its own map, and the phone's layout of lists."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import box_at_rest, wait_until
from tests.ui.maps import serve_map, service_map

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(lasting_shop: Any) -> Any:
    """Sent once: tests here only look at it."""
    return lasting_shop


@pytest.fixture(scope="module")
def recovered(raymap_server: Any) -> str:
    """The id of a trace that answered OK although two of its calls failed and were repeated."""
    start = time.time() - 2
    trace_id = f"1-{int(start):08x}-{secrets.token_hex(12)}"
    attempts = [
        {
            "id": secrets.token_hex(8),
            "name": "inventory",
            "namespace": "remote",
            "start_time": start + 0.1 * at,
            "end_time": start + 0.1 * at + 0.05,
            **({"fault": True} if at < 2 else {}),
            "http": {"response": {"status": 503 if at < 2 else 200}},
        }
        for at in range(3)
    ]
    raymap_server.send(
        {
            "trace_id": trace_id,
            "id": secrets.token_hex(8),
            "name": "basket",
            "start_time": start,
            "end_time": start + 0.4,
            "http": {"response": {"status": 200}},
            "subsegments": attempts,
        }
    )
    return trace_id


def test_failures_inside_a_trace_that_went_well_are_announced(
    page: Page, raymap_server: Any, recovered: str
) -> None:
    """The status alone would hide them; the first of them is a link."""
    page.goto(raymap_server.http + f"/traces/{recovered}")
    facts = page.locator(".trace-facts")
    expect(facts.locator("div").filter(has_text="Status")).to_contain_text("OK")
    expect(facts.locator("div").filter(has_text="Inside")).to_contain_text(
        re.compile(r"\d+ faults")
    )
    expect(facts.locator("div").filter(has_text="First fault")).to_contain_text("inventory")


def test_the_map_of_a_trace_selects_its_rows(page: Page, shop: Any) -> None:
    """A service opens its segment; the timeline then shows the same one, and the other way round."""
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=map&test=1"))
    service = page.get_by_role("button", name=re.compile(f"^{shop.payments}, (?!client)"))
    service.click()
    details = page.get_by_role("complementary", name="Segment details")
    expect(details.get_by_role("heading", name="PaymentError")).to_be_visible()
    expect(page).to_have_url(re.compile(f"seg={shop.payments_id}"))
    expect(page).to_have_url(re.compile("tab=map"))
    page.get_by_role("tab", name="Timeline").click()
    row = page.get_by_role("treegrid").get_by_role("row", selected=True)
    expect(row).to_have_count(1)
    expect(row).to_have_attribute("id", f"row-{shop.payments_id}")
    page.get_by_role("treegrid").get_by_role("row").first.click()
    page.get_by_role("tab", name="Map").click()
    entry = page.get_by_role("button", name=re.compile(f"^{shop.storefront}, (?!client)"))
    expect(entry).to_have_attribute("aria-pressed", "true")


FITS = "(body) => body.scrollWidth <= body.clientWidth"


def test_a_phone_shows_request_status_and_duration_first(page: Page, shop: Any) -> None:
    """Without scrolling sideways."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(shop.url("/traces"))
    row = page.locator("tr", has=page.locator(f'a[href^="/traces/{shop.trace_id}"]'))
    for words in ("Fault", "/checkout", "900 ms", "502", shop.storefront):
        cell = row.get_by_text(words, exact=words != "/checkout").first
        expect(cell).to_be_visible()
        box = box_at_rest(page, cell)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    wait_until(page, f"({FITS})(document.querySelector('.traces-body'))")


def test_a_phone_lists_services_with_their_faults(page: Page, shop: Any) -> None:
    """The fault share is beside the name."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(shop.url("/map"))
    row = page.get_by_role("table", name="Services").get_by_role("row")
    row = row.filter(has=page.get_by_role("button", name=shop.payments, exact=True))
    share = row.get_by_text(re.compile(r"^\d+ %$")).first
    expect(share).to_be_visible()
    box = box_at_rest(page, share)
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("X-Ray", "AWS_XRAY_DAEMON_ADDRESS="),
        ("OpenTelemetry", "OTEL_EXPORTER_OTLP_ENDPOINT=http://"),
        ("Zipkin", "/api/v2/spans"),
        ("Demo", "raymap serve --demo"),
    ],
)
def test_the_first_run_has_a_way_for_every_sender(
    page: Page, raymap_server: Any, source: str, words: str
) -> None:
    """Addresses are those of this very page."""
    serve_map(page, lambda: service_map([], ever=False, has_traces=False))
    page.goto(raymap_server.http + "/map")
    page.get_by_role("tab", name=source).click()
    expect(page.get_by_role("tabpanel")).to_contain_text(words)


def test_the_critical_path_is_drawn_and_can_be_hidden(
    page: Page, raymap_server: Any, recovered: str
) -> None:
    """A line under the bars that it passes; remembered in this browser."""
    page.goto(raymap_server.http + f"/traces/{recovered}")
    pieces = page.locator(".path-piece")
    expect(pieces.nth(4)).to_be_attached()  # the service between and around three calls
    page.get_by_role("checkbox", name="Critical path").uncheck()
    expect(pieces).to_have_count(0)
    page.reload()
    expect(page.get_by_role("checkbox", name="Critical path")).not_to_be_checked()
    expect(pieces).to_have_count(0)


def test_a_search_inside_a_trace_steps_through_its_rows(
    page: Page, raymap_server: Any, recovered: str
) -> None:
    page.goto(raymap_server.http + f"/traces/{recovered}")
    page.get_by_label("Find in this trace").fill("inventory")
    expect(page.locator(".trace-tools .search-count")).to_have_text("6")  # calls, inferred segments
    expect(page.locator(".waterfall-row.is-dimmed")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", selected=True)).to_contain_text("inventory")


def test_raw_documents_are_fetched_when_their_tab_opens(
    page: Page, raymap_server: Any, recovered: str
) -> None:
    """And not before."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(raymap_server.http + f"/traces/{recovered}")
    expect(page.get_by_role("treegrid", name="Timeline")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not any(url.endswith("/raw") for url in requested)
    page.get_by_role("tab", name="Raw JSON").click()
    expect(page.get_by_text(f'"{recovered}"').first).to_be_visible()
    assert sum(url.endswith("/raw") for url in requested) == 1


def test_every_value_leads_to_the_traces_that_have_it_and_those_that_do_not(
    page: Page, shop: Any
) -> None:
    """Added to the filter that the page has, with the type that an annotation has; by keyboard, too."""
    page.goto(shop.url(f"/traces/{shop.trace_id}?seg={shop.segment_id}&range=15m&filter=fault"))
    details = page.get_by_role("complementary", name="Segment details")
    url = 'http.url = "https://shop.example/checkout"'
    expect(details.get_by_role("link", name=f"Filter: {url}", exact=True)).to_be_visible()
    details.get_by_role("tab", name="Annotations").click()
    expect(details.get_by_role("link", name="Filter: annotation.items = 4")).to_be_visible()
    details.get_by_role("link", name='Filter: not annotation.tenant = "acme"').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main", name="Traces")).to_be_visible()
    narrowed = 'fault AND !(annotation.tenant = "acme")'
    expect(page.get_by_role("textbox", name="Filter")).to_have_value(narrowed)
    expect(page.locator(f'a[href^="/traces/{shop.trace_id}"]')).to_have_count(0)
    page.go_back()
    details.get_by_role("tab", name="Annotations").click()
    details.get_by_role("link", name='Filter: annotation.tenant = "acme"', exact=True).click()
    expect(page.locator(f'a[href^="/traces/{shop.trace_id}"]').first).to_be_visible()
    assert page.locator(".filter-problem").count() == 0
