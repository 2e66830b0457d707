"""The service map in a real browser."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import Delayed, box_at_rest, send_shop, until, until_later, wait_until
from tests.ui.maps import map_edge, map_node, serve_map, service_map
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: two tests need a server that receives, and name it."""
    return memory_site


@pytest.fixture
def shop(lasting_shop: Any) -> Any:
    """Sent once: tests here only look at it."""
    return lasting_shop


POSITIONS = """() => [...window.__map.scene.nodes.values()]
  .map((node) => [node.data.id, node.x, node.y]).sort()"""
CAMERA = "() => window.__map.camera"
AT_REST = """(() => {
  const at = JSON.stringify([window.__map.size, window.__map.camera, document.querySelector('.map').getBoundingClientRect()])
  const before = window.__restedAt
  window.__restedAt = at
  return before === at && !window.__map.frame
})()"""
"""Whether the map is drawn, and where it was at the last call."""
REQUESTS = """() => [...window.__map.scene.nodes.values()]
  .reduce((sum, node) => sum + (node.data.requests ?? 0), 0)"""


def open_map(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("[data-node]").first).to_be_visible()
    if "test=1" in url:
        wait_until(page, AT_REST)


def open_panel(page: Page, shop: Any) -> Any:
    """The details of payments, once the map has made room for them."""
    node(page, shop.payments).click()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", name=shop.payments, exact=True)).to_be_visible()
    wait_until(page, "window.__map.size.width < 1200")
    wait_until(page, AT_REST)
    return details


def node(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=re.compile(f"^{name}, (?!client)")).first


def test_a_service_is_a_button_that_says_its_numbers(page: Page, shop: Any) -> None:
    """What the canvas shows can be heard, too."""
    open_map(page, shop.url("/map?test=1"))
    button = node(page, shop.payments)
    expect(button).to_be_visible()
    expect(button).to_have_attribute("aria-label", re.compile(r"AWS::Lambda::Function, .*Fault"))


def test_a_click_opens_the_details_and_lights_the_neighbours(page: Page, shop: Any) -> None:
    """Selection is in the address and in aria-pressed; a click on the background ends it."""
    open_map(page, shop.url("/map?test=1"))
    node(page, shop.payments).click()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", name=shop.payments, exact=True)).to_be_visible()
    expect(details.get_by_role("button", name=shop.storefront)).to_be_visible()
    expect(node(page, shop.payments)).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"[?&]sel="))
    details.get_by_role("button", name="Close details").click()
    expect(details).to_have_count(0)


def test_charts_are_drawn_in_the_details(page: Page, shop: Any) -> None:
    """The figures come from Python and are drawn with the bundled plotly.js."""
    open_map(page, shop.url("/map?test=1"))
    node(page, shop.storefront).click()
    chart = page.get_by_role("img", name="Histogram of response times")
    expect(chart.locator(".bars .point").filter(visible=True).first).to_be_visible()


def test_charts_speak_of_durations_and_of_what_is_not_finished(page: Page, shop: Any) -> None:
    """No bare numbers under the pointer; the bar that the present cuts says until when it is counted."""

    def answer(route: Route) -> None:
        reply = route.fetch()
        body = reply.json()
        layout, bars = body["over_time"]["layout"], body["over_time"]["data"]
        layout["meta"] = {"unfinished": bars[0]["x"][-1], "until": bars[0]["x"][-1]}
        route.fulfill(response=reply, json=body)

    page.route("**/api/nodes/*?*", answer)
    open_map(page, shop.url(f"/map?test=1&sel={shop.node_id(shop.storefront)}"))
    histogram = page.get_by_role("img", name="Histogram of response times")
    expect(histogram.locator(".xtick text").first).to_have_text("0 ms")
    bar = histogram.locator(".bars .point path").filter(visible=True).last
    expect(page.locator(".chart-skeleton")).to_have_count(0)
    bar.scroll_into_view_if_needed()
    box = box_at_rest(page, bar)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(histogram.locator(".hoverlayer")).to_contain_text(
        re.compile(r"^Response time\d+ to 900 ms: \d+$")
    )
    chart = page.get_by_role("img", name=re.compile(r"; the newest bar so far, until \d\d:\d\d:"))
    expect(chart.locator("pattern")).to_have_count(4)
    chart.scroll_into_view_if_needed()
    plot = box_at_rest(page, chart.locator(".nsewdrag").first)
    page.mouse.move(plot["x"] + plot["width"] - 3, plot["y"] + plot["height"] / 2)
    expect(chart.locator(".hoverlayer")).to_contain_text("so far, until ")


