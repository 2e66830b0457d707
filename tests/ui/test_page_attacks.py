"""Attacks on people who are signed in: framed pages, planted cookies, foreign POSTs with their session,
and markup in everything that a sender can name."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server, start_server, stop_server
from tests.ui.conftest import until, wait_until
from tests.ui.test_foreign_pages import browser, foreign_site  # noqa: F401
from tests.waiting import eventually

pytestmark = pytest.mark.server
PASSWORD = "correct horse battery"
SESSION = "__Host-raymap"
CORPUS = (
    "<script data-xss>__xss(1)</script>",
    "<img data-xss src=x onerror=__xss(2)>",
    '"><svg data-xss onload=__xss(3)>',
    "'-__xss(4)-'",
    "javascript:__xss(5)",
    '<a data-xss href="javascript:__xss(6)">click</a>',
    '<iframe data-xss srcdoc="<script>parent.__xss(7)</script>"></iframe>',
    "</style></title></textarea><script data-xss>__xss(8)</script>",
    "<math><mtext data-xss><style><img data-xss src=x onerror=__xss(9)>",
    '{{constructor.constructor("__xss(10)")()}}${__xss(11)}',
    "\u202e<b data-xss onmouseover=__xss(12)>bold</b>",
    "<details data-xss open ontoggle=__xss(13)>",
    "%3Cscript data-xss%3E__xss(14)%3C/script%3E&lt;script&gt;",
)
INJECTED = """() => [
  ...document.querySelectorAll('[data-xss], [onerror], [onload], [onmouseover], [ontoggle], [srcdoc]'),
  ...[...document.querySelectorAll('[href], [src], [action]')].filter((one) =>
    /^\\s*javascript:/i.test(one.getAttribute('href') ?? one.getAttribute('src') ?? '') ||
    /^\\s*javascript:/i.test(one.getAttribute('action') ?? '')),
].map((one) => one.outerHTML.slice(0, 200))"""
"""What markup in a value would have become."""
WATCH = """
window.__ran = [];
window.__xss = (number) => window.__ran.push(number);
document.addEventListener('securitypolicyviolation', (event) => window.__ran.push(event.violatedDirective));
"""


@dataclass(frozen=True)
class Guarded:
    server: Server
    token: str

    def url(self, path: str) -> str:
        return self.server.http + path

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, self.url(path), json=body, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    server = start_server(tmp_path_factory.mktemp("attacked") / "data", "--auth", "on")
    for name in ("ana", "mallory"):
        add = ("user", "add", name, "--role", "editor", "--password-stdin")
        server.command(*add, given=f"{PASSWORD}\n")
    key = json.loads(server.command("key", "add", "tests", "--role", "admin", "--json"))
    made = Guarded(server, key["token"])
    eventually(lambda: made.ask("GET", "/api/status").status_code == 200, "the key is known")
    yield made
    assert stop_server(server) == 0


def sign_in(page: Page, guarded: Guarded, name: str = "ana", path: str = "/groups") -> None:
    page.goto(guarded.url(path))
    form = page.get_by_role("main", name="Sign in")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"Signed in as {name}")).to_be_visible()


def session_of(page: Page) -> str:
    (cookie,) = [each for each in page.context.cookies() if each["name"] == SESSION]
    return str(cookie["value"])


def test_no_site_frames_the_console(
    page: Page,
    guarded: Guarded,
    foreign_site: str,  # noqa: F811
) -> None:
    """Clickjacking: the browser shows an error in the frame's place; a page that may be framed it shows."""
    sign_in(page, guarded)
    page.goto(foreign_site)
    for target in (guarded.url("/groups"), guarded.url("/s#rms_x"), foreign_site):
        with page.expect_event("framenavigated"):
            page.evaluate(
                """(source) => {
                  document.querySelector('iframe')?.remove()
                  const frame = document.createElement('iframe')
                  frame.src = source
                  document.body.append(frame)
                }""",
                target,
            )
        frame = page.frames[-1]
        shown = frame.url if target == foreign_site else "chrome-error://chromewebdata/"
        until(page, lambda: frame.url == shown, f"the frame shows {shown}")  # noqa: B023


