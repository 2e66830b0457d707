"""The states of a state machine in the panel of its node, two days ago: other tests look at now."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.graph.test_state_flow import execution
from tests.ui.conftest import requests_counted
from tests.waiting import eventually

pytestmark = pytest.mark.browser


def test_the_panel_shows_the_flow_of_a_state_machine(page: Page, raymap_server: Any) -> None:
    """From top to bottom, with what follows each state; a machine that fails ends early."""
    start = int(time.time()) - 2 * 86_400
    name = f"order-{secrets.token_hex(3)}"
    for number, (states, fails) in enumerate(
        [(("Reserve", "Charge", "Ship"), ""), (("Reserve", "Reserve", "Charge"), "Charge")]
    ):
        document = execution(number + 1, *states, fails=fails, name=name)
        document["trace_id"] = f"1-{start:08x}-{secrets.token_hex(12)}"
        for each in (document, *document["subsegments"]):
            each["start_time"] += start
            each["end_time"] += start
        for state in document["subsegments"]:
            state["subsegments"] = []
        raymap_server.send(document)
    window = f"from={start - 60}&to={start + 60}"

    eventually(
        lambda: requests_counted(raymap_server, window, {name: 2}), "the map has both executions"
    )
    page.goto(f"{raymap_server.http}/map?test=1&{window}")
    page.get_by_role("button", name=re.compile(f"^{name}, (?!client)")).first.click()
    flow = page.get_by_role("region", name="States")
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_text("Statuses over time")).to_be_visible()
    expect(flow).to_have_count(1)
    expect(flow).to_contain_text("2 executions")
    expect(flow.get_by_role("listitem")).to_have_text(
        [
            re.compile(r"^Reserve3.*↓ 2 · again 1$"),
            re.compile(r"^Charge2.*↓ 1 · ends 1$"),
            re.compile(r"^Ship1.*ends 1$"),
        ]
    )