def test_a_panel_says_that_its_figures_are_incomplete(page: Page, shop: Any) -> None:
    def answer(route: Route) -> None:
        reply = route.fetch()
        waiting = {"minutes": 12, "since": 1}
        route.fulfill(response=reply, json={**reply.json(), "incomplete": waiting})

    page.route("**/api/nodes/*?*", answer)
    open_map(page, shop.url(f"/map?test=1&sel={shop.node_id(shop.storefront)}"))
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("status").first).to_have_text(
        "Incomplete: 12 minutes are still being counted."
    )


MIDDLE_OF_EDGE = """([from, to]) => {
  const map = window.__map
  const edge = map.scene.edges.find((one) => one.source.data.name === from && one.target.data.name === to)
  const [x, y] = edge.line[Math.floor(edge.line.length / 2)]
  const box = document.querySelector('.map').getBoundingClientRect()
  return [x * map.camera.k + map.camera.tx + box.x, y * map.camera.k + map.camera.ty + box.y]
}"""


def test_an_edge_can_be_chosen(page: Page, shop: Any) -> None:
    """A click on the line between two services opens the details of the calls."""
    open_map(page, shop.url("/map?test=1"))
    page.mouse.click(*page.evaluate(MIDDLE_OF_EDGE, [shop.storefront, shop.payments]))
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", level=2)).to_have_text(
        f"{shop.storefront} → {shop.payments}"
    )


def places(page: Page) -> dict[str, tuple[float, float]]:
    """Where each node of the map is, by its id."""
    return {id: (x, y) for id, x, y in page.evaluate(POSITIONS)}


def test_a_refresh_moves_nothing(page: Page, shop: Any) -> None:
    """New numbers arrive, while every node and the viewport stay where they are."""
    page.clock.install()
    open_map(page, shop.url("/map?test=1"))
    page.get_by_role("button", name="Zoom in").click()
    expect(page).to_have_url(re.compile(r"view="))
    requests = page.evaluate(REQUESTS)
    before, camera = places(page), page.evaluate(CAMERA)
    shop.another()
    until_later(page, lambda: page.evaluate(REQUESTS) > requests, "the refreshed map counts more")
    after = places(page)
    # What other tests sent a quarter of an hour ago may have left the range meanwhile.
    moved = {id for id in before.keys() & after.keys() if before[id] != after[id]}
    assert (moved, page.evaluate(CAMERA)) == (set(), camera)
    assert {shop.node_id(name) for name in (shop.storefront, shop.payments)} <= after.keys()


def test_a_dragged_service_stays_where_it_was_put(page: Page, shop: Any) -> None:
    """Also after the page is opened again."""
    open_map(page, shop.url("/map?test=1"))
    box = box_at_rest(page, node(page, shop.payments))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 90, steps=6)
    page.mouse.up()
    moved = places(page)
    expect(page.get_by_role("complementary", name="Details")).to_have_count(0)
    open_map(page, shop.url("/map?test=1"))
    again = places(page)
    pinned = page.evaluate(
        "Object.keys(JSON.parse(localStorage['raymap.nodePositions.all folded']))[0]"
    )
    assert again[pinned] == moved[pinned]


