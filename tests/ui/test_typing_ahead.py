"""Keys that come before what they are meant for: none is lost, doubled, or taken for another's."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Delayed
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: these tests are about keys."""
    return memory_site


@pytest.fixture(autouse=True)
def interception(page: Page) -> None:
    """From the start: a request that is sent while Chromium begins to intercept, as it does with the first route of a
    page, escapes the route on a slow machine."""
    page.route("**/intercepted-from-the-start", lambda route: route.continue_())


def completions(page: Page) -> Locator:
    """What the filter's editor offers."""
    return page.locator(".cm-tooltip-autocomplete").get_by_role("option")


def filter_of(page: Page) -> str:
    """The expression in the address."""
    return parse_qs(urlparse(page.url).query).get("filter", [""])[0]


def open_map(page: Page, shop: Any) -> None:
    page.goto(shop.url("/map?as=map&range=15m"))
    expect(page.locator("[data-node]").first).to_be_attached()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def palette_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Service, trace id, page, view or time")


def commands(page: Page) -> Locator:
    """What the palette offers."""
    return page.get_by_role("listbox", name="Commands").get_by_role("option")


def test_the_palette_starts_with_what_was_typed_before_it_came(
    page: Page, lasting_shop: Any
) -> None:
    """Letters, of which some are keys of the page: `a` arranges everybody's map, `[` is another range."""
    arranged: list[str] = []
    page.on(
        "request", lambda request: arranged.append(request.url) if request.method != "GET" else None
    )
    open_map(page, lasting_shop)
    address = page.url
    palette = Delayed(page, "**/CommandPalette-*.js")
    press(page, "Control+k")
    palette.wait()
    press(page, "a", "[", "Backspace", "Backspace", "Tab", "p", "x", "Backspace", "a")
    palette.release()
    expect(palette_field(page)).to_have_value("pa")
    press(page, "y")
    expect(palette_field(page)).to_have_value("pay")
    expect(commands(page).first).to_contain_text("payments")
    assert page.url == address
    assert arranged == []


def test_enter_before_the_palette_and_its_services_opens_what_was_typed(
    page: Page, lasting_shop: Any
) -> None:
    """Ten keys at once, for the service that the server has found later."""
    open_map(page, lasting_shop)
    palette = Delayed(page, "**/CommandPalette-*.js")
    services = Delayed(page, "**/api/services?*")
    press(page, "Control+k", *"payments", "Enter")
    palette.release()
    expect(palette_field(page)).to_have_value("payments")
    services.release()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", name="payments", exact=True)).to_be_visible()
    press(page, "Control+k", *"trac", "Enter")  # a page needs no answer
    expect(page.get_by_role("main", name="Traces")).to_be_visible()


def test_enter_never_opens_what_another_text_has_found(page: Page, lasting_shop: Any) -> None:
    """The list still shows the answer for the letters before."""
    open_map(page, lasting_shop)
    press(page, "Control+k", *"stor")
    expect(commands(page).first).to_contain_text("storefront")
    services = Delayed(page, "**/api/services?*")
    palette_field(page).fill("payments")
    press(page, "Enter")
    services.release()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", name="payments", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("part", "opening", "name"),
    [("CommandPalette", "Control+k", "Go to"), ("KeyHelp", "?", "Keyboard shortcuts")],
)
def test_escape_closes_a_dialog_before_it_comes(
    page: Page, lasting_shop: Any, part: str, opening: str, name: str
) -> None:
    """And no key goes to the page behind it."""
    open_map(page, lasting_shop)
    address = page.url
    dialog = Delayed(page, f"**/{part}-*.js")
    press(page, opening)
    dialog.wait()
    press(page, "[", "Escape")
    dialog.release()
    expect(page.get_by_text(re.compile("^Loading (palette|keys)"))).to_have_count(0)
    expect(page.get_by_role("dialog", name=name)).to_have_count(0)
    assert page.url == address
    press(page, opening)
    expect(page.get_by_role("dialog", name=name)).to_be_visible()
    press(page, "Escape", "[")
    expect(page).to_have_url(re.compile("from="))


