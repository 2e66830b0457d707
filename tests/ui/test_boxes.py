"""A large map in boxes: one opens where it is and nothing else moves, and what is searched for is found in its box."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Page, Route, expect

from api.graph.groups import MOST_APART
from tests.ui.conftest import Shop, box_at_rest, until
from tests.ui.maps import (
    COUNTS,
    SHAPE,
    TIMES,
    grid_map,
    map_edge,
    map_node,
    serve_comparison,
    serve_map,
    service_map,
)
from tests.ui.memory_site import MemorySite

BOXES = 24
SHADOW = 24
"""Pixels around a frame that its shadow may reach."""
SMOOTHED = 24
"""By how much a pixel may differ that nothing has moved: rounded corners are smoothed anew. A border that
moved differs by twice as much, a text by six times."""


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: every map here is the test's own."""
    return memory_site


def box(number: int) -> dict[str, Any]:
    """A group of 150 services, of which every sixth has an unhealthy one."""
    ill = [{"id": "service-0000", "name": "pay-api", "requests": 9, "failed": 3, "fault": 3}]
    shown = ill if number % 6 == 0 else []
    return map_node(
        f"b{number}",
        x=100 + number % 6 * 200,
        y=64 + number // 6 * 128,
        name=f"team{number:02}",
        type="",
        box={
            "members": 150,
            "reporting": 140,
            "figures": "arrivals",
            "work": {"requests": 300, "ok": 297, "error": 0, "throttle": 0, "fault": 3},
            "unhealthy": shown,
            "unhealthy_total": len(shown),
        },
    )


def boxed() -> dict[str, Any]:
    nodes = [box(number) for number in range(BOXES)]
    edges = [map_edge(nodes[at], nodes[at + 1]) for at in range(BOXES - 1)]
    level = {"by": "prefix", "trail": [], "edges_left_out": 0}
    return service_map(nodes, edges, boxes=level, left_out=3600, total_nodes=3600)


def members(id: str) -> dict[str, Any]:
    trail = [{"by": "prefix", "id": id, "name": "team07"}]
    return {**grid_map(150, 1), "boxes": {"by": None, "trail": trail, "edges_left_out": 0}}


@pytest.fixture
def opened(page: Page, lasting_shop: Shop) -> Page:
    """The map of 3,600 services."""
    serve_map(page, boxed)

    def fulfil(route: Route) -> None:
        requested = re.search(r"[?&]box=(\w+)", route.request.url)
        found = members(requested[1] if requested else "b7")
        SHAPE.validate_python(found)
        route.fulfill(content_type="application/json", body=json.dumps(found))

    page.route("**/api/map/box?*", fulfil)
    page.goto(lasting_shop.url(f"/map?test=1&{lasting_shop.window}"))
    expect(page.locator("[data-box]")).to_have_count(BOXES)
    return page


def places(page: Page) -> list[Any]:
    return list(
        page.locator(".box-card").evaluate_all(
            "all => all.map((one) => { const b = one.getBoundingClientRect();"
            " return [b.x, b.y, b.width, b.height] })"
        )
    )


def beside(page: Page, frame: FloatRect) -> list[bytes]:
    """The pixels of the map left of a frame, right of it, above and below."""
    outer = box_at_rest(page, page.locator(".boxes"))
    left, top = frame["x"] - SHADOW, frame["y"] - SHADOW
    right = frame["x"] + frame["width"] + SHADOW
    bottom = frame["y"] + frame["height"] + SHADOW
    ends = outer["x"] + outer["width"], outer["y"] + outer["height"]
    parts = [
        (outer["x"], outer["y"], left, ends[1]),
        (right, outer["y"], ends[0], ends[1]),
        (outer["x"], outer["y"], ends[0], top),
        (outer["x"], bottom, ends[0], ends[1]),
    ]
    page.mouse.move(2, 200)
    expect(page.locator(".boxes-lines.is-pointed, .box-card.is-dim")).to_have_count(0)
    return [
        page.screenshot(clip={"x": x, "y": y, "width": to_x - x, "height": to_y - y})
        for x, y, to_x, to_y in parts
        if to_x > x and to_y > y
    ]


