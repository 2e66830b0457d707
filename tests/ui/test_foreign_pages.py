"""Attacks of a web page in the user's browser: reading by DNS rebinding, writing across sites."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.ui.conftest import CHROMIUM, FLAGS, Shop, shop_documents

FOREIGN = "attacker.example"
READ = """async url => { const answer = await fetch(url); return [answer.status, await answer.text()] }"""
WRITE = """async ([url, type, body]) => {
  await fetch(url, {method: 'POST', mode: 'no-cors', headers: {'Content-Type': type}, body})
}"""
PIN = "async url => (await fetch(url, {method: 'PUT'})).status"
UNPIN = "async url => (await fetch(url, {method: 'DELETE'})).status"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium that resolves the attacker's name to this machine, as a rebinding name server does."""
    rules = f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=[*FLAGS, rules]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def foreign_site() -> Iterator[str]:
    """The attacker's own web server: an empty page, at the attacker's name."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>attack</title>")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{FOREIGN}:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_rebound_name_reads_no_traces(page: Page, shop: Shop) -> None:
    """The page's origin is the attacker's name, its address this server's: requests are same-origin."""
    page.goto(f"http://{FOREIGN}:{urlsplit(shop.url('/')).port}/")
    status, text = page.evaluate(READ, f"/api/traces/{shop.trace_id}")
    assert status == 421
    assert shop.trace_id not in text
    assert page.evaluate(PIN, f"/api/traces/{shop.trace_id}/pin") == 421


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_page_of_another_site_writes_no_traces(
    page: Page, shop: Shop, foreign_site: str, type: str
) -> None:
    """A browser sends such a POST without a preflight; only the server can refuse it."""
    trace_id = f"1-{int(time.time()):08x}-{time.time_ns():024x}"
    documents = [json.dumps(each) for each in shop_documents(time.time() - 5, trace_id)]
    body = json.dumps({"TraceSegmentDocuments": documents})
    statuses: list[int] = []
    page.on("response", lambda r: statuses.append(r.status) if r.request.method == "POST" else None)
    page.goto(foreign_site)
    with page.expect_response(shop.url("/TraceSegments")):
        page.evaluate(WRITE, [shop.url("/TraceSegments"), type, body])
    assert statuses == [403]
    assert httpx.get(shop.url(f"/api/traces/{trace_id}"), timeout=30).status_code == 404
    accepted = httpx.post(
        shop.url("/TraceSegments"), content=body, timeout=30
    )  # as an SDK sends it
    assert (accepted.status_code, accepted.json()) == (200, {"UnprocessedTraceSegments": []})


def test_the_consoles_own_page_may_write(page: Page, shop: Shop) -> None:
    page.goto(shop.url("/"))
    assert page.evaluate(PIN, f"/api/traces/{shop.trace_id}/pin") == 200
    assert page.evaluate(UNPIN, f"/api/traces/{shop.trace_id}/pin") == 204
