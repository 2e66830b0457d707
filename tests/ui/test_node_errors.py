"""A function's panel has its errors by each source; what is not known is drawn so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.model import NodeKey
from store.times import MINUTE, SECOND
from tests.api.v1.test_errors import FUNCTION, WINDOW, Function
from tests.builders import T0
from tests.conftest import ROOT
from tests.http_server import serve
from tests.lambda_samples import ACCOUNT, REGION

pytestmark = pytest.mark.browser

CHECKOUT = node_id(NodeKey(ACCOUNT, "checkout", FUNCTION, REGION))
Open = Callable[[Function], str]


@pytest.fixture
def console() -> Iterator[Open]:
    """Serves a console of a function; its URL."""
    with ExitStack() as stack:

        def open_console(function: Function) -> str:
            now = (T0 + 30 * MINUTE) / SECOND
            static = ROOT / "ui/dist"
            app = create_app(function.store, version="1", static_dir=static, clock=lambda: now)
            return stack.enter_context(serve(app))

        yield open_console


def test_each_count_leads_to_its_traces(page: Page, console: Open) -> None:
    function = Function()
    function.put_records(lines=True, spans=True)
    function.put_points("AWS/Lambda", 20, 2)
    page.goto(f"{console(function)}/map?{WINDOW}&sel={CHECKOUT}")
    errors = page.get_by_role("region", name="Errors by source")
    expect(errors.get_by_role("cell", name="2", exact=True)).to_have_count(3)
    expect(errors.get_by_role("alert")).to_have_count(0)
    errors.get_by_role("row").filter(has_text="Logs").get_by_role("link", name="2").click()
    expect(page).to_have_url(re.compile("/traces"))
    expect(page.get_by_text("2 traces").first).to_be_visible()


def test_sources_that_disagree_and_outcomes_that_nothing_knows(page: Page, console: Open) -> None:
    function = Function()
    function.put_records(lines=False)
    function.put_points("AWS/Lambda", 20, 2)
    page.goto(f"{console(function)}/map?{WINDOW}&sel={CHECKOUT}")
    errors = page.get_by_role("region", name="Errors by source")
    expect(errors.get_by_role("alert")).to_contain_text("The sources disagree.")
    expect(errors.get_by_text("No source: Logs, Spans")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("checkout.*100 % Unknown"))).to_have_count(1)
    legend = page.get_by_role("group", name="Legend")
    expect(legend.get_by_role("button", name=re.compile("Unknown"))).to_contain_text("1")
    panel = page.get_by_role("complementary", name="Details")
    panel.get_by_role("row", name=re.compile("^Unknown")).get_by_role("link").click()
    expect(page.get_by_text("20 traces").first).to_be_visible()
