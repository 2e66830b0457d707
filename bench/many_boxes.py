"""A map of ten thousand services in a browser: the first picture, a box that opens, a search.

    python -m bench.many_boxes --services 10000

What `bench.groups` sends, in Chromium at 1440 × 900. A box opens in its place: all pixels outside its frame and its shadow are
compared with those of before.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Sequence

from playwright.sync_api import Page, Position, expect, sync_playwright

from bench.groups import GroupReads, names, send
from bench.server import running
from tests.ui.conftest import CHROMIUM, FLAGS
from tests.ui.test_boxes import beside, differences, places

ROUNDS = 5
WANTED = "team31-0"
TITLE = Position(x=12, y=10)
"""Within the box: at its centre there may be the name of an unhealthy service, a button of its own."""
DRAWN = """() => new Promise((resolve) => {
  const look = () => document.querySelector('[data-box]')
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    : requestAnimationFrame(look)
  look()
})"""
"""Milliseconds from the navigation until boxes are on the screen."""
FOUND = """(text) => new Promise((resolve) => {
  const box = document.querySelector('input[aria-label="Find a service"]')
  const begun = performance.now()
  const look = () => [...document.querySelectorAll('.hidden-matches button')].some((each) => each.textContent.includes(text))
    ? resolve(performance.now() - begun)
    : setTimeout(look, 1)
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(box, text)
  box.dispatchEvent(new Event('input', { bubbles: true }))
  look()
})"""
"""Milliseconds from the last key until a service is offered."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--services", type=int, default=10_000)
    options = parser.parse_args()
    with running() as server, sync_playwright() as playwright:
        chains = names(options.services)
        window = send(server, chains)
        GroupReads(server, window, 1, chains).until_counted(options.services)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        size = {"width": 1440, "height": 900}
        page = chromium.new_context(viewport=size, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
        page.set_default_timeout(60_000)
        begin, end = window
        url = f"{server.http}/map?test=1&boxes=prefix&from={begin}&to={end}"
        firsts = [_first(page, url) for _ in range(ROUNDS + 1)]
        print(f"first picture: {_spread(firsts[1:])}, the very first {firsts[0]:.0f} ms")
        print(f"boxes: {page.locator('[data-box]').count()}")
        taken, changed = _openings(page)
        print(f"a box opens: {_spread(taken)}; values of pixels beside it that changed: {changed}")
        print(
            f"a search: {_spread([page.evaluate(FOUND, WANTED + str(n)) for n in range(ROUNDS)])}"
        )
        chromium.close()


def _first(page: Page, url: str) -> float:
    page.goto(url, wait_until="commit")
    return float(page.evaluate(DRAWN))


def _openings(page: Page) -> tuple[list[float], int]:
    """Milliseconds until the services of a box are drawn, and how many values of pixels beside it are others when it is
    closed. Raises if a box has another place."""
    taken, changed = [], 0
    ids = page.locator("[data-box]").evaluate_all("all => all.map((one) => one.dataset.box)")
    for id in ids[:: max(1, len(ids) // ROUNDS)][:ROUNDS]:
        before = places(page)
        button = page.locator(f"[data-box='{id}']")
        begun = time.monotonic()
        button.click(position=TITLE)
        frame = page.locator(".box-frame")
        frame.locator("[data-node]").first.wait_for(state="attached")
        taken.append((time.monotonic() - begun) * 1000)
        place = frame.bounding_box()
        assert place
        around = beside(page, place)
        assert places(page) == before
        page.get_by_role("button", name=re.compile("^Close ")).first.click()
        expect(frame).to_have_count(0)
        for was, now in zip(around, beside(page, place), strict=True):
            changed += differences(page, was, now)
    return taken, changed


def _spread(taken: Sequence[float]) -> str:
    return f"{statistics.median(taken):.0f} ms (median of {len(taken)}; {min(taken):.0f} to {max(taken):.0f})"


if __name__ == "__main__":
    main()
