"""A server slower than the refresh interval: every page still shows its answer, and says that it waits."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.ui.conftest import until, wait_until
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: the page delays its requests itself."""
    return memory_site


DELAY_S = 12
SLOW_FETCH = """
  localStorage.setItem('raymap.refresh', '5')
  window.__started = []
  window.__answered = 0
  const fetchNow = window.fetch
  window.fetch = (url, options) => new Promise((resolve, reject) => {
    if (String(url).includes('/api/status')) return fetchNow(url, options).then(resolve, reject)
    window.__started.push([String(url), window.__answered])
    const timer = setTimeout(() => {
      window.__answered++
      fetchNow(url, options).then(resolve, reject)
    }, DELAY_MS)
    options?.signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(options.signal.reason)
    })
  })
""".replace("DELAY_MS", str(DELAY_S * 1000))
MAPS = "window.__started.filter(([url]) => url.includes('/api/map'))"
"""Requests for the map, each with the number of requests that had been answered before."""


@pytest.fixture
def slow_page(page: Page) -> Page:
    """A page whose requests take twelve seconds of its clock, refreshed every five."""
    page.clock.install()
    page.add_init_script(SLOW_FETCH)
    return page


def pass_until_visible(page: Page, wanted: Locator) -> None:
    """Let the page's clock go on; answers of the server take real time beside it."""

    def is_there() -> bool:
        page.clock.fast_forward(500)
        return wanted.is_visible()

    until(page, is_there, f"{wanted} is visible")


def test_the_map_appears_and_the_wait_is_announced(slow_page: Page, shop: Any) -> None:
    """Refreshes fall into the wait; none may start over."""
    slow_page.goto(shop.url("/map?test=1"))
    waiting = slow_page.get_by_text(re.compile(r"taking longer than usual \(\d+ s\)"))
    pass_until_visible(slow_page, waiting)
    pass_until_visible(slow_page, slow_page.locator("[data-node]").first)
    assert slow_page.evaluate(f"{MAPS}.filter(([, answered]) => answered === 0).length") == 1


def test_the_details_appear(slow_page: Page, shop: Any) -> None:
    """The panel's request is not restarted by the map's refreshes either."""
    node = shop.node_id(shop.payments)
    slow_page.goto(shop.url(f"/map?sel={node}"))
    details = slow_page.get_by_role("complementary", name="Details")
    pass_until_visible(slow_page, details)
    pass_until_visible(slow_page, details.get_by_role("row", name=re.compile("^p95")))


def test_the_list_and_its_chart_appear(slow_page: Page, shop: Any) -> None:
    """Both requests of the page run side by side."""
    slow_page.goto(shop.url("/traces"))
    pass_until_visible(slow_page, slow_page.locator(f'a[href^="/traces/{shop.trace_id}"]'))
    chart = slow_page.get_by_role("img", name=re.compile("^Response times of"))
    pass_until_visible(slow_page, chart)


def test_another_range_does_not_wait_for_the_one_before(slow_page: Page, shop: Any) -> None:
    """Only a refresh waits; another range is requested at once."""
    slow_page.goto(shop.url("/map"))
    wait_until(slow_page, f"{MAPS}.length === 1")
    slow_page.keyboard.press("[")
    wait_until(slow_page, f"{MAPS}.length === 2")
    assert slow_page.evaluate(f"{MAPS}[1][1]") == 0, "before the one before was answered"