def differences(page: Page, one: bytes, other: bytes) -> int:
    """How many values of two pictures of one size differ by more than SMOOTHED: of each pixel red, green and blue."""
    found: int = page.evaluate(
        """async ([pictures, smoothed]) => {
            const [one, other] = await Promise.all(pictures.map(async (base64) => {
                const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
                const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
                const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
                canvas.drawImage(image, 0, 0)
                return canvas.getImageData(0, 0, image.width, image.height).data
            }))
            if (one.length !== other.length) throw new Error('two sizes')
            return one.reduce((many, value, at) => many + (Math.abs(value - other[at]) > smoothed), 0)
        }""",
        [[base64.b64encode(each).decode() for each in (one, other)], SMOOTHED],
    )
    return found


def test_a_box_opens_in_its_place_and_nothing_else_moves(opened: Page) -> None:
    before = places(opened)
    opened.locator("[data-box=b7]").click()
    frame = opened.get_by_role("region", name="Services of team07")
    expect(frame.locator("[data-node]").first).to_be_attached()
    place = box_at_rest(opened, frame)
    assert places(opened) == before
    assert "open=b7" in opened.url
    around = beside(opened, place)
    assert len(around) >= 3
    opened.get_by_role("button", name="Close team07").click()
    expect(frame).to_have_count(0)
    for was, now in zip(around, beside(opened, place), strict=True):
        assert differences(opened, was, now) == 0
    assert places(opened) == before


def test_the_keyboard_opens_a_box_and_comes_back_to_it(opened: Page) -> None:
    opened.locator("[data-box=b7]").focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("button", name="Close team07")).to_be_focused()
    opened.keyboard.press("Escape")
    expect(opened.locator(".box-frame")).to_have_count(0)
    expect(opened.locator("[data-box=b7]")).to_be_focused()


def test_a_box_says_what_is_in_it(opened: Page) -> None:
    name = re.compile(r"^team06, 150 services, .*1 unhealthy: pay-api$")
    button = opened.get_by_role("button", name=name)
    expect(button).to_have_attribute("aria-expanded", "false")
    opened.locator(".box-ill button").first.click()
    until(opened, lambda: "sel=service-0000" in opened.url, "the member is selected")
    expect(opened.locator(".box-frame")).to_be_visible()


def test_a_node_of_the_address_opens_its_box(opened: Page, lasting_shop: Shop) -> None:
    opened.goto(lasting_shop.url(f"/map?test=1&{lasting_shop.window}&sel=service-0003"))
    frame = opened.get_by_role("region", name="Services of team07")
    expect(frame.locator("[data-node=service-0003]")).to_have_attribute("aria-pressed", "true")


def differing(place: str, text: str) -> dict[str, Any]:
    """A node that fails more."""
    change = {"measure": "fault", "trend": "failing", "unit": "share", "p": 0.0, "follows": None}
    return change | {"id": place, "name": place, "then": 0.0, "now": 0.5, "text": text}


def test_groups_are_compared_and_what_differs_is_found_in_its_box(opened: Page) -> None:
    """By key C: the sentence is above the map, and the node with its mark where its box opens."""
    changes = [
        differing("service-0003", "faults 0.5 → 15 %"),
        differing("service-0004", "faults 0 → 1 %"),
        differing("service-0005", "faults 0.5 → 15 %") | {"follows": "service-0003"},
    ]
    of_boxes = {"service-0003": "b7", "service-0004": "b7", "service-0005": "b8"}
    serve_comparison(opened, changes, boxes=of_boxes)
    switch = box_at_rest(opened, opened.get_by_role("button", name="Compare in time"))
    bar = box_at_rest(opened, opened.get_by_role("navigation", name="Groups"))
    assert bar["x"] + bar["width"] <= switch["x"]
    with opened.expect_request("**/api/v1/compare?*boxes=auto*"):
        opened.keyboard.press("c")
    begins = opened.get_by_role("button", name=re.compile("^team07, .*, Δ 2 differ: service-0003"))
    expect(begins).to_have_accessible_name(re.compile("faults 0.5 → 15 %"))
    follows = opened.get_by_role(
        "button", name=re.compile("^team08, .*, Δ 1 follows: service-0005")
    )
    expect(follows).to_be_attached()
    expect(opened.locator(".box-delta")).to_have_count(2)
    expect(opened.locator(".box-delta.follows")).to_have_count(1)
    strip = opened.get_by_role("region", name="Compared in time")
    expect(strip.get_by_role("status")).to_have_text("3 failing more")
    strip.get_by_role("button", name="service-0003").click()
    frame = opened.get_by_role("region", name="Services of team07")
    marked = frame.get_by_role("button", name=re.compile("^service-0003, .*Δ faults 0.5 → 15 %"))
    expect(marked).to_have_attribute("aria-pressed", "true")


