"""The panel of a model and of an edge to it says operations and tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import SECOND
from tests.api.v1.test_genai import CHAT, TOOL, put, tokens
from tests.builders import T0
from tests.conftest import ROOT
from tests.http_server import serve

pytestmark = pytest.mark.browser

SHOP, MODEL, TOOLS = (
    node_id(NodeKey("", name, type))
    for name, type in (("shop", ""), ("openai", "GenAI::Model"), ("tools", "GenAI::MCP"))
)
WINDOW = f"from={T0 // SECOND}&to={T0 // SECOND + 900}"


@pytest.fixture
def url() -> Iterator[str]:
    """A console of a shop that asks a model, which costs, and a tool."""
    store = MemoryStore()
    small = {**CHAT, "gen_ai.request.model": "gpt-5-mini", "gen_ai.usage.cost": 0.002}
    for number in range(1, 31):
        put(store, number, (0, {**CHAT, **tokens(400 + number, 80)}), (0, TOOL))
        put(store, 100 + number, (0, {**small, **tokens(90, 9)}), (0, {"server.address": "plain"}))
    put(store, 99, (0, {**CHAT, **tokens(1, 1)}))
    with serve(create_app(store, version="1", static_dir=ROOT / "ui/dist")) as url:
        yield url


def test_operations_of_a_model_and_of_a_tool(page: Page, url: str) -> None:
    usage = page.get_by_role("region", name="Operations")
    for place in (MODEL, f"{SHOP}:{MODEL}"):
        page.goto(f"{url}/map?{WINDOW}&sel={place}")
        expect(usage.get_by_role("row")).to_have_text(
            [
                "OperationCallsInputOutputCost",
                "chat · gpt-531" + "12,466" + "2,401",
                "chat · gpt-5-mini30" + "2,700" + "270" + "$0.0600",
            ]
        )
    page.goto(f"{url}/map?{WINDOW}&sel={TOOLS}")
    expect(usage.get_by_role("row")).to_have_text(
        ["OperationCallsInputOutput", "tools/call · search30––"]
    )


def test_each_number_leads_to_its_traces(page: Page, url: str) -> None:
    """Of a node, of an edge, and of what several callers do; a request that calls another model is not among them."""
    usage = page.get_by_role("region", name="Operations")
    for place in (MODEL, f"{SHOP}:{MODEL}"):
        for row, traces in (("chat · gpt-5", 31), ("chat · gpt-5-mini", 30)):
            page.goto(f"{url}/map?{WINDOW}&sel={place}")
            cells = usage.get_by_role("row").filter(
                has=page.get_by_role("rowheader", name=row, exact=True)
            )
            numbers = cells.get_by_role("link")
            expect(numbers).to_have_count(3 if row == "chat · gpt-5" else 4)
            numbers.first.click()
            expect(page).to_have_url(re.compile("/traces"))
            expect(page.get_by_text(f"{traces} traces").first).to_be_visible()


def test_what_is_no_model_has_none(page: Page, url: str) -> None:
    page.goto(f"{url}/map?{WINDOW}&sel={SHOP}")
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_text(re.compile("Statuses over time"))).to_be_visible()
    expect(page.get_by_role("region", name="Operations")).to_have_count(0)
