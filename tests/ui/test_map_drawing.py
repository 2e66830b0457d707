"""What the canvas shows: readable text at any size, high contrast, large maps, nothing that moves by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Delayed, until_later, wait_until
from tests.ui.maps import (
    grid_map,
    map_client,
    map_edge,
    map_node,
    serve_comparison,
    serve_map,
    service_map,
)
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: every map here is the test's own."""
    return memory_site


CAMERA = "() => ({ ...window.__map.camera })"
AT_REST = """() => {
  const { frame, moving, tween, camera, restingScale, scene } = window.__map
  const at = JSON.stringify([window.__map.size, camera])
  const before = window.__restedAt
  window.__restedAt = at
  return before === at && !frame && !moving && !tween && scene.fading(performance.now()).length === 0 &&
    restingScale === camera.k
}"""
"""Whether nothing has moved since the last call, and nothing is about to."""
RECORD_TEXT = """
  window.__texts = []
  const fill = CanvasRenderingContext2D.prototype.fillText
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const size = Number(/([\\d.]+)px/.exec(this.font)[1])
    const scale = this.getTransform().a / devicePixelRatio
    const half = this.measureText(text).width / 2 * scale
    window.__texts.push([text, size * scale, x * scale - half, x * scale + half])
    return fill.call(this, text, x, y)
  }
"""
"""Every text on a canvas, with its height, left and right edge in screen pixels."""
COUNT_DRAWING = """
  window.__calls = {}
  for (const name of ['fill', 'stroke', 'fillText', 'drawImage']) {
    const draw = CanvasRenderingContext2D.prototype[name]
    CanvasRenderingContext2D.prototype[name] = function (...args) {
      window.__calls[name] = (window.__calls[name] ?? 0) + 1
      return draw.apply(this, args)
    }
  }
"""
MOVE = """async (gesture) => {
  window.__map.settle = () => {}
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  const gestures = {
    pan: (i) => window.__map.pan(i % 40 < 20 ? 14 : -14, 3),
    zoom: (i) => window.__map.zoom(i % 24 < 12 ? 1.17 : 1 / 1.17),
  }
  const frames = []
  for (let i = 0; i < 60; i++) {
    window.__calls = {}
    gestures[gesture](i)
    await frame()
    await frame()
    frames.push(window.__calls)
  }
  delete window.__map.settle
  return frames
}"""
"""Pans by 14 pixels a frame, or zooms like a wheel, in and out; what was drawn for each frame.

The map does not come to rest meanwhile, as it would, and be drawn again, between frames of a busy machine.
"""


def open_map(page: Page, url: str) -> None:
    """Until the map is at rest: drawn at its scale, in the place that it keeps."""
    page.goto(url)
    expect(page.locator("[data-node]").first).to_be_attached()
    expect(page.get_by_role("group", name="Legend")).to_be_visible()
    wait_until(page, f"({AT_REST})()")


