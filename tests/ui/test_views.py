"""Saved views: what the address says, under a name, for everyone who reads the server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import show_controls
from tests.ui.test_accessibility import AXE, findings_in_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("no_one_signs_in")]

PATH = "/api/v1/views"


def put(page: Page, url: str, name: str, query: str, revision: int = 0, **body: str) -> None:
    data = {"page": "map", "query": query, "revision": revision, **body}
    answer = page.request.put(f"{url}{PATH}/{name}", data=data)
    assert answer.ok, answer.text()


def views(page: Page, url: str) -> dict[str, Any]:
    listed = page.request.get(url + PATH).json()["views"]
    return {each["name"]: each for each in listed}


def menu(page: Page) -> Any:
    page.get_by_role("button", name="Views", exact=True).click()
    return page.get_by_role("dialog", name="Views")


def test_what_is_shown_is_saved_and_opened_again(page: Page, url: str) -> None:
    page.goto(f"{url}/map?range=1h&filter=service(%22web%22)&declared=1")
    views_menu = menu(page)
    expect(views_menu).to_contain_text("None yet")
    views_menu.get_by_label("Save what is shown as").fill("Web, last hour")
    page.keyboard.press("Enter")
    expect(views_menu.get_by_role("status")).to_have_text("Saved as Web, last hour.")
    line = views_menu.get_by_role("listitem")
    expect(line).to_contain_text("Service map · last hour · with what is declared")
    expect(line).to_contain_text('service("web")')
    opened = line.get_by_role("link", name="Web, last hour")
    expect(opened).to_have_attribute("aria-current", "true")
    page.goto(f"{url}/traces?range=15m")
    menu(page).get_by_role("link", name="Web, last hour").click()
    expect(page).to_have_url(re.compile(r"/map\?.*filter=service.*declared=1"))
    expect(page.get_by_role("dialog", name="Views")).to_have_count(0)


def test_a_view_may_have_a_fixed_time(page: Page, url: str) -> None:
    page.goto(f"{url}/traces?range=5m")
    views_menu = menu(page)
    views_menu.get_by_label("Save what is shown as").fill("then")
    views_menu.get_by_label("At this time").check()
    views_menu.get_by_role("button", name="Save").click()
    expect(views_menu.get_by_role("listitem")).to_contain_text(re.compile(r"Traces · \d{4}-"))
    assert re.fullmatch(r"from=\d+&to=\d+", views(page, url)["then"]["query"])


def test_without_a_mouse(page: Page, url: str) -> None:
    """Opened by the keyboard, left by Escape; and by Ctrl+K, which finds views by name."""
    put(page, url, "Night shift", "range=6h&filter=fault")
    page.goto(f"{url}/map?range=15m")
    page.get_by_role("button", name="Views", exact=True).press("Enter")
    link = page.get_by_role("dialog", name="Views").get_by_role("link", name="Night shift")
    expect(link).to_be_visible()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Views", exact=True)).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("night")
    expect(page.get_by_role("option", name="Night shift Open the view")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/map\?range=6h&filter=fault"))


def test_a_view_is_renamed_and_deleted(page: Page, url: str) -> None:
    put(page, url, "a", "range=6h")
    page.goto(f"{url}/map?range=15m")
    views_menu = menu(page)
    views_menu.get_by_role("button", name="Rename a").click()
    field = views_menu.get_by_label("New name of a")
    expect(field).to_be_focused()
    field.fill("b")
    page.keyboard.press("Enter")
    expect(views_menu.get_by_role("link", name="b", exact=True)).to_be_visible()
    assert views(page, url).keys() == {"b"}
    views_menu.get_by_role("button", name="Delete the view b").click()
    views_menu.get_by_role("button", name="Yes, delete the view b").click()
    expect(views_menu).to_contain_text("None yet")


def test_no_change_is_lost(page: Page, url: str) -> None:
    """Changed by another while the menu is open: said, and replaced only by a second wish."""
    put(page, url, "shared", "range=6h")
    page.goto(f"{url}/map?range=15m")
    views_menu = menu(page)
    expect(views_menu.get_by_role("link", name="shared")).to_be_visible()
    put(page, url, "shared", "range=3h", revision=1)
    views_menu.get_by_label("Save what is shown as").fill("shared")
    views_menu.get_by_role("button", name="Replace").click()
    expect(views_menu.get_by_role("alert")).to_contain_text("was changed meanwhile, saved at")
    expect(views_menu.get_by_role("listitem")).to_contain_text("last 3 hours")
    assert views(page, url)["shared"]["query"] == "range=3h"
    views_menu.get_by_role("button", name="Replace").click()
    expect(views_menu.get_by_role("status")).to_have_text("Saved as shared.")
    assert views(page, url)["shared"]["revision"] == 3


def test_who_may_not_edit_opens_them_only(page: Page, url: str) -> None:
    def session(route: Route) -> None:
        route.fulfill(json={"name": "vic", "role": "viewer", "via": "session", "tenant": ""})

    page.route("**/auth/session", session)
    put(page, url, "a", "range=6h")
    page.goto(f"{url}/map?range=15m")
    views_menu = menu(page)
    expect(views_menu).to_contain_text("Editors save views.")
    expect(views_menu.get_by_role("button", name="Copy a link to a")).to_be_visible()
    expect(views_menu.get_by_role("button", name=re.compile("Rename|Delete|Save"))).to_have_count(0)


def test_nothing_is_requested_until_it_is_opened(page: Page, url: str) -> None:
    requested: list[str] = []
    page.on("request", lambda each: requested.append(each.url))
    page.goto(f"{url}/map?range=15m")
    expect(page.get_by_role("button", name="Views", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not [each for each in requested if PATH in each or "ViewsMenu" in each]


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(page: Page, url: str, width: int) -> None:
    put(page, url, "a", "range=6h&filter=fault")
    page.add_init_script(path=AXE)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{url}/map?range=15m")
    show_controls(page)
    views_menu = menu(page)
    expect(views_menu.get_by_role("link", name="a", exact=True)).to_be_visible()
    assert findings_in_both_themes(page) == []
    box = views_menu.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
