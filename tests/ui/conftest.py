"""A real Chromium, and a small shop whose traces the browser tests look at."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import (
    Browser,
    FloatRect,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)

from api.app import create_app
from store.memory import MemoryStore
from store.model import State
from tests.api.v1.test_impact import NOW, request
from tests.conftest import ROOT, Server, Site, start_server, stop_server
from tests.http_server import serve
from tests.ui.memory_site import MemorySite, serve_memory

PATIENCE_S = 60
REFRESH_S = 15
"""Between two refreshes of a page, unless another interval is chosen."""
expect.set_options(timeout=PATIENCE_S * 1000)  # a machine may be busy with other tests
INSTALLED = [path for path in map(shutil.which, ("chromium-headless-shell", "chromium")) if path]
CHROMIUM = os.environ.get("RAYMAP_TEST_CHROMIUM") or next(iter(INSTALLED), None)
"""Debian's, if there is one. The shell has the same engine without the windows around it, and takes half
of the CPU time for a page; it is also what Playwright downloads for this."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def raymap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all pages: on it a list of a quarter of an hour has what these tests sent, and not what others do."""
    server = start_server(tmp_path_factory.mktemp("pages") / "data")
    yield server
    assert stop_server(server) == 0


@pytest.fixture(scope="module")
def memory_site() -> Iterator[MemorySite]:
    """What a module takes for its ``site`` whose tests are about pages alone: what they draw, and how they take keys
    and requests."""
    with serve_memory() as site:
        yield site


@pytest.fixture(scope="module")
def site(raymap_server: Server) -> Site:
    """What pages are requested from, and the shop's traces are sent to."""
    return raymap_server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The one that is named or installed, else what Playwright has downloaded.

    Closed with its module: until then Playwright's event loop runs, and no test in the same process
    can run one of its own.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of a usual size; an uncaught error in it fails the test."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_S * 1000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.unroute_all(behavior="ignoreErrors")  # a request that is being answered for it
    context.close()
    assert errors == []


def wait_until(page: Page, expression: str) -> None:
    """Poll a JavaScript expression until it is true. Page.wait_for_function needs eval, which the
    console's content security policy forbids."""
    until(page, lambda: page.evaluate(expression), expression)


def until(page: Page, condition: Callable[[], object], what: str) -> None:
    """Poll a condition while the page goes on. `tests.waiting.eventually` sleeps, and meanwhile
    Playwright notes neither requests nor navigations."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        page.wait_for_timeout(50)


def until_later(page: Page, condition: Callable[[], object], what: str) -> None:
    """Poll a condition while the page's clock, which is installed, leaps from refresh to refresh."""

    def is_true() -> object:
        page.clock.fast_forward(REFRESH_S * 1000)
        return condition()

    until(page, is_true, what)


def box_at_rest(page: Page, one: Locator) -> FloatRect:
    """Where an element is once it stays there: what loads above it has moved it."""
    boxes: list[FloatRect | None] = [None]

    def rests() -> bool:
        boxes.append(one.bounding_box())
        return boxes[-1] is not None and boxes[-1] == boxes[-2]

    until(page, rests, f"{one} stays in its place")
    box = boxes[-1]
    assert box is not None
    return box


def requests_counted(server: Any, window: str, requests: Mapping[str, int]) -> bool:
    """Whether the map of a window has all requests of these services, and not only the first."""
    nodes = server.get(f"/api/map?{window}")["nodes"]
    counted = {node["name"]: node["requests"] for node in nodes if node["kind"] != "client"}
    return requests.items() <= counted.items()


