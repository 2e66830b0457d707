"""Groups and sampling rules: created, changed, deleted, refused; groups as filters."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Shop, box_at_rest
from tests.waiting import eventually

pytestmark = pytest.mark.browser


def write(page: Page, text: str) -> None:
    """Into the filter's editor."""
    editor = page.get_by_role("textbox", name="Filter")
    editor.click()
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def test_a_group_is_made_used_as_a_filter_changed_and_deleted(
    page: Page, lasting_shop: Shop
) -> None:
    """Errors stand at their field; the preview counts; the list offers the group."""
    name = f"g{secrets.token_hex(4)}"
    page.goto(lasting_shop.url("/groups"))
    page.get_by_role("button", name="New group").click()
    form = page.get_by_role("form", name="New group")
    expect(form.get_by_label("Name")).to_be_focused()
    form.get_by_label("Name").fill("not a name")
    write(page, 'service("payments") { fault } AND')
    form.get_by_role("button", name="Create group").click()
    field = form.get_by_label("Name")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert")).to_contain_text("GroupName may have letters, digits, - and _")
    field.fill(name)
    form.get_by_role("button", name="Create group").click()
    expect(form.get_by_role("alert")).to_contain_text("expected at position 34")
    write(page, 'service("payments") { fault }')
    preview = form.get_by_role("region", name="Matching traces")
    expect(preview).to_contain_text(re.compile(r"^\d+ traces? of the last 15 minutes match"))
    form.get_by_role("button", name="Create group").click()
    row = page.get_by_role("row", name=re.compile(f"^{name} "))
    expect(row).to_contain_text('service("payments") { fault }')

    page.goto(lasting_shop.url("/traces?filter=fault+OR+error"))
    page.get_by_role("button", name="Groups").click()
    page.get_by_role("dialog", name="Groups").get_by_role("button", name=name).click()
    expect(page).to_have_url(re.compile("group.name"))
    expect(page.locator(f'a[href^="/traces/{lasting_shop.trace_id}"]')).to_be_visible()
    expect(page.get_by_role("textbox", name="Filter")).to_have_value(
        f'(fault OR error) AND group.name = "{name}"'
    )

    page.goto(lasting_shop.url(f"/groups?edit={name}"))
    write(page, "ok")
    page.get_by_role("button", name="Save").click()
    expect(row.locator("code")).to_have_text("ok")
    row.get_by_role("button", name=f"Delete the group {name}").click()
    row.get_by_role("button", name=f"Yes, delete the group {name}").click()
    expect(row).to_have_count(0)


def test_a_sampling_rule_is_made_reported_changed_and_deleted(
    page: Page, raymap_server: Any
) -> None:
    """Percent in the form, shares in the API; what SDKs report is beside the rule."""
    name = f"r{secrets.token_hex(4)}"
    page.goto(raymap_server.http + "/sampling")
    page.get_by_role("button", name="New rule").click()
    form = page.get_by_role("form", name="New rule")
    form.get_by_label("Name", exact=True).fill(name)
    rate = form.get_by_label("Rate beyond it, %")
    rate.fill("500")
    form.get_by_label("URL path").fill("/pay/*")
    form.get_by_role("button", name="Create rule").click()
    expect(rate).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert")).to_contain_text("FixedRate must lie between 0 and 1, got 5")
    rate.fill("7")
    form.get_by_role("button", name="Create rule").click()
    row = page.get_by_role("row", name=re.compile(f" {name} "))
    expect(row).to_contain_text("7 %")
    expect(row).to_contain_text("path /pay/*")

    report = {"RuleName": name, "ClientID": "a" * 24, "Timestamp": time.time()}
    report |= {"RequestCount": 120, "SampledCount": 12, "BorrowCount": 1}
    raymap_server.post("/SamplingTargets", {"SamplingStatisticsDocuments": [report]})

    def visible() -> bool:
        answer = raymap_server.post("/SamplingStatisticSummaries", {})
        return name in {each["RuleName"] for each in answer["SamplingStatisticSummaries"]}

    eventually(visible, "the report is shown")
    page.goto(raymap_server.http + f"/sampling?edit={name}")
    expect(row).to_contain_text("120")
    expect(row).to_contain_text("10 %")
    page.get_by_role("form").get_by_label("Priority").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text(re.compile(r"^7"))
    row.get_by_role("button", name=f"Delete the rule {name}").click()
    row.get_by_role("button", name="Keep").click()
    row.get_by_role("button", name=f"Delete the rule {name}").click()
    row.get_by_role("button", name=f"Yes, delete the rule {name}").click()
    expect(row).to_have_count(0)
    expect(page.get_by_role("button", name="Delete the rule Default")).to_have_count(0)


def test_a_text_that_is_no_expression_is_searched_for(page: Page, lasting_shop: Shop) -> None:
    """At once, in URLs, names, users and exceptions: here the type of an exception inside the trace."""
    page.goto(lasting_shop.url("/traces"))
    write(page, "UpstreamTimeout")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("rootcause"))
    expect(page.locator(f'a[href^="/traces/{lasting_shop.trace_id}"]')).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/groups", "/sampling", "/alarms", "/shares", "/members", "/settings"]
)
def test_a_wide_screen_has_its_forms_in_the_middle(
    page: Page, lasting_shop: Shop, path: str
) -> None:
    """One width for all of them, and as much room on the left as on the right."""
    page.set_viewport_size({"width": 2560, "height": 1000})
    page.goto(lasting_shop.url(path))
    head = box_at_rest(page, page.locator(".settings-head").first)
    assert head["width"] == pytest.approx(1200, abs=2)
    assert head["x"] == pytest.approx(2560 - head["x"] - head["width"], abs=20)
