"""Notebooks: a map, a trace and words are added, read in order of their time, and exported."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from store.trace_id import format_trace_id
from tests.api.v1.test_impact import NOW
from tests.builders import T0, trace_id
from tests.ui.test_accessibility import AXE, findings_in_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("no_one_signs_in")]

PATH = "/api/v1/notebooks"
START = T0 // 1_000_000
MAP = f"from={START}&to={NOW}"
TRACE = format_trace_id(trace_id(1, epoch=START))


def make(page: Page, url: str, *entries: dict[str, Any], title: str = "Checkout") -> dict[str, Any]:
    answer = page.request.post(url + PATH, data={"title": title, "entries": entries})
    assert answer.ok, answer.text()
    return dict(answer.json())


def filled(page: Page, url: str) -> dict[str, Any]:
    return make(
        page,
        url,
        {"page": "map", "query": f"{MAP}&fold=0", "text": "Here it *began*."},
        {"trace": TRACE},
        {"text": "<b>Rolled back</b>", "at": NOW},
    )


def share(page: Page) -> Any:
    page.get_by_role("button", name="Share", exact=True).click()
    return page.get_by_role("dialog", name="Share")


def test_from_the_map_and_a_trace_to_an_export(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{MAP}&filter=service(%22web%22)")
    form = share(page)
    form.get_by_label("Title").fill("Checkout fails")
    form.get_by_label("Note", exact=True).fill("All over.")
    form.get_by_role("button", name="Add to notebook").click()
    expect(form).to_contain_text("Added to Checkout fails.")
    page.goto(f"{url}/traces/{TRACE}")
    form = share(page)
    expect(form.get_by_role("combobox")).to_contain_text("Checkout fails")
    form.get_by_role("button", name="Add to notebook").click()
    form.get_by_role("link", name="Checkout fails").click()
    expect(page.get_by_role("heading", name="Checkout fails")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Service map"))).to_be_visible()
    page.get_by_label("Words, as of now").fill("Rolled back.\n<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Add words").click()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="With pictures").click()
    archive = zipfile.ZipFile(io.BytesIO(saved.value.path().read_bytes()))
    assert archive.testzip() is None
    text, picture = archive.namelist()
    words = archive.read(text).decode()
    assert f"![Service map]({picture})" in words
    assert "&lt;img src=x" in words
    assert "web" in archive.read(picture).decode()
    with page.expect_download() as plain:
        page.get_by_role("link", name="Markdown").click()
    assert "```mermaid\nflowchart LR" in plain.value.path().read_text()
    page.locator(".notebook-entry").get_by_role("link", name="Service map").click()
    expect(page).to_have_url(re.compile(r"/map\?.*filter=service.*fold=1"))


def test_entries_are_edited_moved_deleted_and_brought_back(page: Page, url: str) -> None:
    book = filled(page, url)
    page.goto(f"{url}/notebooks/{book['id']}")
    entries = page.locator(".notebook-entry")
    expect(entries).to_have_count(3)
    expect(entries.nth(2)).to_contain_text("<b>Rolled back</b>")
    page.get_by_role("button", name=re.compile("^Edit Note")).click()
    words = entries.nth(2).get_by_label("Words", exact=True)
    expect(words).to_be_focused()
    words.fill("Earlier than all")
    entries.nth(2).get_by_label("Time").fill("2020-01-01T00:00:00")
    entries.nth(2).get_by_role("button", name="Save").click()
    expect(entries.nth(0)).to_contain_text("Earlier than all")
    page.get_by_role("button", name=re.compile("^Delete Service map")).click()
    expect(entries).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(entries).to_have_count(3)
    expect(entries.nth(1)).to_contain_text("Here it *began*.")
    expect(entries.nth(1)).to_contain_text("Requests from outside")


def test_no_change_is_lost(page: Page, url: str) -> None:
    book = filled(page, url)
    page.goto(f"{url}/notebooks/{book['id']}")
    expect(page.locator(".notebook-entry")).to_have_count(3)
    page.request.post(f"{url}{PATH}/{book['id']}/entries", data={"text": "By another"})
    page.get_by_role("button", name=re.compile("^Delete Service map")).click()
    expect(page.get_by_role("alert")).to_contain_text("was changed meanwhile")
    expect(page.locator(".notebook-entry")).to_have_count(4)


def test_a_view_that_is_not_folded_opens_so(page: Page, url: str) -> None:
    """Whatever the browser remembers, which stays as it is."""
    requested: list[str] = []
    page.on("request", lambda each: requested.append(each.url))
    page.goto(f"{url}/map?{MAP}&fold=0")
    expect(page.get_by_role("button", name=re.compile("^web")).first).to_be_visible()
    maps = [each for each in requested if "/api/map?" in each]
    assert maps
    assert not [each for each in maps if "fold=true" in each]
    page.goto(f"{url}/map?{MAP}")
    expect(page.get_by_role("button", name=re.compile("^web")).first).to_be_visible()
    assert "fold=true" in [each for each in requested if "/api/map?" in each][-1]


def test_the_list(page: Page, url: str) -> None:
    page.goto(f"{url}/notebooks")
    expect(page.get_by_text("No notebooks.")).to_be_visible()
    page.get_by_label("Title of a new notebook").fill("Night")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/notebooks/[0-9a-f]+$"))
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    page.get_by_role("navigation", name="From this notebook").get_by_role("link").click()
    page.get_by_role("button", name="Delete the notebook Night").click()
    page.get_by_role("button", name="Yes, delete the notebook Night").click()
    expect(page.get_by_text("No notebooks.")).to_be_visible()


def test_who_may_not_edit_reads_only(page: Page, url: str) -> None:
    session = {"name": "vic", "role": "viewer", "via": "session", "tenant": ""}
    page.route("**/auth/session", lambda route: route.fulfill(json=session))
    book = filled(page, url)
    page.goto(f"{url}/notebooks/{book['id']}")
    expect(page.locator(".notebook-entry")).to_have_count(3)
    expect(page.get_by_role("button", name="With pictures")).to_be_visible()
    expect(
        page.get_by_role("button", name=re.compile("Edit|Delete|Add words|Rename"))
    ).to_have_count(0)
    page.goto(f"{url}/map?{MAP}")
    form = share(page)
    expect(form.get_by_text("Everyone who has the link")).to_be_visible()
    expect(form.get_by_role("button", name="Add to notebook")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(page: Page, url: str, width: int) -> None:
    book = filled(page, url)
    page.add_init_script(path=AXE)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{url}/notebooks/{book['id']}")
    expect(page.get_by_role("img", name=re.compile("Service map"))).to_be_visible()
    page.locator("summary").first.click()
    assert findings_in_both_themes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{url}/notebooks")
    expect(page.get_by_role("link", name="Checkout")).to_be_visible()
    assert findings_in_both_themes(page) == []
