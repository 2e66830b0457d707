"""Members, keys, tenants, settings and the audit log in a browser: by an administrator, by others, and where no
one signs in."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import Server, start_server, stop_server
from tests.ui.conftest import box_at_rest, show_controls, wait_until

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an administrator, an editor, and a tenant with an administrator of its own."""
    folder = tmp_path_factory.mktemp("office") / "data"
    server = start_server(folder, "--auth", "on", "--max-groups", "77")
    server.command("tenant", "add", "acme")
    for name, role, tenant in (
        ("root", "admin", ""),
        ("eve", "editor", ""),
        ("kim", "viewer", ""),
        ("gus", "admin", "acme"),
    ):
        words = ("user", "add", name, "--role", role, "--password-stdin")
        where = ("--tenant", tenant) if tenant else ()
        server.command(*words, *where, given=f"{PASSWORD}\n")
    yield server
    assert stop_server(server) == 0


def sign_in(page: Page, server: Server, path: str, name: str, password: str = PASSWORD) -> None:
    page.goto(server.http + path)
    form = page.get_by_role("main", name="Sign in")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Password").fill(password)
    form.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Service map")).to_be_visible()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=re.compile(rf"^\s*{re.escape(name)}"))


def confirm(page: Page, label: str) -> None:
    """Press a button that asks once more, and say yes."""
    page.get_by_role("button", name=label, exact=True).click()
    yes = page.get_by_role("button", name=f"Yes, {label[0].lower()}{label[1:]}", exact=True)
    expect(yes).to_be_focused()
    yes.click()


def status(server: Server, token: str) -> int:
    request = urllib.request.Request(server.http + "/api/pins", headers={"x-api-key": token})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_member_is_added_signs_in_and_is_removed(
    page: Page, browser: Browser, office: Server
) -> None:
    sign_in(page, office, "/members", "root")
    expect(row(page, "root")).to_contain_text("you")
    page.get_by_role("button", name="Add member").click()
    form = page.get_by_role("form", name="Add member")
    expect(form.get_by_label("Name")).to_be_focused()
    form.get_by_label("Name").fill("eve")
    form.get_by_role("button", name="Add member").click()
    expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert")).to_contain_text("'eve' is taken")
    form.get_by_label("Name").fill("zoe")
    form.get_by_label("Role").select_option("editor")
    form.get_by_role("button", name="Add member").click()
    box = page.get_by_role("region", name="Password of zoe")
    expect(box).to_be_focused()
    password = box.get_by_label("Password", exact=True).input_value()
    assert len(password) == 20
    box.get_by_role("button", name="Done").click()
    expect(box).to_have_count(0)
    expect(row(page, "zoe")).to_contain_text("editor")

    context = browser.new_context()
    other = context.new_page()
    sign_in(other, office, "/map", "zoe", password)
    context.close()

    page.get_by_role("button", name="Change role of zoe").click()
    form = page.get_by_role("form", name="Change role of zoe")
    expect(form.get_by_label("Role")).to_be_focused()
    form.get_by_label("Role").select_option("viewer")
    form.get_by_role("button", name="Save").click()
    expect(row(page, "zoe")).to_contain_text("viewer")
    confirm(page, "Reset password of zoe")
    expect(box).to_be_focused()
    assert box.get_by_label("Password", exact=True).input_value() != password
    confirm(page, "Sign out zoe everywhere")
    expect(page.get_by_role("button", name="Sign out zoe everywhere")).to_be_visible()
    confirm(page, "Remove zoe")
    expect(row(page, "zoe")).to_have_count(0)


def test_the_last_administrator_stays(page: Page, office: Server) -> None:
    """The refusal is on the page, beside the list."""
    sign_in(page, office, "/members", "root")
    confirm(page, "Remove root")
    expect(page.get_by_role("alert")).to_contain_text("root is the last administrator")
    expect(row(page, "root")).to_be_visible()
    page.get_by_role("button", name="Change role of root").click()
    form = page.get_by_role("form", name="Change role of root")
    form.get_by_label("Role").select_option("viewer")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("root is the last administrator")


