"""Share links in a browser: made by someone signed in, opened by someone who is not."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from raymap.auth.share_grants import TraceGrant
from raymap.auth.shares import Share, encode_share, share_key
from tests.conftest import Server, start_server, stop_server
from tests.ui.conftest import shop_documents, show_controls
from tests.ui.test_accessibility import AXE, findings, findings_in_both_themes
from tests.waiting import eventually

pytestmark = pytest.mark.server
PASSWORD = "correct horse battery"
SECRET = "the secret of a server that is tested"
FIELD = "Link"


@dataclass(frozen=True)
class Guarded:
    """A server with one user, and two traces of the shop."""

    server: Server
    traces: tuple[str, str]
    token: str
    log: Path

    def url(self, path: str) -> str:
        return self.server.http + path

    def read(self, path: str) -> Any:
        request = urllib.request.Request(
            self.url(path), headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def send(self, start: float, trace: str) -> None:
        documents = [json.dumps(each) for each in shop_documents(start, trace)]
        body = json.dumps({"TraceSegmentDocuments": documents}).encode()
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url("/TraceSegments"), body, headers)
        urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("shared") / "data"
    environment = {"RAYMAP_AUTH_SECRET": SECRET}
    server = start_server(folder, "--auth", "on", environment=environment)
    for name, role in (("ana", "viewer"), ("eve", "editor")):
        add = ("user", "add", name, "--role", role, "--password-stdin")
        server.command(*add, given=f"{PASSWORD}\n")
    key = json.loads(server.command("key", "add", "tests", "--role", "admin", "--json"))
    start = time.time() - 2
    traces = tuple(f"1-{int(start):08x}-{digit * 24}" for digit in "ab")
    made = Guarded(server, traces, key["token"], folder.parent / "data.log")  # type: ignore[arg-type]
    eventually(lambda: made.read("/api/status")["ready"], "the key is known", ignore=(OSError,))
    for trace in traces:
        made.send(start, trace)
    for trace in traces:
        eventually(partial(complete, made, trace), "the trace is stored", ignore=(OSError,))
    yield made
    assert stop_server(server) == 0


def complete(guarded: Guarded, trace: str) -> bool:
    return len(guarded.read(f"/api/traces/{trace}")["rows"]) > 3


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """Another browser, without any cookie."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def sign_in(page: Page, guarded: Guarded, path: str, name: str = "ana") -> None:
    page.goto(guarded.url(path))
    form = page.get_by_role("main", name="Sign in")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Service map")).to_be_visible()
    show_controls(page)
    expect(page.get_by_role("button", name=f"Signed in as {name}")).to_be_visible()


def share(page: Page) -> str:
    """The link that the page's button makes."""
    page.get_by_role("button", name="Share", exact=True).click()
    form = page.get_by_role("dialog", name="Share")
    expect(form.get_by_label("Valid for")).to_have_value("24")
    form.get_by_label("Valid for").select_option("1 hour")
    form.get_by_role("button", name="Create link").click()
    expect(form.get_by_text("Valid until")).to_be_visible()
    return form.get_by_label(FIELD).input_value()


def refused(page: Page, path: str) -> int:
    """The status of a request that the page makes with its link."""
    status: int = page.evaluate(
        """async (path) => (await fetch(path, {
            headers: { Authorization: `Bearer ${location.hash.slice(1)}` },
        })).status""",
        path,
    )
    return status


def banner(page: Page) -> Any:
    return page.get_by_role("complementary", name="Shared view")


def test_a_trace(page: Page, visitor: Page, guarded: Guarded) -> None:
    """Seen without a cookie; nothing else is, and the token reaches no address of a request."""
    mine, other = guarded.traces
    sign_in(page, guarded, f"/traces/{mine}")
    link = share(page)
    requests: list[str] = []
    referers: list[str] = []
    visitor.on("request", lambda request: requests.append(request.url))
    visitor.on("request", lambda request: referers.append(request.headers.get("referer", "")))
    visitor.goto(link)
    expect(banner(visitor)).to_contain_text("Shared read-only view")
    expect(
        visitor.get_by_role("heading", name="POST https://shop.example/checkout")
    ).to_be_visible()
    expect(visitor.get_by_role("treegrid")).to_contain_text("payments")
    for name in ("Map", "Time by service", "Logs", "Raw JSON", "Timeline"):
        visitor.get_by_role("tab", name=name, exact=True).click()
        expect(visitor.get_by_role("tab", name=name, exact=True)).to_have_attribute(
            "aria-selected", "true"
        )
    expect(visitor.get_by_role("tab", name="Compare")).to_have_count(0)
    expect(visitor.get_by_role("navigation", name="Pages")).to_have_count(0)
    for name in ("Pin", "Share"):
        expect(visitor.get_by_role("button", name=name, exact=True)).to_have_count(0)
    visitor.get_by_role("treegrid").get_by_text("payments").first.click()
    expect(visitor.get_by_role("complementary", name="Segment details")).to_be_visible()
    visitor.reload()
    expect(banner(visitor)).to_be_visible()
    for path in (
        f"/api/traces/{other}",
        f"/api/traces/{other}/raw",
        f"/api/v1/traces/{other}/logs",
        f"/api/traces/{mine}/typical",
        "/api/traces?from=0&to=2000000000",
        "/api/map?from=0&to=2000000000",
        "/api/status",
        "/api/v1/alarms",
        "/api/v1/shares",
        "/metrics",
        "/auth/session",
    ):
        assert refused(visitor, path) == 403, path
    token = link.partition("#")[2]
    assert token.startswith("rms_")
    assert not [each for each in requests if token in each.partition("#")[0]]
    assert not [each for each in referers if "rms_" in each]
    assert "rms_" not in guarded.log.read_text()
    assert visitor.context.cookies() == []


