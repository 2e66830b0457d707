"""Alarms: created, refused, firing, tried out, changed, deleted."""

from __future__ import annotations

import re
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.alarms.receiver import receiver
from tests.api.alarms.traffic import SECRET
from tests.ui.conftest import box_at_rest

pytestmark = pytest.mark.browser


def test_an_alarm_is_made_fires_is_changed_and_deleted(page: Page, raymap_server: Any) -> None:
    """Errors stand at their field; the state is that of the evaluation; its webhook hears of it."""
    name = f"a{secrets.token_hex(4)}"
    page.goto(raymap_server.http + "/alarms")
    page.get_by_role("button", name="New alarm").click()
    form = page.get_by_role("form", name="New alarm")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Of", exact=True).fill("service(")
    form.get_by_label("Metric", exact=True).select_option("requests")
    form.get_by_label("Threshold").fill("0")
    form.get_by_label("For minutes").fill("1")
    form.get_by_label("Of the last minutes").fill("1")
    form.get_by_role("button", name="Create alarm").click()
    selector = form.get_by_label("Of", exact=True)
    expect(selector).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert")).to_contain_text("selector: ")
    selector.fill("")
    with receiver() as hook:
        form.get_by_label("Webhooks").fill(f"{hook.url} {SECRET}")
        form.get_by_role("button", name="Create alarm").click()
        row = page.get_by_role("row", name=re.compile(f" {name} "))
        expect(row).to_contain_text("requests a minute of all requests that enter ≥ 0")
        # It is evaluated every ten seconds, over a minute that has settled.
        expect(row).to_contain_text("Alarm", timeout=120_000)
        expect(row).to_contain_text("delivered", timeout=120_000)
        assert b'"state":"ALARM"' in hook.received[0].body
        row.get_by_role("button", name=f"History of the alarm {name}").click()
        history = page.get_by_role("region", name=f"History of {name}")
        expect(history.get_by_role("row", name=re.compile("Alarm"))).to_contain_text("delivered")
        history.get_by_role("button", name="Send a test event").click()
        expect(history.get_by_role("status")).to_have_text(
            f"127.0.0.1:{hook.server_port}: delivered"
        )
        assert b'"test":true' in hook.received[-1].body

    row.get_by_role("button", name=f"Edit the alarm {name}").click()
    form = page.get_by_role("form", name=f"Edit {name}")
    expect(form.get_by_label("Webhooks")).to_have_value(hook.url)
    form.get_by_label("Note").fill("call us")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("call us")
    map_link = row.get_by_role("link", name=f"Map of {name}")
    expect(map_link).to_have_attribute("href", re.compile(r"^/map\?from=\d+&to=\d+$"))
    row.get_by_role("button", name=f"Delete the alarm {name}").click()
    row.get_by_role("button", name=f"Yes, delete the alarm {name}").click()
    expect(row).to_have_count(0)


def test_the_form_has_the_fields_of_its_kind(page: Page, raymap_server: Any) -> None:
    name = f"a{secrets.token_hex(4)}"
    page.goto(raymap_server.http + "/alarms?new=1")
    form = page.get_by_role("form", name="New alarm")
    expect(form.get_by_label("Threshold")).to_be_visible()
    form.get_by_label("When").select_option("vanished_edge")
    expect(form.get_by_label("Threshold")).to_have_count(0)
    expect(form.get_by_label("Calls expected")).to_have_value("5")
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Create alarm").click()
    row = page.get_by_role("row", name=re.compile(f" {name} "))
    expect(row).to_contain_text("vanished edge: no call for 1 minute where 5 were expected")
    row.get_by_role("button", name=f"Delete the alarm {name}").click()
    row.get_by_role("button", name=f"Yes, delete the alarm {name}").click()
    expect(row).to_have_count(0)


def test_a_bell_in_a_panel_opens_the_form_filled_in_with_a_preview(
    page: Page, lasting_shop: Any
) -> None:
    """The node in the filter's language, a threshold, and what the rule would have done."""
    node = lasting_shop.node_id(lasting_shop.payments)
    page.goto(lasting_shop.url(f"/map?range=15m&sel={node}"))
    page.get_by_role("complementary", name="Details").get_by_role("link", name="Alarm").click()
    form = page.get_by_role("form", name="New alarm")
    expect(form.get_by_label("Of", exact=True)).to_have_value(re.compile(r'^service\(.*"payments"'))
    expect(form.get_by_label("Threshold")).to_have_value("100")
    expect(form.get_by_role("region", name="Preview")).to_contain_text("in the last 24 hours")
    form.get_by_label("Threshold").fill("nonsense")
    expect(form.get_by_role("region", name="Preview")).to_have_count(0)


@pytest.mark.parametrize(
    ("bell", "metric", "threshold"),
    [
        (r"^p95 ≥ 900 ms$", "p95_ms", "900"),
        (r"^≥ [\d.]+.min$", "requests", r"[\d.]+"),
        (r"^faults ≥ 100 %$", "fault_share", "100"),
    ],
)
def test_a_bell_at_a_chart_proposes_what_it_shows(
    page: Page, lasting_shop: Any, bell: str, metric: str, threshold: str
) -> None:
    """The measure of the chart, its greatest value, and a window of its bars."""
    node = lasting_shop.node_id(lasting_shop.storefront)
    page.goto(lasting_shop.url(f"/map?range=15m&sel={node}"))
    details = page.get_by_role("complementary", name="Details")
    details.get_by_role("link", name=re.compile(bell)).click()
    form = page.get_by_role("form", name="New alarm")
    expect(form.get_by_label("Of", exact=True)).to_have_value(re.compile(r'"storefront"'))
    expect(form.get_by_label("Metric", exact=True)).to_have_value(metric)
    expect(form.get_by_label("Threshold")).to_have_value(re.compile(f"^{threshold}$"))
    expect(form.get_by_label("Of the last minutes")).to_have_value("5")
    expect(form.get_by_role("region", name="Preview")).to_contain_text("now")
    page.go_back()
    expect(details).to_be_visible()


def test_a_click_on_a_bar_is_the_threshold(page: Page, lasting_shop: Any) -> None:
    """Where the bin begins, and not the p95, which is in it: 885 ms of 900."""
    node = lasting_shop.node_id(lasting_shop.storefront)
    page.goto(lasting_shop.url(f"/map?range=15m&sel={node}"))
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("link", name="p95 ≥ 900 ms")).to_be_visible()
    bars = details.get_by_role("img", name="Histogram of response times").locator(".point path")
    expect(details.locator(".chart-skeleton")).to_have_count(0)
    bars.last.scroll_into_view_if_needed()
    box = box_at_rest(page, bars.last)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(details.get_by_role("link", name="p95 ≥ 885 ms")).to_be_visible()
    expect(details.locator(".bell-link")).to_have_count(3)