def test_the_filter_is_written_and_run_before_its_editor_comes(
    page: Page, lasting_shop: Any
) -> None:
    """Each key once; the caret stays where writing goes on."""
    editor = Delayed(page, "**/FilterEditor-*.js")
    page.goto(lasting_shop.url("/traces?range=15m"))
    page.get_by_role("textbox", name="Filter").focus()
    editor.wait()
    page.keyboard.type("fault")
    press(page, "Enter")
    page.keyboard.type(" OR er")
    expect(page).to_have_url(re.compile("filter=fault$"))
    editor.release()
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.type("ror")
    expect(page.locator(".cm-content")).to_have_text("fault OR error")
    press(page, "Enter")
    expect(page).to_have_url(re.compile("filter=fault.OR.error$"))


def test_what_was_written_before_the_editor_came_is_completed(
    page: Page, lasting_shop: Any
) -> None:
    """As if it had been written there; a filter that is only looked at opens no list."""
    editor = Delayed(page, "**/FilterEditor-*.js")
    page.goto(lasting_shop.url("/traces?range=15m"))
    page.get_by_role("textbox", name="Filter").focus()
    editor.wait()
    page.keyboard.type("faul")
    editor.release()
    expect(completions(page).first).to_have_text("fault")
    page.goto(lasting_shop.url("/traces?range=15m&filter=fault"))
    page.get_by_role("textbox", name="Filter").focus()
    expect(page.locator(".cm-content")).to_be_focused()
    expect(completions(page)).to_have_count(0)


def test_what_is_written_while_a_filter_is_checked_stays(page: Page, lasting_shop: Any) -> None:
    """The address gets what was run, and the latest that was run, whichever is checked first."""
    page.goto(lasting_shop.url("/traces?range=15m"))
    page.get_by_role("textbox", name="Filter").focus()
    content = page.locator(".cm-content")
    expect(content).to_be_focused()
    check = Delayed(page, "**/api/filter/check?*")
    page.keyboard.type("fault")
    press(page, "Enter")
    page.keyboard.type(" OR ok")
    check.release()
    expect(page).to_have_url(re.compile("filter=fault$"))
    expect(page.get_by_role("button", name="Remove the filter")).to_be_visible()
    expect(content).to_have_text("fault OR ok")
    check = Delayed(page, "**/api/filter/check?*")
    press(page, "Enter")
    page.keyboard.type(" OR error")
    check.wait()
    check.stop()
    press(page, "Enter")
    expect(page).to_have_url(re.compile("filter=fault.OR.ok.OR.error$"))
    with page.expect_response("**/api/filter/check?*"):
        check.release()
    page.wait_for_load_state("networkidle")
    assert filter_of(page) == "fault OR ok OR error"
    page.go_back()
    expect(content).to_have_text("fault")
    page.go_forward()
    expect(content).to_have_text("fault OR ok OR error")


def write(page: Page, shop: Any, text: str) -> Locator:
    """Type into the filter's editor."""
    page.goto(shop.url("/traces?range=15m"))
    page.get_by_role("textbox", name="Filter").focus()
    content = page.locator(".cm-content")
    expect(content).to_be_focused()
    page.keyboard.type(text)
    return content


def test_enter_runs_a_filter_whatever_the_list_offers(page: Page, lasting_shop: Any) -> None:
    content = write(page, lasting_shop, "fault ")
    expect(completions(page).first).to_have_text("AND")
    press(page, "Enter")
    expect(page).to_have_url(re.compile("filter=fault$"))
    expect(completions(page)).to_have_count(0)
    expect(content).to_have_text(re.compile("^fault ?$"))


def test_arrow_keys_choose_what_enter_accepts(page: Page, lasting_shop: Any) -> None:
    """Until someone writes on."""
    content = write(page, lasting_shop, "fault ")
    expect(completions(page).first).to_have_text("AND")
    press(page, "ArrowDown", "ArrowDown", "Enter")
    expect(content).to_have_text(re.compile("^fault OR ?$"))
    page.keyboard.type("o")
    expect(completions(page).first).to_be_visible()
    press(page, "ArrowDown")
    expect(completions(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("k")
    press(page, "Enter")
    expect(page).to_have_url(re.compile("filter=fault.OR.ok$"))


def test_tab_accepts_the_first_completion_however_late_it_comes(
    page: Page, lasting_shop: Any
) -> None:
    """Also before the list is there; where nothing is left to complete it goes on to the next control."""
    values = Delayed(page, "**/api/filter/completions?*")
    content = write(page, lasting_shop, 'service("paym')
    press(page, "Tab")
    values.release()
    expect(content).to_have_text(re.compile(r'^service\("payments"'))
    expect(content).to_be_focused()
    press(page, "End", "Escape", "Tab")
    expect(content).not_to_be_focused()
