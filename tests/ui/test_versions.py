"""Versions, deployments and the scope in a real browser, some days ago: other tests look at now, or at other days."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import requests_counted
from tests.waiting import eventually

pytestmark = pytest.mark.browser


class Canary(NamedTuple):
    """A service in production with two versions, and one in development."""

    url: str
    name: str
    other: str


def document(at: float, service: str, version: str, stage: str, **more: Any) -> dict[str, Any]:
    """A segment of a service's version in an environment; ``at``: its start (epoch seconds)."""
    return {
        "trace_id": f"1-{int(at):08x}-{secrets.token_hex(12)}",
        "id": secrets.token_hex(8),
        "name": service,
        "origin": "AWS::ECS::Container",
        "start_time": at,
        "end_time": at + 0.2,
        "service": {"version": version},
        "annotations": {"deployment.environment": stage},
        **more,
    }


@pytest.fixture(scope="module")
def canary(raymap_server: Any) -> Canary:
    start = time.time() - 5 * 86_400
    name, other = f"checkout-{secrets.token_hex(3)}", f"trial-{secrets.token_hex(3)}"

    raymap_server.send(
        *(document(start + n, name, "41", "prod") for n in range(6)),
        *(document(start + n, name, "42", "prod", fault=n == 0) for n in range(2)),
        document(start + 1, other, "7", "dev"),
    )
    raymap_server.post("/api/v1/deployments", {"service": name, "version": "42", "at": start + 1})
    window = f"from={int(start) - 60}&to={int(start) + 60}"

    requests = {name: 8, other: 1}
    eventually(lambda: requests_counted(raymap_server, window, requests), "the map counts them")
    return Canary(f"{raymap_server.http}/map?test=1&{window}", name, other)


def node(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=re.compile(f"^{name}, (?!client)")).first


