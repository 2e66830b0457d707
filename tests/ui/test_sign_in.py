"""Signing in and out in a browser, on a server that requires it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT, Server, start_server, stop_server
from tests.ui.test_accessibility import AXE, findings

pytestmark = pytest.mark.server
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("guarded") / "data", "--auth", "on")
    where = ["--data-dir", str(server.data_dir)]
    if server.database:
        where += ["--clickhouse", server.database.url]
    subprocess.run(
        [sys.executable, "-m", "raymap", "user", "add", "ana", "--password-stdin", *where],
        input=PASSWORD + "\n",
        text=True,
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    yield server
    assert stop_server(server) == 0


def test_sign_in_and_out(page: Page, guarded: Server) -> None:
    """The requested page comes after the form, and its cookie is no script's."""
    page.goto(f"{guarded.http}/traces?last=1h")
    form = page.get_by_role("main", name="Sign in")
    expect(form).to_be_visible()
    expect(form.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong password")
    page.keyboard.press("Enter")
    expect(form.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    form.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Signed in as ana")).to_be_visible()
    assert page.url.endswith("/traces?last=1h")
    expect(page.get_by_text("Sign in to Raymap")).to_have_count(0)
    assert page.evaluate("document.cookie") == ""
    cookies = page.context.cookies()
    assert {each["name"] for each in cookies} == {"__Host-raymap", "__Host-raymap-known"}
    for each in cookies:
        assert (each["secure"], each["httpOnly"], each["sameSite"]) == (True, True, "Strict")
    page.get_by_role("button", name="Signed in as ana").click()
    page.get_by_role("button", name="Sign out").click()
    expect(form).to_be_visible()
    assert [each["name"] for each in page.context.cookies()] == ["__Host-raymap-known"]


def test_axe_finds_nothing_in_the_form(page: Page, guarded: Server) -> None:
    """With and without the link to another provider."""
    page.add_init_script(path=AXE)
    page.goto(f"{guarded.http}/map")
    form = page.get_by_role("main", name="Sign in")
    link = form.get_by_role("link", name="Sign in with your organization")
    expect(form).to_be_visible()
    expect(link).to_have_count(0)
    assert findings(page) == []
    page.route(
        "**/auth/methods", lambda route: route.fulfill(json={"password": True, "oidc": True})
    )
    page.goto(f"{guarded.http}/map")
    expect(link).to_have_attribute("href", "/auth/oidc/login")
    assert findings(page) == []


def test_no_menu_where_no_one_signs_in(page: Page, raymap_server: Server) -> None:
    page.goto(f"{raymap_server.http}/map")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    expect(page.get_by_role("button", name="Signed in")).to_have_count(0)