def test_a_key_is_made_rotated_and_revoked(page: Page, office: Server) -> None:
    sign_in(page, office, "/keys", "root")
    page.get_by_role("button", name="New key").click()
    form = page.get_by_role("form", name="New key")
    form.get_by_label("Name", exact=True).fill("grafana")
    form.get_by_label("Role").select_option("viewer")
    form.get_by_label("Expires").select_option("in 90 days")
    form.get_by_label("Bytes per day").fill("a lot")
    form.get_by_role("button", name="Create key").click()
    expect(form.get_by_label("Bytes per day")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Bytes per day").fill("2G")
    form.get_by_role("button", name="Create key").click()
    box = page.get_by_role("region", name="The new key", exact=True)
    expect(box).to_be_focused()
    token = box.get_by_label(re.compile("^Token")).input_value()
    assert box.get_by_label("AWS_SECRET_ACCESS_KEY").input_value()
    assert status(office, token) == 200
    box.get_by_role("button", name="Done").click()
    expect(page.locator("body")).not_to_contain_text(token)
    found = row(page, "grafana")
    expect(found).to_contain_text("at most 2.0 GiB/day")
    expect(found).to_contain_text("until ")
    label = found.get_by_role("button", name=re.compile("^Rotate")).get_attribute("aria-label")
    assert label is not None
    confirm(page, label)
    box = page.get_by_role("region", name="The new key in place of grafana")
    expect(box).to_be_focused()
    rotated = box.get_by_label(re.compile("^Token")).input_value()
    assert (status(office, token), status(office, rotated)) == (200, 200)
    expect(page.get_by_role("button", name=re.compile("^Revoke the key grafana"))).to_have_count(2)
    first = page.get_by_role("button", name=re.compile("^Revoke the key grafana")).first
    label = first.get_attribute("aria-label")
    assert label is not None
    confirm(page, label)
    ended = page.get_by_label("Show 1 that ended")
    ended.check()
    expect(page.get_by_role("row").filter(has_text="revoked")).to_have_count(1)
    assert sorted((status(office, token), status(office, rotated))) == [200, 401]


def test_a_tenant_is_added_and_deleted(page: Page, office: Server) -> None:
    """Its name has to be typed; what needs it next is one step away."""
    sign_in(page, office, "/tenants", "root")
    page.get_by_role("button", name="New tenant").click()
    form = page.get_by_role("form", name="New tenant")
    form.get_by_label("Name", exact=True).fill("Not A Name")
    form.get_by_role("button", name="Create tenant").click()
    expect(form.get_by_role("alert")).to_contain_text("is no tenant's name")
    form.get_by_label("Name", exact=True).fill("umbrella")
    form.get_by_label("Bytes per day").fill("5G")
    form.get_by_role("button", name="Create tenant").click()
    expect(page.get_by_role("status")).to_contain_text("umbrella is ready")
    expect(row(page, "umbrella")).to_contain_text("at most 5.0 GiB/day")
    page.get_by_role("button", name="Change the limits of umbrella").click()
    form = page.get_by_role("form", name="Limits of umbrella")
    expect(form.get_by_label("Bytes per day")).to_have_value("5G")
    form.get_by_label("Bytes per day").fill("")
    form.get_by_role("button", name="Save").click()
    expect(row(page, "umbrella")).not_to_contain_text("at most")

    page.goto(office.http + "/members?new=1")
    tenant = page.get_by_role("form", name="Add member").get_by_label("Tenant")
    expect(tenant.get_by_role("option", name="umbrella")).to_be_attached()

    page.goto(office.http + "/tenants")
    page.get_by_role("button", name="Delete the tenant umbrella").click()
    form = page.get_by_role("form", name="Delete umbrella")
    field = form.get_by_label("Type umbrella to confirm")
    expect(field).to_be_focused()
    delete = form.get_by_role("button", name="Delete umbrella")
    expect(delete).to_be_disabled()
    field.fill("umbrell")
    expect(delete).to_be_disabled()
    field.fill("umbrella")
    delete.click()
    expect(row(page, "umbrella")).to_have_count(0, timeout=60_000)
    expect(row(page, "acme")).to_be_visible()


def test_settings_and_their_sources(page: Page, office: Server) -> None:
    sign_in(page, office, "/settings", "root")
    groups = page.get_by_role("region", name="Limits and console")
    found = groups.get_by_role("row").filter(has_text="max-groups")
    expect(found).to_contain_text("77")
    expect(found).to_contain_text("option")
    expect(page.get_by_role("region", name="Retention")).to_contain_text("30 days")
    expect(page.get_by_role("region", name="TLS")).to_be_visible()
    page.get_by_label("Only what is not the default").check()
    expect(page.get_by_role("region", name="TLS")).to_have_count(0)
    expect(found).to_be_visible()


def test_the_audit_log_in_pages(page: Page, office: Server) -> None:
    def answer(route: Any) -> None:
        older = "before=5" in route.request.url
        event = {"at": 1_795_560_400_000_000, "actor": "root", "via": "session", "address": "::1"}
        event |= {"action": "change", "target": "older" if older else "newest", "outcome": "ok"}
        route.fulfill(json={"events": [event], "before": None if older else 5})

    sign_in(page, office, "/audit", "root")
    table = page.get_by_role("table", name="Audit log")
    expect(table.get_by_role("row").nth(1)).to_contain_text("sign-in")
    page.route("**/api/v1/audit?*", answer)
    page.reload()
    expect(table).to_contain_text("newest")
    page.get_by_role("link", name="Older").click()
    expect(table).to_contain_text("older")
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.get_by_role("link", name="Newest").click()
    expect(table).to_contain_text("newest")


def test_editors_see_that_it_is_not_theirs(page: Page, office: Server) -> None:
    """Neither a tab nor the palette leads there; an address does, and says why not."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    sign_in(page, office, "/keys", "eve")
    expect(page.get_by_text("Only administrators see this page.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("signed in as eve, with the role editor")
    nav = page.get_by_role("navigation", name="Pages")
    expect(nav.get_by_role("link", name="Sampling")).to_be_visible()
    expect(nav.get_by_role("link", name="Admin")).to_have_count(0)
    expect(page.get_by_role("navigation", name="Administration")).to_have_count(0)
    assert not [url for url in requests if "/api/v1/keys" in url]


def test_an_administrator_of_a_tenant(page: Page, office: Server) -> None:
    """Their own members and keys, and neither tenants nor settings."""
    sign_in(page, office, "/map", "gus")
    show_controls(page)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Admin").click()
    expect(page.get_by_role("main", name="Members")).to_be_focused()
    expect(row(page, "gus")).to_be_visible()
    expect(row(page, "root")).to_have_count(0)
    parts = page.get_by_role("navigation", name="Administration").get_by_role("link")
    expect(parts).to_have_text(["Members", "API keys", "Audit log"])
    page.goto(office.http + "/settings")
    expect(page.get_by_text("This page is about the whole server.")).to_be_visible()


def test_the_palette_leads_there(page: Page, office: Server) -> None:
    sign_in(page, office, "/members", "root")
    expect(row(page, "root")).to_be_visible()
    page.keyboard.press("ControlOrMeta+k")
    palette = page.get_by_role("dialog", name="Go to")
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    field.fill("api k")
    expect(palette.get_by_role("option", name=re.compile("^API keys"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()


def test_no_keys_and_no_members(page: Page, office: Server) -> None:
    sign_in(page, office, "/audit", "root")
    page.route("**/api/v1/keys", lambda route: route.fulfill(json={"keys": []}))
    page.route("**/api/v1/members", lambda route: route.fulfill(json={"members": []}))
    page.goto(office.http + "/keys")
    expect(page.get_by_text("No keys yet.")).to_be_visible()
    page.goto(office.http + "/members")
    expect(page.get_by_text("No members:")).to_be_visible()


def test_a_failure_says_what_and_tries_again(page: Page, office: Server) -> None:
    sign_in(page, office, "/members", "root")
    expect(row(page, "root")).to_be_visible()
    body = {"error": {"code": "ServiceUnavailable", "message": "ClickHouse does not answer"}}
    page.route("**/api/v1/tenants", lambda route: route.fulfill(status=503, body=json.dumps(body)))
    page.goto(office.http + "/tenants")
    expect(page.get_by_role("alert")).to_contain_text(
        "Could not load the tenants: 503 ClickHouse does not answer."
    )
    page.unroute_all()
    page.get_by_role("button", name="Retry now").click()
    expect(row(page, "acme")).to_be_visible()


@pytest.mark.parametrize("path", ["/members", "/keys", "/tenants"])
@pytest.mark.parametrize("width", [390, 720])
def test_narrow_screens_need_no_scrolling_sideways(
    page: Page, office: Server, path: str, width: int
) -> None:
    """What can be done with a row is on the screen, on phones and at 200 % zoom."""
    if path == "/keys":
        office.command(
            "key", "add", f"phone-{width}-with-a-name-of-some-length", "--role", "viewer"
        )
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, office, path, "root")
    last = page.get_by_role("row").last.get_by_role("button").last
    expect(last).to_be_visible()
    box = box_at_rest(page, last)
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    wait_until(page, "document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Admin")
    ).to_be_in_viewport()


def test_where_no_one_signs_in(page: Page, raymap_server: Any) -> None:
    """The pages say so, and how to change it; the settings are there."""
    for path, heading in (("members", "Members"), ("keys", "API keys"), ("tenants", "Tenants")):
        page.goto(f"{raymap_server.http}/{path}")
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(page.get_by_text("Sign-in is off.")).to_be_visible()
        expect(page.get_by_text("raymap serve --auth on")).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Admin").click()
    expect(page.get_by_role("region", name="Authentication")).to_contain_text("off")


def test_a_copy_can_be_taken_with_the_keyboard(page: Page, office: Server) -> None:
    """From the box that has the focus the first Tab leads to the secret, which is then selected."""
    sign_in(page, office, "/members", "root")
    confirm(page, "Reset password of kim")
    box = page.get_by_role("region", name="Password of kim")
    expect(box).to_be_focused()
    field = box.get_by_label("Password", exact=True)
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    wait_until(
        page, "(({ selectionStart: a, selectionEnd: b }) => b - a === 20)(document.activeElement)"
    )