def test_a_planted_session_stays_its_owners(page: Page, guarded: Guarded) -> None:
    """Session fixation: who signs in over another's cookie has a session of their own, and the planted
    one opens what it did before."""
    sign_in(page, guarded, "mallory")
    planted = session_of(page)
    page.context.clear_cookies()
    page.goto(guarded.url("/groups"))
    page.get_by_role("main", name="Sign in").get_by_label("Name").fill("ana")
    # By https, as a browser takes cookies of that name from nowhere else.
    page.context.add_cookies(
        [{"name": SESSION, "value": planted, "url": "https://127.0.0.1/", "secure": True}]
    )
    assert session_of(page) == planted
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Signed in as ana")).to_be_visible()
    assert session_of(page) != planted
    seen = httpx.get(guarded.url("/auth/session"), headers={"Cookie": f"{SESSION}={planted}"})
    assert seen.json()["name"] == "mallory"
    page.get_by_role("button", name="Signed in as ana").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("main", name="Sign in")).to_be_visible()


def test_a_foreign_page_does_nothing_with_a_session(
    page: Page,
    guarded: Guarded,
    foreign_site: str,  # noqa: F811
) -> None:
    """Neither by fetch nor by a form; and it reads nothing."""
    sign_in(page, guarded)
    before = guarded.ask("GET", "/api/v1/shares").json()
    page.goto(foreign_site)
    body = json.dumps({"trace": "1-6926f00d-" + "a" * 24})
    with page.expect_response(guarded.url("/api/v1/shares")) as answered:
        page.evaluate(
            """async ([url, body]) => {
              await fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include',
                                headers: {'Content-Type': 'text/plain'}, body})
            }""",
            [guarded.url("/api/v1/shares"), body],
        )
    assert answered.value.status == 403
    assert "cookie" not in answered.value.request.all_headers()
    read = """async (url) => {
      try { return (await (await fetch(url, {credentials: 'include'})).text()) }
      catch (error) { return String(error.name) }
    }"""
    assert page.evaluate(read, guarded.url("/auth/session")) == "TypeError"
    form = """([url, name, value]) => {
      const form = Object.assign(document.createElement('form'), {method: 'POST', action: url, enctype: 'text/plain'})
      form.append(Object.assign(document.createElement('input'), {name, value}))
      document.body.append(form)
      form.submit()
    }"""
    at = body.index(":") + 1
    with page.expect_response(guarded.url("/api/v1/shares")) as posted:
        page.evaluate(form, [guarded.url("/api/v1/shares"), body[:at], body[at:]])
    assert posted.value.status == 403
    assert guarded.ask("GET", "/api/v1/shares").json() == before


def hostile_documents(start: float, trace: str) -> list[dict[str, Any]]:
    """A root, and below it a segment of each text, which is in all of its members."""
    root = secrets.token_hex(8)
    documents: list[dict[str, Any]] = []
    for number, text in enumerate(CORPUS):
        exceptions = [
            {
                "id": secrets.token_hex(8),
                "type": text,
                "message": text,
                "stack": [{"path": text, "line": 1, "label": text}],
            }
        ]
        request = {"method": text[:20], "url": text, "user_agent": text, "client_ip": text}
        documents.append(
            {
                "trace_id": trace,
                "id": secrets.token_hex(8),
                "parent_id": root,
                "name": text,
                "user": text,
                "origin": text,
                "start_time": start + number / 100,
                "end_time": start + number / 100 + 0.5,
                "fault": True,
                "http": {"request": request, "response": {"status": 500}},
                "annotations": {f"key{number}": text},
                "metadata": {text: {text: [text]}},
                "service": {"version": text},
                "cause": {"exceptions": exceptions},
                "subsegments": [
                    {
                        "id": secrets.token_hex(8),
                        "name": text,
                        "namespace": "remote" if number % 2 else "aws",
                        "start_time": start + number / 100,
                        "end_time": start + number / 100 + 0.2,
                        "aws": {"operation": text, "table_name": text, "region": text},
                        "sql": {"sanitized_query": text, "url": text},
                        "fault": True,
                    }
                ],
            }
        )
    first = {**documents[2], "id": root, "start_time": start - 0.1, "end_time": start + 1.0}
    del first["parent_id"], first["subsegments"]
    return [first, *documents]