SCALE_IN_ADDRESS = "Number(new URLSearchParams(location.search).get('view')?.split(',')[2])"


def test_a_link_restores_selection_and_viewport(page: Page, shop: Any) -> None:
    """A link shows what its sender saw."""
    open_map(page, shop.url("/map?test=1"))
    open_panel(page, shop)
    page.get_by_role("button", name="Zoom out").click()
    # Making room for the panel wrote a view, too.
    wait_until(page, f"Math.abs({SCALE_IN_ADDRESS} - window.__map.camera.k) < 0.001")
    link, camera = page.url, page.evaluate(CAMERA)

    open_map(page, link)
    expect(node(page, shop.payments)).to_have_attribute("aria-pressed", "true")

    def is_restored() -> bool:
        seen = page.evaluate(CAMERA)
        moved = max(abs(seen[axis] - camera[axis]) for axis in ("tx", "ty"))
        return bool(moved <= 3 and abs(seen["k"] - camera["k"]) <= 0.001)

    until(page, is_restored, "the viewport of the sender")


def test_a_link_restores_the_viewport_beside_a_panel_that_loads_late(page: Page, shop: Any) -> None:
    """The middle of the map is that beside the panel; a selection made later moves nothing."""
    open_map(page, shop.url("/map?test=1"))
    chosen = node(page, shop.payments).get_attribute("data-node")
    panel = Delayed(page, "**/DetailPanel-*.js")
    open_map(page, shop.url(f"/map?test=1&sel={chosen}&view=100,80,0.8"))
    panel.release()
    expect(page.get_by_role("complementary", name="Details")).to_be_visible()
    off_centre = "window.__map.size.width / 2 - 100 * 0.8 - window.__map.camera.tx"
    wait_until(page, f"window.__map.size.width < 1200 && Math.abs({off_centre}) < 0.01")
    camera = page.evaluate(CAMERA)
    page.get_by_role("button", name="Close details").click()
    expect(page.get_by_role("complementary", name="Details")).to_have_count(0)
    wait_until(page, "window.__map.size.width > 1200")
    page.wait_for_timeout(100)
    assert page.evaluate(CAMERA) == camera


def test_back_restores_the_selection_before(page: Page, shop: Any) -> None:
    """Choosing is a step of the history, moving the map is not."""
    open_map(page, shop.url("/map?test=1"))
    for name in (shop.storefront, shop.payments):
        node(page, name).click()
        expect(node(page, name)).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(node(page, shop.storefront)).to_have_attribute("aria-pressed", "true")


def test_search_counts_and_finds(page: Page, shop: Any) -> None:
    """The slash key leads to the field; no hit is said in words. Other tests have sent payments, too."""
    open_map(page, shop.url("/map?test=1"))
    page.keyboard.press("/")
    expect(page.get_by_label("Find a service")).to_be_focused()
    page.keyboard.type("orderst")
    expect(page.get_by_text(re.compile(r"^1 of \d+$"))).to_be_visible()
    page.get_by_label("Find a service").fill("nothing like this")
    expect(page.get_by_text("No service matches")).to_be_visible()