def test_the_console_makes_no_request_that_its_link_does_not_grant(
    page: Page, visitor: Page, guarded: Guarded
) -> None:
    """Neither on a trace nor on a map, whole or narrowed, with details open."""
    sign_in(page, guarded, f"/traces/{guarded.traces[0]}")
    links = [share(page)]
    for words in ("", "&filter=fault"):
        page.goto(guarded.url(f"/map?as=map&range=1h{words}"))
        expect(
            page.get_by_role("button", name=re.compile("^payments, (?!client)")).first
        ).to_be_visible()
        links.append(share(page))
    answers: list[tuple[int, str]] = []
    visitor.on("response", lambda response: answers.append((response.status, response.url)))
    for link in links:
        visitor.goto(link)
        expect(banner(visitor)).to_be_visible()
        if link is not links[0]:
            node = visitor.get_by_role("button", name=re.compile("^payments, (?!client)")).first
            node.press("Enter")
            expect(visitor.locator(".chart .bars").first).to_be_attached()
            visitor.get_by_role("button", name="Focus").click()
            expect(visitor.get_by_role("navigation", name="Focus")).to_be_visible()
        visitor.wait_for_load_state("networkidle")
    assert len(answers) > 20
    assert [each for each in answers if each[0] >= 400] == []


def test_a_map(page: Page, visitor: Page, guarded: Guarded) -> None:
    """One window, and what its page can do within it."""
    sign_in(page, guarded, "/map?as=map&range=1h&filter=fault")
    expect(
        page.get_by_role("button", name=re.compile("^payments, (?!client)")).first
    ).to_be_visible()
    visitor.goto(share(page))
    expect(banner(visitor)).to_contain_text("fault")
    node = visitor.get_by_role("button", name=re.compile("^payments, (?!client)")).first
    expect(node).to_be_visible()
    for name in ("Time range", "Arrange again", "Share"):
        expect(visitor.get_by_role("button", name=name)).to_have_count(0)
    before = visitor.url
    for key in ("[", "]", "a", "e"):
        visitor.keyboard.press(key)
    assert visitor.url == before
    window = re.search(r"from=(\d+)&to=(\d+)", visitor.url)
    assert window is not None
    start, end = window.groups()
    assert refused(visitor, f"/api/map?from={start}&to={end}&filter=fault") == 200
    assert refused(visitor, f"/api/map?from={start}&to={end}") == 403
    assert refused(visitor, f"/api/map?from={start}&to={int(end) + 1}&filter=fault") == 403
    assert refused(visitor, f"/api/traces?from={start}&to={end}&filter=fault") == 403
    assert refused(visitor, f"/api/traces/{guarded.traces[0]}") == 403


def test_a_stolen_link_after_its_end(visitor: Page, guarded: Guarded) -> None:
    """Expired a second ago, by the server's own key: the page shows nothing, whatever else is tried."""
    key = share_key(SECRET.encode(), "")
    share = Share(
        "0" * 16, TraceGrant(guarded.traces[0].replace("-", "")[1:]), int(time.time()) - 1
    )
    visitor.add_init_script(path=AXE)
    visitor.goto(guarded.url(f"/s#{encode_share(share, key)}"))
    page = visitor.get_by_role("main", name="Link not valid")
    expect(page).to_contain_text("It has expired, was revoked, or is incomplete.")
    expect(visitor.get_by_role("link")).to_have_count(0)
    assert findings(visitor) == []
    for path in ("/auth/share", f"/api/traces/{guarded.traces[0]}", "/api/map?from=0&to=60"):
        assert refused(visitor, path) == 401
    # Neither a later end nor another page makes it valid.
    later = Share(share.id, share.grant, share.expires + 3600)
    forged = encode_share(later, b"no key of this server")
    visitor.goto(
        "about:blank"
    )  # else only the fragment changes, and the page reloads at any moment
    visitor.goto(guarded.url(f"/s#{forged}"))
    expect(page).to_be_visible()
    assert refused(visitor, f"/api/traces/{guarded.traces[0]}") == 401
    valid = encode_share(later, key)
    visitor.goto("about:blank")
    visitor.goto(guarded.url(f"/s#{valid}"))
    expect(banner(visitor)).to_be_visible()