@pytest.mark.parametrize("width", [390, 720, 1440, 1920])
@pytest.mark.parametrize("count", [7, 40, 500, 2000])
def test_text_is_readable_and_failing_services_have_names(
    page: Page, site: MemorySite, width: int, count: int
) -> None:
    """At least 11 pixels at whatever fit; 720 is a 1440 pixel screen at 200 % zoom."""
    failing = min(24, count // 3)
    answer = grid_map(count, failing)
    names = {node["name"] for node in answer["nodes"] if node["fault"]}
    assert len(names) >= failing
    page.set_viewport_size({"width": width, "height": 844 if width == 390 else width * 9 // 16})
    page.add_init_script(RECORD_TEXT)
    serve_map(page, lambda: answer)
    open_map(page, site.http + "/map?as=map&test=1")
    texts = page.evaluate("window.__texts")
    assert min(size for _, size, _, _ in texts) >= 10.99
    size = page.evaluate("window.__map.size")
    shown = {text for text, _, _, _ in texts} & {node["name"] for node in answer["nodes"]}
    if size["width"] < 600 or size["width"] * size["height"] < 300_000:
        assert len(shown & names) >= min(5, len(names)), "the failing ones first"
    else:
        assert names <= shown
    if count <= 40:  # as on a phone: what is drawn is not cut by the frame
        last = texts[len(texts) - len(answer["nodes"]) :]
        assert [text for text, _, left, right in last if left < 0 or right > width] == []


def test_high_contrast_keeps_the_colours_of_the_map(page: Page, site: MemorySite) -> None:
    """Background, text, lines and the four states are distinguishable."""
    states = [("ok", {}), ("error", {"error": 60}), ("throttle", {"throttle": 60}), ("fault", {})]
    nodes = [
        map_node(state, x=at * 200, fault=60 if state == "fault" else 0, **counts)
        for at, (state, counts) in enumerate(states)
    ]
    page.emulate_media(forced_colors="active")
    serve_map(page, lambda: service_map(nodes, [map_edge(nodes[0], nodes[1])]))
    open_map(page, site.http + "/map?test=1")
    wait_until(
        page,
        """(() => {
          const canvas = document.querySelector('.map canvas')
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
          const seen = new Map()
          for (let at = 0; at < data.length; at += 4) {
            const key = data[at] + ',' + data[at + 1] + ',' + data[at + 2]
            seen.set(key, (seen.get(key) ?? 0) + 1)
          }
          return [...seen].filter(([, count]) => count > 60).length >= 5
        })()""",
    )


def test_high_contrast_can_be_turned_on_while_the_page_is_open(
    page: Page, site: MemorySite
) -> None:
    """The colours are read again."""
    serve_map(page, lambda: grid_map(7))
    open_map(page, site.http + "/map?test=1")
    before = page.evaluate("window.__map.palette.edge")
    page.emulate_media(forced_colors="active")
    wait_until(page, f"window.__map.palette.edge !== {before!r}")
    wait_until(page, "new Set(Object.values(window.__map.palette)).size >= 6")


def test_a_newcomer_outside_the_view_moves_nothing(page: Page, site: MemorySite) -> None:
    """The camera stays; a chip says that a service is outside, and leads to it."""
    page.clock.install()
    answer = grid_map(12)
    serve_map(page, lambda: answer)
    open_map(page, site.http + "/map?test=1")
    camera = page.evaluate(CAMERA)
    chip = page.get_by_role("button", name=re.compile("outside the view"))
    expect(chip).to_have_count(0)
    answer["nodes"].append(map_node("newcomer", x=9000, y=0, fault=50))
    until_later(page, chip.is_visible, "the newcomer is announced")
    expect(chip).to_have_text("1 service is outside the view, 1 unhealthy")
    assert page.evaluate(CAMERA) == camera
    chip.click()
    expect(chip).to_have_count(0)
    assert page.evaluate(CAMERA) != camera


LOWEST = """() => {
  const { scene, camera, size } = window.__map
  return size.height - Math.max(...[...scene.nodes.values()].map(({ y }) => y * camera.k + camera.ty))
}"""
"""Pixels from the lowest node to the end of the map."""


def test_a_comparison_hides_no_node(page: Page, site: MemorySite) -> None:
    """Its sentence takes some of the map's height: no node goes under the legend. What makes the map lower by itself moves
    nothing, nor does anything once someone has moved the map."""
    answer = service_map(
        [map_node(f"service-{at}", x=at % 2 * 300, y=at * 90) for at in range(14)], []
    )
    serve_map(page, lambda: answer)
    open_map(page, site.http + "/map?test=1")
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("window.__map.size.height")
    camera = page.evaluate(CAMERA)
    page.set_viewport_size({"width": size["width"], "height": size["height"] - 30})
    wait_until(page, f"window.__map.size.height === {height - 30}")
    assert page.evaluate(CAMERA) == camera
    compared = page.get_by_role("button", name="Compare in time")
    compared.click()
    wait_until(page, f"window.__map.size.height < {height - 30} && ({LOWEST})() >= 52")
    compared.click()
    wait_until(page, f"window.__map.size.height === {height - 30}")
    page.get_by_role("button", name="Zoom in").click()
    camera = page.evaluate(CAMERA)
    compared.click()
    wait_until(page, f"window.__map.size.height < {height - 30}")
    assert page.evaluate(CAMERA) == camera


@pytest.mark.parametrize("count", [150, 500])
def test_what_differs_is_marked_at_the_scale_of_the_whole_map(
    page: Page, site: MemorySite, count: int
) -> None:
    """As large as on a small map, and with the node's name; by how much is said where there is room."""
    answer = grid_map(count)
    named = answer["nodes"][count // 2]["name"]
    page.add_init_script(RECORD_TEXT)
    serve_map(page, lambda: answer)
    begins = {"id": named, "name": named, "measure": "fault", "trend": "failing"}
    serve_comparison(page, [{**begins, "text": "faults 0.5 → 15 %", "follows": None}])
    page.set_viewport_size({"width": 1440, "height": 900})
    open_map(page, site.http + "/map?as=map&test=1&against=before")
    wait_until(page, "window.__texts.some(([text]) => text === 'Δ')")
    assert page.evaluate("window.__map.camera.k") < 0.42
    texts = page.evaluate("window.__texts")
    assert min(size for text, size, _, _ in texts if text.startswith("Δ")) >= 10.5
    assert named in {text for text, _, _, _ in texts}


def test_only_unhealthy_hides_rare_failures_and_their_clients(page: Page, site: MemorySite) -> None:
    """One failure in a hundred is not unhealthy until the threshold says so."""
    nodes = [
        map_client("web client"),
        map_node("web", x=200, fault=40),
        map_client("cron client", y=200),
        map_node("cron", x=200, y=200, fault=1),
    ]
    edges = [map_edge(nodes[0], nodes[1]), map_edge(nodes[2], nodes[3])]
    serve_map(page, lambda: service_map(nodes, edges))
    open_map(page, site.http + "/map?test=1")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("Only unhealthy services").check()
    shown = page.locator("[data-node]")
    expect(shown).to_have_count(2)
    assert {one.get_attribute("data-node") for one in shown.all()} == {"web client", "web"}
    page.get_by_label("% of requests").fill("0.5")
    page.get_by_label("failing requests").fill("1")
    expect(shown).to_have_count(4)


BESIDE_THE_PANEL = """() => {
  const map = window.__map
  const lit = [...map.scene.neighbours(map.scene.nodes.get('service-0020'))]
  const { k, tx } = map.camera
  const middles = lit.map((id) => map.scene.nodes.get(id).x * k + tx)
  return lit.length === 3 && map.size.width < 1200 &&
    middles.every((x) => x > 36 && x < map.size.width - 36)
}"""
"""Whether a service and its neighbours, with half a name, are in the part of the map that the panel leaves."""


def test_the_first_click_hides_no_neighbour_behind_the_panel(page: Page, site: MemorySite) -> None:
    """Also where the code of the panel comes later than the selection: the map makes room once the panel is there."""
    panel = Delayed(page, "**/DetailPanel-*.js")
    serve_map(page, lambda: grid_map(40))
    open_map(page, site.http + "/map?test=1")
    page.locator('[data-node="service-0020"]').click()
    panel.release()
    expect(page.get_by_role("complementary", name="Details")).to_be_visible()
    wait_until(page, f"({BESIDE_THE_PANEL})()")


def test_panning_a_large_map_shifts_a_picture(page: Page, site: MemorySite) -> None:
    """Most frames draw one image, and not the two thousand services again."""
    answer = grid_map(2000, 50)
    assert len(answer["edges"]) >= 1999
    page.add_init_script(COUNT_DRAWING)
    serve_map(page, lambda: answer)
    open_map(page, site.http + "/map?test=1")
    frames = page.evaluate(MOVE, "pan")
    assert all(frames), "every frame draws the map where it is now"
    shifted = [calls for calls in frames if calls == {"drawImage": 1}]
    assert len(shifted) >= 50, frames


def test_zooming_a_large_map_scales_a_picture(page: Page, site: MemorySite) -> None:
    """Services and names are drawn again at every octave, and sharply once the map rests."""
    answer = grid_map(2000, 50)
    page.add_init_script(COUNT_DRAWING)
    serve_map(page, lambda: answer)
    open_map(page, site.http + "/map?test=1")
    frames = page.evaluate(MOVE, "zoom")
    assert all(frames), "every frame draws the map where it is now"
    scaled = [calls for calls in frames if calls == {"drawImage": 1}]
    assert len(scaled) >= 40, frames
    page.evaluate("window.__map.zoom(1.1); window.__calls = {}")
    wait_until(page, "window.__calls.fillText > 0")
    wait_until(page, "window.__map.restingScale === window.__map.camera.k")