@pytest.fixture(scope="module")
def hostile(guarded: Guarded) -> str:
    """A trace full of markup, and a share link with some in its filter."""
    start = time.time() - 3
    trace = f"1-{int(start):08x}-{secrets.token_hex(12)}"
    sent = [json.dumps(each) for each in hostile_documents(start, trace)]
    answer = guarded.ask("POST", "/TraceSegments", {"TraceSegmentDocuments": sent})
    assert answer.json() == {"UnprocessedTraceSegments": []}
    filter = f'user = "{CORPUS[1]}"'
    window = {"from": start - 60, "to": start + 60, "filter": filter}
    assert guarded.ask("POST", "/api/v1/shares", {"map": window}).status_code == 200
    eventually(
        lambda: (
            len(guarded.ask("GET", f"/api/traces/{trace}").json().get("rows", [])) > len(CORPUS)
        ),
        "the trace is stored",
    )
    return trace


def hostile_nodes(guarded: Guarded) -> list[str]:
    """Ids of the map's nodes with a text of the corpus in their name; none before it has all."""
    now = time.time()
    nodes = guarded.ask("GET", f"/api/map?from={now - 900}&to={now}").json()["nodes"]
    ids = [each["id"] for each in nodes if "xss" in each["name"]]
    return ids if len(ids) >= len(CORPUS) else []


def assert_inert(page: Page, *, shows: str = "data-xss") -> None:
    """The text is on the page, as text, and nothing of it is markup or has run."""
    wait_until(page, f"document.body.innerText.includes({json.dumps(shows)})")
    assert page.evaluate(INJECTED) == []
    assert page.evaluate("window.__ran") == []


def test_markup_is_text_on_the_page_of_a_trace(page: Page, guarded: Guarded, hostile: str) -> None:
    """In each of its tabs, and in the details of every segment."""
    page.add_init_script(WATCH)
    sign_in(page, guarded, path=f"/traces/{hostile}")
    assert_inert(page)
    rows = page.get_by_role("treegrid").get_by_role("row")
    expect(rows.nth(2 * len(CORPUS) - 1)).to_be_attached()
    for number in range(1, 2 * len(CORPUS)):
        rows.nth(number).click()
        expect(page.get_by_role("complementary", name="Segment details")).to_be_visible()
        assert_inert(page)
    for name in ("Time by service", "Raw JSON", "Map"):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute(
            "aria-selected", "true"
        )
        page.wait_for_load_state("networkidle")
        assert_inert(page)


@pytest.mark.slow
def test_markup_is_text_in_maps_and_lists(page: Page, guarded: Guarded, hostile: str) -> None:
    """As names of services, in their panels with charts, in lists, filters, links and addresses."""
    page.add_init_script(WATCH)
    sign_in(page, guarded, path="/map?as=list&range=15m")
    assert_inert(page)
    ids = eventually(partial(hostile_nodes, guarded), "the map has all of them")
    for id in ids[:: max(1, len(ids) // 8)]:
        page.goto(guarded.url(f"/map?as=map&range=15m&sel={quote(id)}"))
        expect(page.get_by_role("complementary", name="Details")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert_inert(page, shows="xss")
    for path in ("/traces?range=15m", "/shares"):
        page.goto(guarded.url(path))
        page.wait_for_load_state("networkidle")
        assert_inert(page)
    for text in CORPUS:
        for path in (f"/traces?filter={quote(text)}", f"/traces/{quote(text, safe='')}"):
            page.goto(guarded.url(path))
            assert_inert(page, shows="Raymap")
