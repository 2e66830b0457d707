"""Makes the pictures of the tour, docs/pictures/: a shop, an hour of its past, a bad deployment, and what the console says.

A server of its own with the demo's traffic, in which nothing goes wrong by itself. Eight minutes, most of which it waits:
what is usual is learnt from an hour, and a problem is judged minute by minute. Needs Chromium, as the tests do.

    python -m bench.pictures
    python -m bench.pictures --url http://127.0.0.1:2000 --only trace   # of a server that runs already
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect, sync_playwright
from rich.console import Console
from rich.text import Text

from bench.bad_deployment import calm_shop
from bench.png import with_palette
from bench.server import ROOT

FOLDER = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1440, 900
LARGEST = 150_000
"""Bytes of a picture."""
WINDOW = "range=15m"
SECONDS = 120
"""Within which a page has to have loaded."""
LOADING = re.compile("Loading|still being counted|Comparing…")
COLUMNS = 112
COMMANDS = (
    "stats fault --by exception,version --from -15m",
    "traces fault --from -15m --limit 5",
    "map --from -15m",
)
"""What is typed in the picture of a terminal."""
CATALOG = 'service(id(name: "catalog", type: "AWS::Lambda::Function"))'


def read(url: str) -> Any:
    """The JSON of a GET."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def show_map(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")


def show_problem(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}")
    page.locator(".problem-line").first.click()


def show_compare(page: Page, url: str) -> None:
    """The minutes since the deployment beside those before it."""
    page.goto(f"{url}/map?{WINDOW}&against=deployment")
    expect(page.get_by_text("Inner ring:")).to_be_visible(timeout=SECONDS * 1000)
    page.keyboard.press("0")  # the map's part of the page is smaller by the words of the comparison


def show_trace(page: Page, url: str) -> None:
    """A request that failed in the new version."""
    filter = quote(f'service("shop-web") {{ fault }} AND {CATALOG} {{ fault }}')
    trace = read(f"{url}/api/v1/traces?from=-10m&limit=1&filter={filter}")["traces"][0]["id"]
    page.goto(f"{url}/traces/{trace}")


def show_differences(page: Page, url: str) -> None:
    page.goto(f"{url}/traces?{WINDOW}&filter={quote(CATALOG + ' { fault }')}")
    page.get_by_role("button", name="What sets these apart").click()


def show_declared(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&declared=1")


def show_versions(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&group_by=version")


def show_alarm(page: Page, url: str) -> None:
    page.goto(f"{url}/alarms?edit=catalog-canary")


def show_terminal(page: Page, url: str) -> None:
    """A session in a terminal, as it is coloured there."""
    screen = Console(record=True, file=StringIO(), width=COLUMNS)
    environment = {**os.environ, "RAYMAP_URL": url, "COLUMNS": f"{COLUMNS}", "FORCE_COLOR": "1"}
    for command in COMMANDS:
        screen.print(Text(f"$ raymap {command}", "bold"))
        words = [sys.executable, "-m", "raymap", *shlex.split(command)]
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        screen.print(Text.from_ansi(done.stdout))
    page.set_content(screen.export_html(inline_styles=True))


CALM: Mapping[str, Callable[[Page, str], None]] = {"map": show_map}
ILL: Mapping[str, Callable[[Page, str], None]] = {
    "problem": show_problem,
    "compare": show_compare,
    "trace": show_trace,
    "differences": show_differences,
    "declared": show_declared,
    "versions": show_versions,
    "alarm": show_alarm,
    "terminal": show_terminal,
}
"""Pictures by name: before the deployment, and after it."""


TALLER = {"compare": 100}
"""Pixels by which a window is higher, where words above the map would leave no room for figures."""
PARTS = {"trace": (0, 540), "declared": (134, 696)}
"""Of pages that have little below, or that are about one part: where it begins, and how high it is."""


def take(pictures: Mapping[str, Callable[[Page, str], None]], url: str, folder: Path) -> None:
    """Write each picture once its page has come to rest."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        for name, show in pictures.items():
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT + TALLER.get(name, 0)},
                color_scheme="light",
            )
            page.set_default_timeout(SECONDS * 1000)
            show(page, url)
            page.wait_for_timeout(1_000)
            expect(page.get_by_text(LOADING)).to_have_count(0, timeout=SECONDS * 1000)
            page.wait_for_timeout(2_000)  # the map settles
            top, height = PARTS.get(name, (0, HEIGHT + TALLER.get(name, 0)))
            data = with_palette(
                page.screenshot(clip={"x": 0, "y": top, "width": WIDTH, "height": height})
            )
            (folder / f"{name}.png").write_bytes(data)
            print(f"{name}.png  {len(data) / 1000:.0f} kB{'  too large' * (len(data) > LARGEST)}")
            page.close()
        browser.close()


def chromium() -> str | None:
    """The browser that tests use; None for Playwright's own."""
    found = map(shutil.which, ("chromium-headless-shell", "chromium"))
    return os.environ.get("RAYMAP_TEST_CHROMIUM") or next(filter(None, found), None)


def play(folder: Path, data: Path) -> None:
    """The whole story on a server of its own, with its data in a folder."""
    with calm_shop(data) as (url, deploy):
        take(CALM, url, folder)
        deploy()
        take(ILL, url, folder)


def main() -> None:
    """Take the pictures, of a server of its own or of one that runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of a server that runs already")
    parser.add_argument("--only", default="", help="pictures, comma-separated")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--data", type=Path, help="a folder for the data of its own server, which stays"
    )
    options = parser.parse_args()
    if not options.url:
        with tempfile.TemporaryDirectory() as temporary:
            play(options.folder, options.data or Path(temporary))
        return
    every = {**CALM, **ILL}
    only = options.only.split(",") if options.only else every
    take({name: every[name] for name in only}, options.url, options.folder)


if __name__ == "__main__":
    main()
