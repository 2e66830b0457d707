"""A failing trace beside a typical one, the width of names, clocks that differ, links, and what is fetched when."""

from __future__ import annotations

import copy
import re
import secrets
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Shop, box_at_rest, send_shop, shop_documents
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: two traces of a request, one of which failed."""
    return memory_site


def well(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same request without its failures, and with a call that the failing one never made."""
    good = copy.deepcopy(documents)
    for document in (*good, *good[0]["subsegments"]):
        document.pop("fault", None)
        document.pop("cause", None)
        document["http"] = {**document.get("http", {}), "response": {"status": 200}}
    start = good[0]["start_time"]
    mail = {"id": secrets.token_hex(8), "name": "mail", "namespace": "remote"}
    good[0]["subsegments"].append(mail | {"start_time": start + 0.86, "end_time": start + 0.89})
    good[1]["end_time"] = start + 0.3
    return good


@pytest.fixture(scope="module")
def compared(site: MemorySite) -> Shop:
    """The failing trace of the shop, and one of the same request that went well."""
    shop = send_shop(site)
    start = time.time() - 5
    trace_id = f"1-{int(start):08x}-{secrets.token_hex(12)}"
    site.send(*well(shop_documents(start, trace_id)))
    return shop


def test_one_click_compares_with_a_typical_trace(page: Page, compared: Shop) -> None:
    """Chosen by the server; failed, missing and slower rows say so, and lead on to the timeline."""
    page.goto(compared.url(f"/traces/{compared.trace_id}"))
    page.get_by_role("tab", name="Compare").click()
    table = page.get_by_role("table", name="Differences")
    expect(table.get_by_role("row", name=re.compile("^storefront .*failed"))).to_be_visible()
    expect(table.get_by_role("row", name=re.compile("^payments.*failed"))).to_have_count(2)
    missing = table.get_by_role("row", name=re.compile("^mail .*missing here"))
    expect(missing).to_have_count(2)  # the call, and what is inferred from it
    expect(page.locator(".changes")).to_contain_text("3 failed")
    expect(page.locator(".changes")).to_contain_text("2 missing here")
    page.get_by_label("Only differences").check()
    expect(table.get_by_role("row", name=re.compile("^OrdersTable"))).to_have_count(0)
    table.get_by_role("button", name="payments").last.click()
    expect(page.get_by_role("heading", name="PaymentError")).to_be_visible()
    assert "seg=" in page.url
    assert "tab=" not in page.url


def test_without_a_typical_trace_another_can_be_named(page: Page, compared: Shop) -> None:
    page.route("**/typical", lambda route: route.fulfill(json=NOTHING))
    page.goto(compared.url(f"/traces/{compared.trace_id}?tab=compare"))
    expect(page.get_by_text("No trace to compare with")).to_be_visible()
    page.get_by_role("button", name="Compare with another").click()
    field = page.get_by_label("Id of the trace to compare with")
    expect(field).to_be_focused()
    page.keyboard.type("nonsense")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not a trace id.")).to_be_visible()
    field.fill(compared.trace_id)
    page.keyboard.press("Enter")
    expect(page.get_by_text("No difference.")).to_be_visible()
    assert f"with={compared.trace_id}" in page.url


NOTHING = {"id": "", "trace": None, "compared": 0, "median_ms": None}


def test_documents_are_fetched_when_their_tab_opens(page: Page, compared: Shop) -> None:
    """And so is what the comparison needs."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(compared.url(f"/traces/{compared.trace_id}"))
    expect(page.get_by_role("treegrid")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not [url for url in requested if url.endswith(("/raw", "/typical"))]
    page.get_by_role("tab", name="Raw JSON").click()
    expect(page.get_by_text(f'"{compared.trace_id}"').first).to_be_visible()
    assert [url for url in requested if url.endswith("/raw")]


def test_the_column_of_names_is_resized_by_mouse_and_keyboard(page: Page, compared: Shop) -> None:
    """The bars keep in line with the axis, and the width is remembered."""
    page.goto(compared.url(f"/traces/{compared.trace_id}"))
    handle = page.get_by_role("separator", name="Width of the names")
    name = page.locator(".row-name").first
    assert box_at_rest(page, name)["width"] == 340
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "360")
    box = box_at_rest(page, handle)
    page.mouse.move(box["x"] + 4, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 104, box["y"] + 10)
    page.mouse.up()
    expect(handle).not_to_have_attribute("aria-valuenow", "360")
    width = int(handle.get_attribute("aria-valuenow") or 0)
    assert 440 <= width <= 470
    page.reload()
    assert box_at_rest(page, name)["width"] == width
    axis, track = page.locator(".ticks"), page.locator(".track").first
    assert abs(box_at_rest(page, axis)["x"] - box_at_rest(page, track)["x"]) <= 1


def test_a_clock_that_is_behind_and_linked_traces_are_named(
    page: Page, site: MemorySite, compared: Shop
) -> None:
    """A callee cannot begin before it is called; a link leads to the other trace."""
    start = time.time() - 3
    trace_id = f"1-{int(start):08x}-{secrets.token_hex(12)}"
    storefront, payments = shop_documents(start, trace_id)
    payments["start_time"] = start + 0.02
    payments["links"] = [{"trace_id": compared.trace_id, "id": compared.segment_id}]
    site.send(storefront, payments)
    page.goto(compared.url(f"/traces/{trace_id}"))
    note = page.get_by_role("note")
    expect(note).to_contain_text("Clocks differ: payments begins 80 ms before it is called")
    page.get_by_role("link", name=f"…{compared.trace_id[-8:]}").click()
    expect(page.locator(".trace-id code")).to_have_text(compared.trace_id)
    expect(page.get_by_role("complementary", name="Segment details")).to_be_visible()