def test_the_panel_lists_versions_and_marks_deployments(page: Page, canary: Canary) -> None:
    """Each version with its share; the chart over time has the deployment."""
    page.goto(canary.url)
    node(page, canary.name).click()
    details = page.get_by_role("complementary", name="Details")
    rows = details.locator("table.versions tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text(re.compile("v41.*75 ?%.*6"))
    expect(rows.nth(1)).to_contain_text(re.compile("v42.*25 ?%.*2"))
    chart = details.get_by_role("img", name=re.compile("Statuses over time"))
    expect(chart.locator(".annotation-text")).to_have_text(f"{canary.name} v42")
    rows.nth(1).get_by_role("link", name="v42").click()
    expect(page).to_have_url(re.compile(r"/traces\?.*version"))
    expect(page.locator("table tbody tr")).to_have_count(2)


def test_the_map_is_split_by_version(page: Page, canary: Canary) -> None:
    """What is chosen is in the address; the panel and the list behind its numbers are those of the part."""
    page.goto(canary.url)
    page.get_by_label("Group by").select_option("version")
    expect(page).to_have_url(re.compile(r"[?&]group_by=version"))
    old, new = (node(page, f"{canary.name} · {version}") for version in ("41", "42"))
    expect(old).to_have_attribute("aria-label", re.compile("100 % OK$"))
    expect(new).to_have_attribute("aria-label", re.compile("50 % Fault"))
    expect(node(page, canary.name + ",")).to_have_count(0)
    new.click()
    details = page.get_by_role("complementary", name="Details")
    title = f"{canary.name} · 42"
    expect(details.get_by_role("heading", name=title, exact=True)).to_be_visible()
    details.get_by_role("link", name="1", exact=True).first.click()
    expect(page).to_have_url(re.compile(r"/traces\?.*group_by=version.*status=fault"))
    expect(page.locator("table tbody tr")).to_have_count(1)
    expect(page.locator(".chip.is-on", has_text=title)).to_be_visible()
    page.reload()
    expect(page.locator(".chip.is-on", has_text=title)).to_be_visible()
    page.goto(f"{canary.url}&group_by=version")
    expect(new).to_be_visible()
    page.get_by_label("Group by").select_option("")
    expect(page).not_to_have_url(re.compile("group_by"))
    expect(node(page, canary.name)).to_be_visible()


SEEN_VERSIONS = """performance.getEntriesByType('resource').map((one) => new URL(one.name))
  .filter(({ pathname }) => pathname.endsWith('/versions')).map((url) => url.searchParams.get('nodes'))"""
"""Nodes whose versions were requested, a text for each request."""
RING = """(name) => {
  const node = [...__map.scene.nodes.values()].find(({ data }) => data.name === name && data.kind !== 'client')
  const canvas = document.querySelector('.map canvas')
  const { k, tx, ty } = __map.camera
  const colour = (angle, radius) => {
    const [x, y] = [node.x + radius * Math.cos(angle), node.y + radius * Math.sin(angle)]
    const at = [x * k + tx, y * k + ty].map((one) => Math.round(one * devicePixelRatio))
    return [...canvas.getContext('2d').getImageData(...at, 1, 1).data].slice(0, 3)
  }
  const around = (radius) => {
    const seen = new Map()
    for (let step = 0; step < 72; step++) {
      const [red, green] = colour((step / 72) * Math.PI * 2, radius)
      const word = red > green + 60 ? 'fault' : green > red + 30 ? 'ok' : ''
      seen.set(word, (seen.get(word) ?? 0) + 1)
    }
    return seen
  }
  const inner = around(19.8)
  return { fault: inner.get('fault') ?? 0, ok: inner.get('ok') ?? 0 }
}"""
"""What is drawn inside the ring of a node, in 72 places around it."""


def test_the_map_shows_a_deployment_that_goes_on(
    page: Page, canary: Canary, raymap_server: Any
) -> None:
    """A ring of the new version inside the node's, half of whose requests failed, and the shares that the panel
    has; versions of a service that was not deployed are not requested."""
    page.goto(canary.url)
    words = "v41 75 % · v42 25 %"
    deployed = page.get_by_role("button", name=f"{canary.name}, AWS::ECS::Container · {words}")
    expect(deployed).to_be_attached()
    expect(page.get_by_role("group", name="Legend")).to_contain_text("Inner ring new version")
    expect(node(page, canary.other)).not_to_have_accessible_name(re.compile("v7"))
    assert set(page.evaluate(SEEN_VERSIONS)) == {deployed.get_attribute("data-node")}

    def has_ring() -> bool:
        drawn = page.evaluate(RING, canary.name)
        return all(24 <= drawn[state] <= 40 for state in ("fault", "ok"))

    eventually(has_ring, "half of the inner ring is a fault's")
    assert page.evaluate(RING, canary.other) == {"fault": 0, "ok": 0}
    node(page, canary.name).click()
    rows = page.get_by_role("complementary", name="Details").locator("table.versions tbody tr")
    expect(rows).to_have_count(2)
    panel = [row.locator("td").all_inner_texts()[:2] for row in rows.all()]
    assert " · ".join(f"{version} {share}" for version, share in panel) == words
    window = canary.url.split("test=1&")[1]
    path = f"/api/v1/nodes/{deployed.get_attribute('data-node')}/versions?{window}"
    lines = raymap_server.get(path)["versions"]
    assert [(line["version"], line["share"]) for line in lines] == [("41", 0.75), ("42", 0.25)]


def test_the_legend_says_of_how_many_services(page: Page, raymap_server: Any) -> None:
    """Six were deployed to; the five last have a ring."""
    start, made = time.time() - 4 * 86_400, secrets.token_hex(3)
    names = [f"service-{number}-{made}" for number in range(6)]
    raymap_server.send(
        *(document(start, name, version, "prod") for name in names for version in ("1", "2"))
    )
    for number, name in enumerate(names):
        report = {"service": name, "version": "2", "at": start + number / 10}
        raymap_server.post("/api/v1/deployments", report)
    window = f"from={int(start) - 60}&to={int(start) + 60}"

    requests = dict.fromkeys(names, 2)
    eventually(lambda: requests_counted(raymap_server, window, requests), "the map counts them")
    page.goto(f"{raymap_server.http}/map?test=1&{window}")
    legend = page.get_by_role("group", name="Legend")
    expect(legend).to_contain_text("Inner ring new version, 5 of 6 services")
    expect(node(page, names[5])).to_have_accessible_name(re.compile("v1 50 % · v2 50 %"))
    expect(node(page, names[0])).not_to_have_accessible_name(re.compile("v2"))


def test_a_filtered_map_shows_no_deployment(page: Page, canary: Canary) -> None:
    """Its counts are of some traces, those of versions of all."""
    page.goto(f"{canary.url}&filter=ok")
    expect(node(page, canary.name)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SEEN_VERSIONS) == []
    expect(page.get_by_role("group", name="Legend")).not_to_contain_text("Inner ring")


def test_one_picker_narrows_every_page(page: Page, canary: Canary) -> None:
    """It offers what there is more than one of, and is part of the address."""
    page.goto(canary.url)
    expect(node(page, canary.other)).to_be_visible()
    scope = page.get_by_role("group", name="Scope")
    expect(scope.get_by_role("combobox")).to_have_count(1)
    scope.get_by_label("Environment").select_option("prod")
    expect(page).to_have_url(re.compile("environment=prod"))
    expect(node(page, canary.other)).to_have_count(0)
    expect(node(page, canary.name)).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Traces").click()
    expect(page).to_have_url(re.compile("environment=prod"))
    expect(page.locator("table tbody tr")).to_have_count(8)
    scope.get_by_label("Environment").select_option("")
    expect(page.locator("table tbody tr")).to_have_count(9)
