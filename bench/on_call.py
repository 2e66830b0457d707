"""Ten questions of an engineer on call, answered in the console on the demo's traffic: clicks, keys, seconds.

    python -m bench.on_call                                  # a server of its own, after a bad deployment; ten minutes
    python -m bench.on_call --url http://127.0.0.1:2000      # one that runs with --demo
    python -m bench.on_call --url http://127.0.0.1:2000 --only c,j --pictures /tmp/on_call

What is usual is known after 30 to 45 minutes of traffic, problems after an hour: a demo has to have run that long, and the shop of
`bench.bad_deployment` has an hour of its past. Each way ends where the answer is on the screen; a question without
one is said to be open. Seconds are those of the machine and its load, clicks and keys are not.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from bench.bad_deployment import calm_shop
from bench.sections import table
from tests.ui.conftest import CHROMIUM, FLAGS

PATIENCE_S = 180
SIZE = {"width": 1440, "height": 900}
FAILING, SLOW, TABLE = "catalog", "shop-web", "orders"
"""Of the demo: what fails, what is slow because of others, and a table."""


class Hand:
    """What an engineer does, counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = 0

    def click(self, what: Locator) -> None:
        """Click the first of what is found."""
        what.first.click()
        self.clicks += 1

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def type(self, text: str) -> None:
        """Type a text, a key for each character."""
        self.page.keyboard.type(text)
        self.keys += len(text)

    def node(self, name: str) -> Locator:
        """Open the panel of a node of the map, not of the client of its name."""
        self.click(self.page.locator(f"[data-node][aria-label^='{name}, AWS']"))
        return self.page.locator("aside").first

    def faults(self, name: str) -> None:
        """Open the list of what failed at a node."""
        self.click(
            self.node(name).get_by_role("row").filter(has_text="Faults").get_by_role("link").first
        )

    def first_trace(self) -> None:
        """Open the first trace of a list."""
        self.click(self.page.locator("main tbody a[href*='/traces/']"))


def sees(what: Locator) -> str:
    """The text of the first of what is found, once it is on the screen."""
    what.first.wait_for()
    return " ".join(what.first.inner_text().split())


def why_it_fails(hand: Hand) -> str:
    """The exception, and since when, which the line of a problem says."""
    hand.faults(FAILING)
    hand.first_trace()
    return sees(
        hand.page.locator("dt", has_text="First fault").locator("xpath=following-sibling::dd")
    )


def since_when(hand: Hand) -> str:
    """The line of a problem above the map; no click."""
    return sees(hand.page.locator(".problem-line"))


def which_downstream(hand: Hand) -> str:
    """Where the time of a slow trace went, by service."""
    panel = hand.node(SLOW)
    hand.click(panel.get_by_role("row").filter(has_text="p95").get_by_role("link"))
    hand.first_trace()
    hand.click(hand.page.get_by_role("tab", name="Time by service"))
    return sees(hand.page.get_by_role("table", name="Time by service").locator("tbody tr"))


def what_changed(hand: Hand) -> str:
    """The comparison with the period before."""
    hand.press("c")
    status = hand.page.get_by_role("region", name="Compared in time").get_by_role("status")
    return sees(status.filter(has_text=re.compile(r"slower|fail|differ|new|vanished|more|faster")))


def who_is_affected(hand: Hand) -> str:
    """What sets the failed requests apart: customers, tenants, versions."""
    hand.faults(FAILING)
    hand.click(hand.page.get_by_role("button", name="What sets these apart?"))
    return sees(hand.page.locator(".compared-sets"))


def who_calls(hand: Hand) -> str:
    """The callers of a table, with their calls."""
    panel = hand.node(TABLE)
    return sees(panel.locator("h3:text-is('Called by') + *"))


def traces_of_a_user(hand: Hand) -> str:
    """The map of one user's traces, from a value that the filter offers."""
    page = hand.page
    hand.click(page.get_by_label("Filter", exact=True))
    hand.type('user = "')
    sees(page.get_by_role("option").filter(has_text="user-"))
    hand.press("ArrowDown", "Enter", "Enter")
    return sees(page.get_by_role("status").filter(has_text="Counted from"))


def send_a_link(hand: Hand) -> str:
    """A link to what is shown, in the clipboard."""
    hand.node(FAILING)
    hand.click(hand.page.get_by_role("button", name=re.compile("^Share")))
    hand.click(hand.page.get_by_title(re.compile("^Copy (the|a) link")))
    return str(hand.page.evaluate("navigator.clipboard.readText()"))


def alarm_from_this(hand: Hand) -> str:
    """A saved alarm on the faults of a node."""
    panel = hand.node(FAILING)
    hand.click(panel.get_by_role("link", name="Alarm", exact=True))
    hand.click(hand.page.get_by_role("button", name=re.compile("^(Save|Create)")))
    return sees(hand.page.get_by_role("table").filter(has_text=FAILING))


def why_no_edge(hand: Hand) -> str:
    """Why calls of a node end nowhere, or that none does."""
    panel = hand.node(FAILING)
    hand.click(panel.get_by_text("Why is an edge missing?"))
    return sees(panel.locator(".missing h4, .missing p:not([role])"))


def what_is_normal(hand: Hand) -> str:
    """The lanes of a node over the day, with the band of what is usual."""
    hand.node(FAILING)
    hand.page.locator("path.usual[d^='M']").first.wait_for(state="attached")
    return "usual requests and times beside those of now"


class Task(NamedTuple):
    """A question, and the way to its answer."""

    letter: str
    question: str
    answer: Callable[[Hand], str]


TASKS = [
    Task("a", "something fails: since when", since_when),
    Task("a", "something fails: why", why_it_fails),
    Task("b", "something is slow: which downstream", which_downstream),
    Task("c", "what changed", what_changed),
    Task("d", "who is affected", who_is_affected),
    Task("e", "who calls this table", who_calls),
    Task("f", "one user's traces", traces_of_a_user),
    Task("g", "send a link to this", send_a_link),
    Task("h", "an alarm from this", alarm_from_this),
    Task("i", "why is this edge missing", why_no_edge),
    Task("j", "what is normal", what_is_normal),
]
"""The ten tasks of an engineer on call; the first has two answers."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="a server that runs with --demo; default: one of its own")
    parser.add_argument("--only", default="", help="letters, separated by commas; all by default")
    parser.add_argument("--pictures", type=Path, help="a folder for what was on the screen")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    with _shop(options.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        head, *lines = table(("", "question", "clicks", "keys", "seconds", "answer"), ())
        print(head, *lines, sep="\n")
        for each in TASKS:
            if not only or each.letter in only:
                print(f"| {' | '.join(_row(browser, url, each, options.pictures))} |", flush=True)


@contextmanager
def _shop(url: str | None) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as data, calm_shop(Path(data)) as (own, deploy):
        deploy()
        yield own


def _row(browser: Browser, url: str, task: Task, pictures: Path | None) -> list[str]:
    allowed = ["clipboard-read", "clipboard-write"]
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce", permissions=allowed)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(f"{url}/map?range=15m")
    page.locator("[data-node]").first.wait_for()
    hand, begun = Hand(page), time.monotonic()
    try:
        answer = task.answer(hand)
    except Error as error:
        answer = f"open: {str(error).splitlines()[0]}"
    seconds = time.monotonic() - begun
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=pictures / f"{task.letter}-{task.answer.__name__}.png")
    context.close()
    figures = [str(hand.clicks), str(hand.keys), f"{seconds:.1f}"]
    return [task.letter, task.question, *figures, answer[:90]]


if __name__ == "__main__":
    main()