def test_focus_shows_the_surroundings_and_leads_back(page: Page, shop: Any) -> None:
    """F lays the neighbourhood out afresh; Esc returns."""
    open_map(page, shop.url("/map?test=1"))
    node(page, shop.payments).click()
    expect(node(page, shop.payments)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("f")
    expect(page.get_by_role("navigation", name="Focus")).to_contain_text(shop.payments)
    expect(node(page, shop.table)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(node(page, shop.payments)).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Focus")).to_have_count(0)
    expect(node(page, shop.table)).to_be_visible()


DIMMED = """() => [...window.__map.scene.nodes.values()]
  .filter((node) => window.__map.tierOf(node) === 0).length"""


def test_a_focus_dims_nothing_of_what_was_requested(page: Page, site: MemorySite) -> None:
    """Its nodes are the surroundings: also those of the second hop stay at full strength."""
    nodes = [map_node(name, x=at * 200) for at, name in enumerate(["web", "orders", "stock"])]
    edges = [map_edge(nodes[0], nodes[1]), map_edge(nodes[1], nodes[2])]
    page.route("**/api/map/focus?*", lambda route: route.fulfill(json=service_map(nodes, edges)))
    serve_map(page, lambda: service_map(nodes, edges))
    open_map(page, site.http + "/map?test=1&focus=web&hops=2&sel=web")
    expect(node(page, "web")).to_have_attribute("aria-pressed", "true")
    wait_until(page, "window.__map.emphasis.selectedNode === 'web'")
    assert page.evaluate(DIMMED) == 0
    open_map(page, site.http + "/map?test=1&sel=web")
    wait_until(page, f"({DIMMED})() === 1")


def test_the_list_has_the_same_services(page: Page, shop: Any) -> None:
    """The list view is the map as a sortable table, and the first view on a narrow screen."""
    page.goto(shop.url("/map?as=list"))
    table = page.get_by_role("table", name="Services")
    expect(table.get_by_role("button", name=shop.payments, exact=True)).to_be_visible()
    table.get_by_role("button", name="Service", exact=True).click()
    header = table.get_by_role("columnheader", name="Service")
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto(shop.url("/map"))
    expect(page.get_by_role("table", name="Services")).to_be_visible()


def test_the_map_can_be_saved_as_a_picture(page: Page, shop: Any) -> None:
    """The whole map, not only what is in sight."""
    open_map(page, shop.url("/map?test=1"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Share").click()
        page.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == "service-map.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_picture_may_be_of_lines_and_text(page: Page, shop: Any) -> None:
    """Its names can be searched for, and a browser draws what the canvas does."""
    open_map(page, shop.url("/map?test=1"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Share").click()
        page.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "service-map.svg"
    picture = download.value.path().read_text()
    root = ElementTree.fromstring(picture)
    svg = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{svg}svg"
    assert shop.payments in {each.text for each in root.iter(f"{svg}text")}
    assert len(list(root.iter(f"{svg}path"))) > 10
    page.set_content(picture)
    box = page.locator("svg").bounding_box()
    assert box
    assert (box["width"], box["height"]) == (
        float(root.get("width", 0)),
        float(root.get("height", 0)),
    )


def test_one_share_has_links_and_files(page: Page, shop: Any) -> None:
    """Of the map and of the list alike: this time, the time that goes on, and what is on the screen as data."""
    for path, name in (("/map?test=1&as=map", "service-map.json"), ("/traces?", "traces.json")):
        page.goto(shop.url(path))
        page.get_by_role("button", name="Share").click()
        share = page.get_by_role("dialog", name="Share")
        expect(share.get_by_label("Link")).to_have_value(re.compile(r"[?&]from=\d+&to=\d+"))
        expect(share.get_by_role("button", name="Live link")).to_be_visible()
        with page.expect_download() as download:
            share.get_by_role("link", name="JSON").click()
        assert download.value.suggested_filename == name
        assert json.loads(download.value.path().read_bytes()).keys() & {"nodes", "traces"}


def test_the_header_fits_with_every_choice(page: Page, shop: Any) -> None:
    """Accounts, regions and environments with long names, down to the width at which controls fold."""
    ends = [{"value": f"eu-production-{n}", "traces": n} for n in (2, 1)]
    accounts, regions = ["111111111111", "222222222222"], ["ap-northeast-1", "eu-central-1"]
    places = {"from": 0, "to": 900, "accounts": accounts, "regions": regions, "environments": ends}
    page.route("**/api/v1/places?*", lambda route: route.fulfill(json=places))
    for width in (1440, 1280, 1024, 800):
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(shop.url("/map?as=list"))
        expect(page.get_by_label("Environment", exact=True)).to_be_visible()
        header = "document.querySelector('.header')"
        wait_until(page, f"{header}.scrollWidth <= {header}.clientWidth")
        wait_until(page, f"{header}.clientHeight <= 84")


def test_a_phone_has_one_line_of_controls(page: Page, shop: Any) -> None:
    """The rest opens below it, and the problems have a line; rows say of what type they are. 720 is a laptop's screen at 200 %."""
    for width, height in ((390, 844), (720, 450)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(shop.url("/map?as=list"))
        row = page.get_by_role("row").filter(has_text=shop.payments)
        expect(row.get_by_text("AWS::Lambda::Function", exact=True)).to_be_visible()
        wait_until(page, "document.querySelector('.problem-strip').getBoundingClientRect().y <= 60")
        wait_until(page, "document.querySelector('.map-frame').getBoundingClientRect().y <= 110")
        wait_until(page, f"document.documentElement.scrollWidth <= {width}")
        picker = page.get_by_role("button", name=re.compile("^Time range"))
        expect(picker).to_have_count(0)
        toggle = page.get_by_role("button", name="Time, filter and search: 15m")
        toggle.click()
        expect(picker).to_be_visible()
        expect(page.get_by_role("textbox", name="Filter")).to_be_visible()
        toggle.click()
        expect(picker).to_have_count(0)


IN_ITS_FRAME = """() => {
  const legend = document.querySelector('[role=group][aria-label=Legend]')
  const last = [...legend.querySelectorAll('button')].at(-1)
  const right = legend.getBoundingClientRect().right
  return last.getBoundingClientRect().right <= right && right <= 720
}"""


def test_the_legend_stays_in_its_frame(page: Page, site: MemorySite) -> None:
    """Also on a laptop's screen at 200 %."""
    page.set_viewport_size({"width": 720, "height": 450})
    serve_map(page, lambda: service_map([map_node("web", fault=3)]))
    open_map(page, site.http + "/map?as=map")
    legend = page.get_by_role("group", name="Legend")
    expect(legend.get_by_role("button").last).to_be_visible()
    wait_until(page, f"({IN_ITS_FRAME})()")


def test_dark_and_light(page: Page, shop: Any) -> None:
    """The system's scheme counts until the switch is used, which is remembered."""
    body = page.locator("body")
    page.emulate_media(color_scheme="dark")
    open_map(page, shop.url("/map?test=1"))
    expect(body).to_have_css("background-color", "rgb(15, 20, 26)")
    page.get_by_role("button", name=re.compile("^Colours:")).click()
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    page.reload()
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.parametrize("has_traces", [True, False])
def test_an_empty_map_says_what_to_do(page: Page, raymap_server: Any, has_traces: bool) -> None:
    """A store that has never received a trace shows the commands that send one."""

    def answer(route: Route) -> None:
        empty = service_map([], has_traces=has_traces)
        route.fulfill(content_type="application/json", body=json.dumps(empty))

    page.route("**/api/map?*", answer)
    page.goto(raymap_server.http + "/map")
    if has_traces:
        expect(page.get_by_role("heading", name="No traces in this range")).to_be_visible()
        page.get_by_role("button", name="Last 24 hours").click()
        expect(page).to_have_url(re.compile("range=24h"))
    else:
        host, _, port = raymap_server.udp.rpartition(":")
        setting = f"export AWS_XRAY_DAEMON_ADDRESS={host}:{port}"
        expect(page.get_by_text(setting)).to_be_visible()
        expect(
            page.get_by_text(f"raymap demo --url {raymap_server.http}", exact=True)
        ).to_be_visible()


def test_a_failed_refresh_keeps_the_last_map(page: Page, shop: Any) -> None:
    """The map stays, a banner says why and offers to try again."""
    body = {"error": {"code": "Unavailable", "message": "the store does not answer"}}
    fails: list[bool] = []

    def answer(route: Route) -> None:
        if fails:
            route.fulfill(status=503, json=body)
        else:
            route.continue_()

    # Before the page is opened: the first request after interception begins may pass by it.
    page.route("**/api/map?*", answer)
    open_map(page, shop.url("/map?test=1"))
    fails.append(True)
    page.keyboard.press("[")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("503 the store does not answer")
    expect(node(page, shop.payments)).to_be_visible()
    fails.clear()
    page.keyboard.press("]")
    expect(alert).to_have_count(0)


def test_an_unreachable_server_is_said_so(page: Page, site: MemorySite) -> None:
    """No endless skeleton when nothing answers."""
    page.route("**/api/**", lambda route: route.abort())
    page.goto(site.http + "/map")
    expect(page.get_by_role("alert")).to_contain_text("the server does not answer")
    expect(page.get_by_role("button", name="Server status: No connection")).to_be_visible()


STATUS: dict[str, Any] = {
    "version": "1",
    "ready": True,
    "detail": "",
    "problems": [],
    "has_traces": False,
    "unhealthy": {"share": 0.05, "count": 2},
    "ingest": {
        "received": 0,
        "stored": 0,
        "rejected": 0,
        "dropped": 0,
        "kernel_drops": 0,
        "rejected_by_reason": {},
        "queued": 0,
        "journal_bytes": 0,
        "oldest_s": 0,
    },
}


def test_a_server_that_received_nothing_waits(page: Page, site: MemorySite) -> None:
    """The first visit does not claim that anything arrives."""
    page.route("**/api/status", lambda route: route.fulfill(json=STATUS))
    serve_map(page, lambda: service_map([], has_traces=False))
    page.goto(site.http + "/map")
    expect(page.get_by_role("button", name="Server status: Waiting")).to_be_visible()


def test_a_failed_check_is_slow_while_the_map_is_fresh(page: Page, site: MemorySite) -> None:
    """Red would contradict the map beside it: it takes two failed checks and old data."""
    received = {**STATUS["ingest"], "received": 5}
    unready = {**STATUS, "ready": False, "detail": "slow", "problems": ["slow"], "ingest": received}
    checks: list[None] = []

    def answer(route: Route) -> None:
        checks.append(None)
        route.fulfill(json=unready)

    page.route("**/api/status", answer)
    serve_map(page, lambda: service_map([map_node("web")]))
    page.clock.install()
    open_map(page, site.http + "/map")
    corner = page.get_by_role("button", name="Server status: Slow", exact=True)
    until_later(page, corner.is_visible, "the first check is known")
    seen = len(checks)
    until_later(page, lambda: len(checks) >= seen + 2, "further checks")
    expect(corner).to_be_visible()


def test_estimated_figures_say_so(page: Page, raymap_server: Any) -> None:
    """One span in eight was sampled: the label has the rate for all, the panel says from how many."""
    shop = send_shop(raymap_server)
    start = time.time_ns() - 2_000_000_000
    span = {
        "traceId": f"{start // 1_000_000_000:08x}{secrets.token_hex(5)}{'f' * 14}",
        "spanId": secrets.token_hex(8),
        "traceState": "ot=th:e",
        "name": "GET",
        "kind": 2,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 50_000_000),
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "sampled"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    raymap_server.post("/v1/traces", body)
    raymap_server.picture("sampled")
    open_map(page, shop.url("/map?test=1"))
    expect(node(page, "sampled")).to_be_visible()
    expect(node(page, "sampled")).to_have_attribute("aria-label", re.compile(r", ≈[0-9.]+/min"))
    expect(node(page, shop.payments)).not_to_have_attribute("aria-label", re.compile("≈"))
    node(page, "sampled").click()
    details = page.get_by_role("complementary", name="Details")
    words = "Scaled: 1 request received stands for 8, by how they were sampled"
    expect(details.get_by_text(words, exact=True)).to_be_visible()
