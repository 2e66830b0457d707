"""The time strip under the map: drag, click, keys, play, the address and the way back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from api.app import create_app
from api.graph.build import node_id
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import MINUTE, SECOND
from tests.builders import T0, segment, trace_id
from tests.conftest import ROOT
from tests.http_server import serve
from tests.ui.conftest import Delayed, box_at_rest, until
from tests.ui.test_accessibility import AXE, findings_in_both_themes

pytestmark = pytest.mark.browser

NOW = T0 // SECOND // 86_400 * 86_400 + 12 * 3600
SHOP = NodeKey("", "shop", "")


@pytest.fixture
def url() -> Iterator[str]:
    """A console at noon, of a shop that has been called each minute of two hours."""
    store = MemoryStore()
    starts = [NOW * SECOND - minute * MINUTE + 1 for minute in range(1, 121)]
    store.put(
        [
            segment(1, name=SHOP.name, trace_id=trace_id(at), start=at, end=at + 90_000)
            for at in starts
        ],
        "all",
    )
    app = create_app(store, version="1", static_dir=ROOT / "ui/dist", clock=lambda: float(NOW))
    with serve(app) as url:
        yield url


def open_at_noon(page: Page, url: str, query: str = "") -> Locator:
    """The map at noon; the strip, once it is drawn."""
    page.clock.set_fixed_time(NOW)
    page.goto(f"{url}/map{query}")
    strip = page.get_by_role("region", name="Time", exact=True)
    expect(strip.locator(".requests").first).to_have_attribute("d", re.compile("M"))
    return strip


def window(page: Page) -> tuple[float, float]:
    """The shown window, in minutes before noon."""
    query = parse_qs(urlsplit(page.url).query)
    return tuple((float(query[name][0]) - NOW) / 60 for name in ("from", "to"))  # type: ignore[return-value]


def on_lanes(page: Page, strip: Locator, hours: float) -> tuple[float, float]:
    """Where some hours before the end of the day are."""
    box = box_at_rest(page, strip.locator(".scrubber-lanes"))
    return box["x"] + box["width"] * (1 - hours / 24), box["y"] + 40


def test_a_click_shows_the_map_of_then_and_back_leads_back(page: Page, url: str) -> None:
    strip = open_at_noon(page, url, "?range=30m")
    page.mouse.click(*on_lanes(page, strip, 6))
    expect(page).to_have_url(re.compile("from="))
    start, end = window(page)
    assert end - start == 30
    assert abs((start + end) / 2 + 360) < 3
    page.go_back()
    expect(page).to_have_url(re.compile("range=30m"))
    page.mouse.click(*on_lanes(page, strip, 1))
    expect(page.locator("[data-node]").first).to_be_attached()
    strip.get_by_role("button", name="Live").click()
    expect(page).to_have_url(re.compile("range=30m"))


def test_a_drag_chooses_a_window(page: Page, url: str) -> None:
    strip = open_at_noon(page, url)
    x, y = on_lanes(page, strip, 4)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*on_lanes(page, strip, 3))
    page.mouse.move(*on_lanes(page, strip, 2))
    page.mouse.up()
    expect(page).to_have_url(re.compile("from="))
    start, end = window(page)
    assert abs(start + 240) < 4
    assert abs(end + 120) < 4
    expect(strip.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("requests"))


def test_keys_step_and_say_where(page: Page, url: str) -> None:
    strip = open_at_noon(page, url, f"?from={NOW - 3600}&to={NOW - 2700}")
    entries = page.evaluate("history.length")
    page.keyboard.press("t")
    slider = strip.get_by_role("slider", name="Shown time")
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", re.compile("11:00 to 11:15, 15 requests"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("10:58 to 11:13, about"))
    until(page, lambda: window(page) == (-62, -47), "two minutes earlier")
    page.keyboard.press("Shift+ArrowRight")
    until(page, lambda: window(page) == (-47, -32), "a window later")
    assert page.evaluate("history.length") == entries + 1
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile("range=15m"))
    page.go_back()
    assert window(page) == (-47, -32)


def test_play_goes_on_to_the_present(page: Page, url: str) -> None:
    strip = open_at_noon(page, url, f"?from={NOW - 3600}&to={NOW - 1800}")
    page.wait_for_timeout(1500)
    assert window(page) == (-60, -30)
    play = strip.get_by_role("button", name="Play")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")

    until(page, lambda: window(page) == (-30, 0), "the last half hour")
    expect(play).to_have_attribute("aria-pressed", "false")
    page.go_back()
    assert window(page) == (-60, -30)


def test_it_folds_and_stays_folded(page: Page, url: str) -> None:
    strip = open_at_noon(page, url)
    place = page.locator(".time-strip")
    assert place.bounding_box()["height"] == 72  # type: ignore[index]
    strip.get_by_role("button", name="Time strip").click()
    expect(strip.get_by_role("slider")).to_have_count(0)
    page.reload()
    expect(strip.get_by_role("button", name="Time strip")).to_have_attribute(
        "aria-expanded", "false"
    )
    assert place.bounding_box()["height"] < 30  # type: ignore[index]


def test_its_place_is_reserved(page: Page, url: str) -> None:
    """It comes after the map, and moves nothing."""
    delayed = Delayed(page, "**/assets/Scrubber*")
    page.clock.set_fixed_time(NOW)
    page.goto(f"{url}/map")
    frame = page.locator(".map-frame")
    expect(page.locator("[data-node]").first).to_be_attached()
    delayed.wait()
    before = box_at_rest(page, frame)
    delayed.release()
    expect(page.get_by_role("slider", name="Shown time")).to_be_visible()
    assert frame.bounding_box() == before


def test_it_is_of_what_is_chosen(page: Page, url: str) -> None:
    requested: list[str] = []
    page.on("request", lambda one: requested.append(one.url) if "/history?" in one.url else None)
    strip = open_at_noon(page, url, f"?sel={node_id(SHOP)}")
    expect(strip).to_contain_text("shop")
    assert [parse_qs(urlsplit(one).query).get("node") for one in requested] == [[node_id(SHOP)]]
    page.keyboard.press("Escape")
    expect(strip).to_contain_text("All requests")
    assert len(requested) == 2


def test_what_is_left_aside_is_said(page: Page, url: str) -> None:
    strip = open_at_noon(page, url, "?filter=ok")
    expect(strip).to_contain_text("All requests without the filter")


def a_day() -> dict[str, Any]:
    """With everything that a strip can show."""
    end, step = NOW, 300
    start = end - 86_400
    level = [
        100 + 60 * math.sin((at - start) / 86_400 * 6.28) + at // 300 % 7
        for at in range(start, end, step)
    ]
    bad = range(190, 200)
    points = [
        {
            "start": start + number * step,
            "requests": round(value),
            "error": 2,
            "throttle": 0,
            "fault": round(value * 0.12) if number in bad else number % 3 == 0,
            "p50_ms": 40 + number % 5,
            "p95_ms": 900 if number in bad else 180 + number % 40,
        }
        for number, value in enumerate(level)
    ]
    usual = [
        {
            "start": start + hour * 3600,
            "end": start + (hour + 1) * 3600,
            "basis": "weeks",
            "minutes": 180,
            "requests_low": level[hour * 12] - 25,
            "requests_high": level[hour * 12] + 30,
            "fault_share": 0.01,
            "p95_low_ms": 150,
            "p95_high_ms": 260,
        }
        for hour in range(24)
    ]
    deployed = {"environment": "", "account": "", "region": "", "state": "", "note": "", "link": ""}
    return {
        "from": start,
        "to": end,
        "data_until": end - 200,
        "incomplete": None,
        "step": step,
        "points": points,
        "usual": usual,
        "usual_since": None,
        "deployments": [
            {"id": f"{at}", "at": start + at, "service": "shop", "version": "497", **deployed}
            for at in (56_700, 20_000, 20_100)
        ],
        "deployments_left_out": 0,
        "problems": [
            {
                "id": "9f0c4e2a-0000-4000-8000-000000000001",
                "text": "✕ shop fails: faults 1 → 12 %",
                "since": start + 57_000,
                "ended": start + 60_000,
                "origin": {"id": node_id(SHOP), "name": "shop", "type": "", "account": ""},
            }
        ],
        "problems_left_out": 0,
    }


def serve_a_day(page: Page) -> None:
    """Answer with the day above."""
    body = json.dumps(a_day())
    page.route(
        "**/api/v1/history?*",
        lambda route: route.fulfill(body=body, content_type="application/json"),
    )


def test_marks_lead_to_their_time(page: Page, url: str) -> None:
    serve_a_day(page)
    strip = open_at_noon(page, url)
    expect(
        strip.get_by_role("button", name=re.compile("^2 deployments: shop v497"))
    ).to_be_visible()
    strip.get_by_role("button", name=re.compile("^Deployment: shop v497")).click()
    start, end = window(page)
    assert abs((start + end) / 2 - (56_700 - 86_400) / 60) <= 1
    strip.get_by_role("button", name=re.compile("^Problem: ✕ shop fails")).click()
    expect(page).to_have_url(re.compile("problem=9f0c4e2a"))
    assert window(page)[0] == (57_000 - 600 - 86_400) / 60


def test_the_step_under_the_pointer(page: Page, url: str) -> None:
    serve_a_day(page)
    strip = open_at_noon(page, url)
    readout = strip.locator(".scrubber-readout")
    expect(readout).to_contain_text("All requests")
    page.mouse.move(*on_lanes(page, strip, 12.02))
    expect(readout).to_contain_text("23:55–00:00")
    expect(readout).to_contain_text("usual")
    expect(readout).to_contain_text("by 3 weeks")
    page.mouse.move(10, 10)
    readout.get_by_role("button", name=re.compile("≤ 1[23] %")).click()
    assert abs(sum(window(page)) / 2 + (288 - 195) * 5) < 30


def test_it_is_accessible(page: Page, url: str) -> None:
    serve_a_day(page)
    open_at_noon(page, url)
    page.evaluate(AXE.read_text())
    assert findings_in_both_themes(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert findings_in_both_themes(page) == []


def test_a_failure_is_said(page: Page, url: str) -> None:
    error = {"error": {"code": "ServiceUnavailable", "message": "the store does not answer"}}
    page.route("**/api/v1/history?*", lambda route: route.fulfill(status=400, json=error))
    page.clock.set_fixed_time(NOW)
    page.goto(f"{url}/map")
    expect(page.get_by_role("region", name="Time", exact=True)).to_contain_text("the store does not answer")  # fmt: skip
