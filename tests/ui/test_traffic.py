"""What a tab of the console requests when it opens, and while it is left alone. As Chromium counts it."""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import until

pytestmark = pytest.mark.browser

BUDGET = 180_000
"""Bytes of a first load on the wire, headers included."""
FIRST_SECONDS = 10
IDLE_REQUESTS = 15
IDLE_SECONDS = 120
STEP = 5
"""Seconds of a fake clock that pass at once: less than any two polls of one thing are apart."""


class Loaded(NamedTuple):
    """An answer that the browser received whole."""

    path: str
    size: int


class Network:
    """What the browser received since it was attached."""

    def __init__(self, page: Page) -> None:
        self.loaded: list[Loaded] = []
        self._urls: dict[str, str] = {}
        events = page.context.new_cdp_session(page)
        events.on("Network.requestWillBeSent", self._sent)
        events.on("Network.loadingFinished", self._finished)
        events.on("Network.loadingFailed", self._failed)
        events.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["request"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        url = urlsplit(self._urls.pop(event["requestId"], ""))
        if url.scheme == "http":
            self.loaded.append(Loaded(url.path, round(event["encodedDataLength"])))

    def _failed(self, event: dict[str, Any]) -> None:
        self._urls.pop(event["requestId"], None)

    def waits(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self._urls)


@pytest.fixture
def rolled_out(raymap_server: Any) -> str:
    """Four services, to each of which a version was deployed a moment ago. The last one's name."""
    names = [f"rolled-{number}-{secrets.token_hex(3)}" for number in range(4)]
    start = time.time() - 2
    for name in names:
        raymap_server.send(*(document(start, name, version) for version in ("1", "2")))
        report = {"service": name, "version": "2", "at": start}
        raymap_server.post("/api/v1/deployments", report)
    raymap_server.picture(names[-1])
    return names[-1]


def document(at: float, service: str, version: str) -> dict[str, Any]:
    """A segment of a service's version."""
    return {
        "trace_id": f"1-{int(at):08x}-{secrets.token_hex(12)}",
        "id": secrets.token_hex(8),
        "name": service,
        "origin": "AWS::ECS::Container",
        "start_time": at,
        "end_time": at + 0.2,
        "service": {"version": version},
    }


def pass_seconds(page: Page, network: Network, seconds: int) -> None:
    """Of the page's clock, which goes on by itself, too; what it requests is answered before the next."""
    end = page.evaluate("Date.now()") + seconds * 1000
    while (left := end - page.evaluate("Date.now()")) > 0:
        page.clock.fast_forward(round(min(left, STEP * 1000)))
        page.wait_for_timeout(200)
        until(page, lambda: not network.waits(), "every request is answered")


@pytest.mark.parametrize("path", ["/map?range=15m", "/traces?range=15m"])
def test_the_first_ten_seconds_stay_small(page: Page, lasting_shop: Any, path: str) -> None:
    """All that the browser fetched, whether the page waits for it or not. Charts are counted where
    the page shows them; a page that shows none has neither them nor the filter's editor."""
    page.clock.install()
    network = Network(page)
    page.goto(lasting_shop.url(path))
    pass_seconds(page, network, FIRST_SECONDS)
    fetched = [one for one in network.loaded if "plotly" not in one.path]
    assert {"/api/map", "/api/traces"} & {one.path for one in fetched}
    assert sum(one.size for one in fetched) <= BUDGET, fetched
    assert not [one for one in network.loaded if "FilterEditor" in one.path]
    assert path.startswith("/traces") or len(fetched) == len(network.loaded)


def test_an_idle_map_requests_little(page: Page, raymap_server: Any, rolled_out: str) -> None:
    """Two minutes of a tab that shows deployments of four services."""
    page.clock.install()
    page.goto(f"{raymap_server.http}/map?range=15m")
    legend = page.get_by_role("group", name="Legend")
    expect(legend).to_contain_text("Inner ring new version")
    network = Network(page)
    pass_seconds(page, network, IDLE_SECONDS)
    paths = sorted(one.path for one in network.loaded)
    assert sum(path == "/api/map" for path in paths) >= 5
    assert len(paths) <= IDLE_REQUESTS, paths