def test_a_group_has_the_ring_of_then_in_its_own_and_a_line_its_mark(opened: Page) -> None:
    """As a node and an edge have them."""
    now = {**COUNTS, **TIMES, "requests_per_min": 7.0}
    then = {**now, "ok": 60, "fault": 40}
    line = {"id": "b2:b3", "source": "b2", "target": "b3", "now": now, "then": then}
    change = differing("b2:b3", "faults 40 → 0 %") | {"trend": "working"}
    serve_comparison(
        opened,
        [],
        box_figures=[
            {"id": "b3", "name": "team03", "now": now, "then": then},
            {"id": "b4", "name": "team04", "now": now, "then": None},
        ],
        lines=[
            line | {"changes": [change]},
            line | {"id": "b3:b4", "source": "b3", "target": "b4", "changes": []},
        ],
    )
    opened.keyboard.press("c")
    card = opened.locator(".box-card", has=opened.locator("[data-box=b3]"))
    expect(card.locator(".is-then path")).to_have_count(2)
    inner, outer = (box_at_rest(opened, card.locator(each)) for each in (".is-then", ".box-ring"))
    assert outer["x"] < inner["x"]
    assert inner["x"] + inner["width"] < outer["x"] + outer["width"]
    expect(opened.locator(".is-then")).to_have_count(1)
    mark = opened.get_by_role("img", name=re.compile("^team02 → team03: .* · Δ faults 40 → 0 %$"))
    expect(mark).to_be_visible()
    expect(opened.locator(".line-delta")).to_have_count(1)
    at = box_at_rest(opened, mark)
    source, target = (
        box_at_rest(opened, opened.locator(f"[data-box={each}]")) for each in ("b2", "b3")
    )
    assert source["x"] + source["width"] < at["x"] + at["width"] / 2 < target["x"]
    assert source["y"] < at["y"] < source["y"] + source["height"]


def test_a_box_is_gone_into_and_the_view_chooses_its_groups(opened: Page) -> None:
    opened.locator("[data-box=b7]").click()
    opened.get_by_role("button", name="Go into").click()
    until(opened, lambda: "inside=b7" in opened.url, "the map is inside of the box")
    opened.go_back()
    opened.get_by_role("combobox", name="Groups by").select_option("account")
    until(opened, lambda: "boxes=account" in opened.url, "the view has its own choice")


@pytest.mark.parametrize(("total", "bars"), [(MOST_APART + 1, 1), (MOST_APART, 0)])
def test_only_many_services_are_grouped_by_something(
    page: Page, lasting_shop: Shop, total: int, bars: int
) -> None:
    """Also where services were chosen in place of groups: then there is a way back."""
    served = {**grid_map(150, 1), "total_nodes": total, "left_out": total - MOST_APART}
    serve_map(page, lambda: served)
    page.goto(lasting_shop.url(f"/map?test=1&boxes=none&{lasting_shop.window}"))
    expect(page.locator("[data-node]").first).to_be_attached()
    expect(page.get_by_role("navigation", name="Groups")).to_have_count(bars)
    if bars:
        expect(page.get_by_role("combobox", name="Groups by")).to_have_value("none")


CUT = """() => [...document.querySelectorAll('.box-card:has(.box-ill)')].map((card) => {
  const name = card.querySelector('.box-ill button').getBoundingClientRect()
  return name.height > 0 && name.bottom <= card.getBoundingClientRect().bottom
})"""
APART = """() => {
  const at = (selector) => document.querySelector(selector).getBoundingClientRect()
  const [one, tools] = [at('[aria-label="Compare in time"]'), at('[role=toolbar]')]
  return one.width > 0 && one.right <= tools.left && one.bottom <= at('.box-bar').top
}"""


def test_a_phone_shows_who_is_unhealthy_and_the_switch_beside_the_tools(opened: Page) -> None:
    """No line of a card is cut in half, and nothing lies on the switch."""
    opened.set_viewport_size({"width": 390, "height": 844})
    opened.goto(f"{opened.url}&as=map")
    expect(opened.locator(".box-ill")).to_have_count(BOXES // 6)
    until(opened, lambda: opened.evaluate(APART), "the switch stands beside the tools")
    assert opened.evaluate(CUT) == [True] * (BOXES // 6)