def test_links_end_while_they_are_open(page: Page, visitor: Page, guarded: Guarded) -> None:
    """One by its button, all by a new key; the open page notices."""
    sign_in(page, guarded, f"/traces/{guarded.traces[0]}")
    link = share(page)
    visitor.goto(link)
    expect(banner(visitor)).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_label("Valid for")).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_role("main", name="Link not valid")).to_be_visible()
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_text("Valid until")).to_be_visible()
    visitor.goto(page.get_by_label(FIELD).input_value())
    expect(banner(visitor)).to_be_visible()
    listed = json.loads(guarded.server.command("share", "list", "--json"))
    assert {each["by"] for each in listed} == {"ana"}
    assert listed[-1]["id"] in guarded.server.command("share", "list")
    guarded.server.command("share", "revoke", listed[-1]["id"])
    eventually(lambda: refused(visitor, "/auth/share") == 401, "the revocation is known")
    guarded.server.command("share", "rotate")
    assert json.loads(guarded.server.command("share", "list", "--json")) == []


def links(page: Page) -> Any:
    return page.get_by_role("table", name="Share links").get_by_role("row")


def test_the_list_of_links(page: Page, visitor: Page, guarded: Guarded) -> None:
    """One's own for viewers, all for editors, who end any; it leads to what a link opens."""
    guarded.server.command("share", "rotate")
    sign_in(page, guarded, f"/traces/{guarded.traces[0]}")
    link = share(page)
    sign_in(visitor, guarded, "/map?as=map&range=1h&filter=fault", "eve")
    share(visitor)
    page.get_by_role("link", name="Manage share links").click()
    expect(page.get_by_role("main", name="Share links")).to_contain_text("These are yours.")
    expect(links(page)).to_have_count(2)  # the heading's, too
    expect(links(page).nth(1)).to_contain_text(guarded.traces[0])
    expect(links(page).nth(1)).to_contain_text("ana")
    visitor.get_by_role("link", name="Manage share links").click()
    expect(links(visitor)).to_have_count(3)
    newest = links(visitor).nth(1)
    expect(newest).to_contain_text("eve")
    expect(newest.locator("code")).to_have_text("fault")
    newest.get_by_role("link").click()
    expect(visitor).to_have_url(re.compile(r"/map\?from=\d+&to=\d+&filter=fault$"))
    visitor.go_back()
    row = links(visitor).filter(has_text="ana")
    row.get_by_role("button", name="Revoke the link of ana").click()
    row.get_by_role("button", name="Yes, revoke the link of ana").click()
    expect(links(visitor)).to_have_count(2)
    page.reload()
    expect(page.get_by_role("main", name="Share links")).to_contain_text("No links.")
    opened = visitor.context.new_page()
    opened.goto(link)
    expect(opened.get_by_role("main", name="Link not valid")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(page: Page, visitor: Page, guarded: Guarded, width: int) -> None:
    """In the form before and after, in both shared views, and in the list of links."""
    for each in (page, visitor):
        each.add_init_script(path=AXE)
        each.emulate_media(color_scheme="light", reduced_motion="reduce")
        each.set_viewport_size({"width": width, "height": 900})
    sign_in(page, guarded, f"/traces/{guarded.traces[0]}")
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("button", name="Create link")).to_be_visible()
    assert findings_in_both_themes(page) == []
    page.keyboard.press("Escape")
    visitor.goto(share(page))
    assert findings_in_both_themes(page) == []
    expect(visitor.get_by_role("treegrid")).to_contain_text("payments")
    assert findings_in_both_themes(visitor) == []
    page.goto(guarded.url("/map?as=map&range=1h"))
    visitor.goto(share(page))
    # The trace before it has a button of that name, too. A list, where it is narrow.
    expect(visitor.get_by_role("main", name="Service map")).to_be_visible()
    expect(visitor.get_by_role("button", name=re.compile("^payments")).first).to_be_visible()
    assert findings_in_both_themes(visitor) == []
    page.get_by_role("link", name="Manage share links").click()
    expect(page.get_by_role("button", name=re.compile("^Revoke")).first).to_be_visible()
    assert findings_in_both_themes(page) == []


def test_where_no_one_signs_in(page: Page, lasting_shop: Any) -> None:
    """The form says so, and has the page's own address."""
    page.add_init_script(path=AXE)
    page.goto(lasting_shop.url(f"/traces/{lasting_shop.trace_id}"))
    page.get_by_role("button", name="Share", exact=True).click()
    form = page.get_by_role("dialog", name="Share")
    expect(form).to_contain_text("This server requires no one to sign in")
    expect(form.get_by_label(FIELD)).to_have_value(
        lasting_shop.url(f"/traces/{lasting_shop.trace_id}")
    )
    assert findings(page) == []
    expect(form.get_by_role("link", name="Manage share links")).to_have_count(0)
    page.goto(lasting_shop.url("/shares"))
    main = page.get_by_role("main", name="Share links")
    expect(main).to_contain_text("there are no share links")
    expect(main.get_by_role("alert")).to_have_count(0)
    page.goto(lasting_shop.url("/s#rms_a.b"))
    expect(page.get_by_role("main", name="Link not valid")).to_be_visible()