class Delayed:
    """Requests of a page that are answered when the test says so."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page, self._pattern = page, pattern
        self._routes: list[Route] = []
        self._delays = True
        page.route(pattern, self._take)

    def _take(self, route: Route) -> None:
        if self._delays:
            self._routes.append(route)
        else:
            route.continue_()

    def wait(self) -> None:
        """Until the page has sent one."""
        until(self._page, lambda: self._routes, f"a request {self._pattern}")

    def stop(self) -> None:
        """Answer those that come from now on."""
        self._delays = False

    def release(self) -> None:
        """Answer all of them, once there is one."""
        self.wait()
        self.stop()
        for route in self._routes:
            route.continue_()


def show_controls(page: Page) -> None:
    """On a narrow screen time, filter and search open below the header; elsewhere they are there."""
    toggle = page.get_by_role("button", name=re.compile("^Time, filter and search"))
    expect(page.get_by_role("banner")).to_be_visible()
    if toggle.is_visible() and toggle.get_attribute("aria-expanded") == "false":
        toggle.click()


@dataclass(frozen=True)
class Shop:
    """One trace that went wrong: the storefront called payments, which timed out."""

    server: Any
    trace_id: str
    segment_id: str
    payments_id: str
    start: float
    storefront: str = "storefront"
    payments: str = "payments"
    table: str = "OrdersTable"

    def url(self, path: str) -> str:
        """An address of the running server."""
        return str(self.server.http) + path

    @property
    def window(self) -> str:
        """A range around the trace, as an address has it: its traces stay the same while time goes on."""
        return f"from={int(self.start) - 60}&to={int(self.start) + 60}"

    def node_id(self, name: str) -> str:
        """The id of a service that is no client, as the map has it."""
        window = f"from={self.start - 60}&to={self.start + 60}"
        nodes = self.server.get(f"/api/map?{window}")["nodes"]
        return next(
            str(one["id"]) for one in nodes if one["name"] == name and one["kind"] != "client"
        )

    def another(self) -> Shop:
        """The same, once more."""
        return send_shop(self.server)


def shop_documents(start: float, trace_id: str) -> list[dict[str, Any]]:
    """Two segments: the storefront with its calls, and payments with the exception it threw."""
    storefront, call, payments = (secrets.token_hex(8) for _ in range(3))
    outer, inner = secrets.token_hex(8), secrets.token_hex(8)
    return [
        {
            "trace_id": trace_id,
            "id": storefront,
            "name": "storefront",
            "origin": "AWS::Lambda::Function",
            "start_time": start,
            "end_time": start + 0.9,
            "fault": True,
            "http": {
                "request": {"method": "POST", "url": "https://shop.example/checkout"},
                "response": {"status": 502},
            },
            "annotations": {"tenant": "acme", "items": 4},
            "metadata": {"default": {"cart": {"total": 149.5}}},
            "subsegments": [
                {
                    "id": call,
                    "name": "payments",
                    "namespace": "remote",
                    "start_time": start + 0.1,
                    "end_time": start + 0.8,
                    "fault": True,
                    "http": {"response": {"status": 500}},
                },
                {
                    "id": secrets.token_hex(8),
                    "name": "OrdersTable",
                    "namespace": "aws",
                    "start_time": start + 0.82,
                    "end_time": start + 0.85,
                    "aws": {"operation": "PutItem", "table_name": "OrdersTable"},
                    "http": {"response": {"status": 200}},
                },
            ],
        },
        {
            "trace_id": trace_id,
            "id": payments,
            "parent_id": call,
            "name": "payments",
            "origin": "AWS::Lambda::Function",
            "start_time": start + 0.12,
            "end_time": start + 0.78,
            "fault": True,
            "http": {"response": {"status": 500}},
            "cause": {
                "exceptions": [
                    {
                        "id": outer,
                        "type": "PaymentError",
                        "message": "the order could not be paid",
                        "cause": inner,
                        "stack": [{"path": "payments/handler.py", "line": 88, "label": "handler"}],
                    },
                    {"id": inner, "type": "UpstreamTimeout", "message": "no answer within 800 ms"},
                ]
            },
        },
    ]


def send_shop(server: Any) -> Shop:
    """Deliver a fresh trace of the shop."""
    start = time.time() - 2
    trace_id = f"1-{int(start):08x}-{secrets.token_hex(12)}"
    documents = shop_documents(start, trace_id)
    server.send(*documents)
    server.picture("storefront", "payments", "OrdersTable")
    return Shop(server, trace_id, documents[0]["id"], documents[1]["id"], start)


@pytest.fixture
def shop(site: Any) -> Shop:
    """The shop, with a trace of a moment ago."""
    return send_shop(site)


@pytest.fixture(scope="module")
def lasting_shop(site: Any) -> Shop:
    """The shop for tests that only look at it: sent once in a module."""
    return send_shop(site)


@pytest.fixture
def url() -> Iterator[str]:
    """A site with eight requests, one of which faults."""
    store = MemoryStore()
    for number in range(8):
        documents = request(number, needs_stock=number < 2)
        if number == 1:
            documents[0] = replace(documents[0], state=State.FAULT)
        store.put(documents, str(number))
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: float(NOW))
    with serve(app) as url:
        yield url


@pytest.fixture
def no_one_signs_in(page: Page) -> None:
    """As a server without users says it."""
    session = {"name": None, "role": None, "via": None, "tenant": ""}
    page.route("**/auth/session", lambda route: route.fulfill(json=session))
