"""axe-core on every page, theme and width: no finding of any level. And what axe cannot see: arrow keys, focus."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import ui
from raymap.administration.settings_routes import render_groups
from raymap.shown_settings import by_group
from tests.raymap.test_shown_settings import shown
from tests.ui.conftest import PATIENCE_S, show_controls, wait_until
from tests.ui.declarations import serve_declared
from tests.ui.maps import grid_map, serve_map, service_map
from tests.ui.memory_site import MemorySite

pytestmark = pytest.mark.browser

AXE = Path(ui.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
Opening = Callable[[Page, Any], None]


@pytest.fixture(scope="module")
def site(memory_site: MemorySite) -> MemorySite:
    """From memory: what axe judges is made in the browser."""
    return memory_site


WIDTHS = (390, 1440)
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""The rules whose findings depend on the theme."""


def findings(page: Page, only: dict[str, Any] | None = None) -> list[str]:
    """What axe finds, best practices included; or by some rules only."""
    options = {"resultTypes": ["violations"], **({"runOnly": only} if only else {})}
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:200]}"
        for each in found
        for node in each["nodes"]
    ]


def findings_in_both_themes(page: Page) -> list[str]:
    """What axe finds, light or dark; what does not depend on colours is checked once."""
    found = findings(page)
    page.emulate_media(color_scheme="dark")
    wait_until(page, "getComputedStyle(document.body).backgroundColor === 'rgb(15, 20, 26)'")
    found += findings(page, COLOURS)
    page.emulate_media(color_scheme="light")
    return found


def service_button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=re.compile(f"^{name}, (?!client)")).first


def open_map(page: Page, shop: Any) -> None:
    page.goto(shop.url("/map?as=map"))
    expect(page.locator("[data-node]").first).to_be_attached()


def open_time_strip(page: Page, shop: Any) -> None:
    """Which a narrow screen opens on request only."""
    open_map(page, shop)
    page.get_by_role("button", name="Time strip").click()
    expect(page.get_by_role("slider", name="Shown time")).to_be_visible()


def open_list(page: Page, shop: Any) -> None:
    page.goto(shop.url("/map?as=list"))
    expect(page.get_by_role("table", name="Services")).to_be_visible()


def open_details(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/map?as=map&sel={shop.node_id(shop.payments)}"))
    expect(page.locator(".chart .bars").first).to_be_attached()


def open_options(page: Page, shop: Any) -> None:
    open_map(page, shop)
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_label("Only unhealthy services")).to_be_visible()


def open_keys(page: Page, shop: Any) -> None:
    open_map(page, shop)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def open_large_map(page: Page, shop: Any) -> None:
    serve_map(page, lambda: {**grid_map(400, 20), "left_out": 600, "total_nodes": 1000})
    open_map(page, shop)
    page.get_by_role("button", name="Zoom in").click()
    expect(page.get_by_role("button", name=re.compile("outside the view"))).to_be_visible()


def open_first_run(page: Page, shop: Any) -> None:
    serve_map(page, lambda: service_map([], ever=False, has_traces=False))
    page.goto(shop.url("/map"))
    expect(page.get_by_role("tab", name="Zipkin")).to_be_visible()


def open_failure(page: Page, shop: Any) -> None:
    def fail(route: Route) -> None:
        body = {"error": {"code": "Unavailable", "message": "the store does not answer"}}
        route.fulfill(status=503, content_type="application/json", body=json.dumps(body))

    page.route("**/api/map?*", fail)
    page.goto(shop.url("/map"))
    expect(page.get_by_role("alert")).to_be_visible()


def open_traces(page: Page, shop: Any) -> None:
    page.goto(shop.url("/traces?status=fault"))
    expect(page.locator(".chart path.point").first).to_be_attached()


def open_trace(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/traces/{shop.trace_id}?seg={shop.payments_id}"))
    expect(page.get_by_role("heading", name="PaymentError")).to_be_visible()


def open_trace_map(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=map"))
    expect(service_button(page, shop.payments)).to_be_attached()


def open_raw(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=raw"))
    expect(page.get_by_text(f'"{shop.trace_id}"').first).to_be_visible()


def open_unknown(page: Page, shop: Any) -> None:
    page.goto(shop.url("/nowhere"))
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()


def open_filter_error(page: Page, shop: Any) -> None:
    page.goto(shop.url("/traces?filter=fault+AND+respnsetime+>+2"))
    expect(page.locator(".cm-lintRange-error")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_visible()


def open_filter_completion(page: Page, shop: Any) -> None:
    page.goto(shop.url("/traces"))
    show_controls(page)
    page.get_by_role("textbox", name="Filter").focus()
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.type("fau")
    expect(page.get_by_role("option", name="fault")).to_be_visible()


def open_filtered_map(page: Page, shop: Any) -> None:
    page.goto(shop.url("/map?as=map&filter=fault"))
    expect(page.get_by_text(re.compile("^Counted from"))).to_be_visible()


def open_fault_list(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/traces?node={shop.node_id(shop.payments)}&error=fault:PaymentError"))
    show_controls(page)
    expect(page.get_by_text("Error: PaymentError")).to_be_visible()
    expect(page.get_by_role("table", name="Traces")).to_be_visible()


def open_differences(page: Page, shop: Any) -> None:
    found = {"filter": 'annotation.tier = "plus"', "selected": 60, "rest": 70, "same": ["fault"]}
    answer = {
        "selected": 68,
        "rest": 332,
        "words": "68 faults against 332 other traces in the same window",
        "attributes": [found],
        "distinct": [{"field": "annotation.order_id", "values": 66}],
    }
    page.route("**/api/traces/differences?*", lambda route: route.fulfill(json=answer))
    page.goto(shop.url("/traces?status=fault"))
    page.get_by_role("button", name="What sets these apart?").click()
    expect(page.get_by_role("table", name="Attributes that differ")).to_be_visible()


def open_groups(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/traces?{shop.window}&by=operation,annotation.tenant"))
    expect(page.get_by_role("table", name=re.compile("^Traces by"))).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_role("dialog", name="Columns")).to_be_visible()


def open_palette(page: Page, shop: Any) -> None:
    open_unknown(page, shop)
    page.keyboard.press("Control+k")
    expect(
        page.get_by_role("combobox", name="Service, trace id, page, view or time")
    ).to_be_focused()
    page.keyboard.type("pay")
    expect(page.get_by_role("option", name=re.compile("^payments")).first).to_be_visible()


def open_time_by_service(page: Page, shop: Any) -> None:
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=time"))
    expect(page.get_by_role("table", name="Time by service")).to_be_visible()


def open_comparison(page: Page, shop: Any) -> None:
    """With itself, where nothing differs but the marks of rows are drawn; the field is open."""
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=compare&with={shop.trace_id}"))
    expect(page.get_by_role("table", name="Differences")).to_be_visible()


def open_no_comparison(page: Page, shop: Any) -> None:
    answer = {"id": shop.trace_id, "trace": None, "compared": 0, "median_ms": None}
    page.route("**/typical", lambda route: route.fulfill(json=answer))
    page.goto(shop.url(f"/traces/{shop.trace_id}?tab=compare"))
    page.get_by_role("button", name="Compare with another").click()
    expect(page.get_by_label("Id of the trace to compare with")).to_be_visible()


def open_compared_environments(page: Page, shop: Any) -> None:
    """One of them fails more, and has a service less."""
    ends = [{"value": name, "count": 9} for name in ("prod", "staging")]
    places = {"from": 0, "to": 900, "accounts": [], "regions": [], "environments": ends}
    page.route("**/api/v1/places?*", lambda route: route.fulfill(json=places))
    counted = {"filtered": {"traces": 900, "complete": False}}
    maps = {"prod": grid_map(12), "staging": grid_map(11, 3)}

    def answer(route: Route) -> None:
        name = "staging" if "environment=staging" in route.request.url else "prod"
        route.fulfill(json={**maps[name], **counted})

    page.route("**/api/map?*", answer)
    page.goto(shop.url("/compare"))
    expect(page.get_by_role("table", name="Services of prod and staging")).to_be_visible()
    expect(page.get_by_text("only in prod")).to_be_visible()


GROUPS = {
    "Groups": [
        {"GroupName": "Default", "GroupARN": "arn"},
        {"GroupName": "slow", "GroupARN": "arn", "FilterExpression": "responsetime > 0.5"},
    ]
}


def open_group_form(page: Page, shop: Any) -> None:
    """Refused, beside the table."""
    page.route("**/Groups", lambda route: route.fulfill(json=GROUPS))
    page.goto(shop.url("/groups?new=1"))
    page.get_by_role("button", name="Delete the group slow").click()
    # It moves the button below when it comes: a click at the same moment would miss.
    preview = page.get_by_role("region", name="Matching traces")
    expect(preview.get_by_role("listitem")).not_to_have_count(0)
    expect(preview).to_contain_text("every trace")
    page.get_by_role("button", name="Create group").click()
    expect(page.get_by_role("alert")).to_contain_text("GroupName")


def open_rule_form(page: Page, shop: Any) -> None:
    page.goto(shop.url("/sampling?new=1"))
    page.get_by_label("Rate beyond it, %").fill("500")
    page.get_by_label("Name", exact=True).fill("rate")
    page.get_by_role("button", name="Create rule").click()
    expect(page.get_by_role("alert")).to_contain_text("FixedRate")
    expect(page.get_by_role("row", name=re.compile("Default"))).to_be_visible()


ATTEMPT = {"url": "https://a.example/", "attempts": 3, "at": 1795560401, "error": "answered 503"}
NODE = {"id": "n1", "name": "payments", "type": ""}
EVENT = {
    "id": "evt_1",
    "at": 1795560400,
    "state": "ALARM",
    "previous": "OK",
    "reason": "fault share breached in 3 of 5 minutes, the newest first: 100 %, 100 %, 100 %, 0 %, 0 %",
    "rule": "a rule",
    "value": 1.0,
    "start": 1795560000,
    "end": 1795560360,
    "nodes": [NODE],
    "edges": [{"id": "n1:n2", "source": NODE, "target": {**NODE, "id": "n2"}}],
    "deliveries": [{**ATTEMPT, "status": "failed"}],
}
ALARM = {
    "name": "faults",
    "kind": "metric",
    "selector": 'service("payments")',
    "metric": "fault_share",
    "comparison": ">=",
    "threshold": 0.05,
    "datapoints": 3,
    "periods": 5,
    "missing": "missing",
    "minimum": 1,
    "baseline": 1440,
    "notify": ["ALARM", "OK"],
    "webhooks": [{"url": "https://a.example/"}],
    "note": "call us",
    "created": 1795560000,
    "modified": 1795560000,
    "rule": 'fault share of service("payments") ≥ 5 % for 3 of 5 minutes',
    "state": "ALARM",
    "last": EVENT,
}
ALARMS = [
    ALARM,
    {**ALARM, "name": "fine", "state": "OK"},
    {**ALARM, "name": "new", "state": "INSUFFICIENT_DATA", "last": None},
]


def serve_alarms(page: Page) -> None:
    page.route("**/api/v1/alarms", lambda route: route.fulfill(json={"alarms": ALARMS}))
    details = {**ALARM, "history": [EVENT, {**EVENT, "id": "evt_0", "state": "OK"}]}
    page.route("**/api/v1/alarms/faults", lambda route: route.fulfill(json=details))


def open_alarms(page: Page, shop: Any) -> None:
    serve_alarms(page)
    page.goto(shop.url("/alarms?history=faults"))
    expect(page.get_by_role("table", name="Events")).to_contain_text("answered 503")
    page.get_by_role("button", name="Delete the alarm fine").click()


def open_alarm_form(page: Page, shop: Any) -> None:
    """Refused, beside the table."""
    serve_alarms(page)
    page.goto(shop.url("/alarms?new=1"))
    page.get_by_label("Name").fill("many")
    page.get_by_label("Threshold").fill("500")
    page.get_by_role("button", name="Create alarm").click()
    expect(page.get_by_role("alert")).to_contain_text("threshold of fault_share must be a share")


def open_settings_failure(page: Page, shop: Any) -> None:
    body = {"__type": "ServiceUnavailableException", "Message": "the store does not answer"}
    page.route("**/GetSamplingRules", lambda route: route.fulfill(status=503, json=body))
    page.goto(shop.url("/sampling"))
    expect(page.get_by_role("alert")).to_contain_text("503 the store does not answer")


def open_group_choices(page: Page, shop: Any) -> None:
    page.route("**/Groups", lambda route: route.fulfill(json=GROUPS))
    page.goto(shop.url("/traces"))
    show_controls(page)
    page.get_by_role("button", name="Groups", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("^slow"))).to_be_visible()


SOMEONE = {"name": "ana", "role": "admin", "via": "session", "tenant": ""}
KEY = {
    "id": "Q5XW3TMBZK7YHD2E",
    "name": "checkout",
    "role": "ingest",
    "tenant": "",
    "access_key_id": "RMAKQ5XW3TMBZK7YHD2E",
    "created": 1795560000,
    "expires": None,
    "revoked": None,
    "limits": {"documents_per_second": 500},
}
MEMBER = {"name": "ana", "role": "admin", "tenant": "", "created": 1795560000}
TENANT = {
    "name": "acme",
    "default": False,
    "created": 1795560000,
    "deleting": False,
    "limits": {"bytes_per_day": 1 << 30},
    "traces": 9,
    "documents": 99,
    "last_day": 9,
    "bytes": 1 << 20,
}


def serve_administration(page: Page, **session: Any) -> None:
    """Someone is signed in, and there is something to administer."""
    default = {**TENANT, "name": "default", "default": True, "created": None, "limits": None}
    issued = {"id": KEY["id"], "token": "rmk_a", "access_key_id": "RMAK", "secret_access_key": "s"}
    answers = {
        "**/auth/session": {**SOMEONE, **session},
        "**/api/v1/keys": {
            "keys": [KEY, {**KEY, "id": "OLD", "name": "old", "revoked": 1795560001}]
        },
        "**/api/v1/keys/*/rotate": issued,
        "**/api/v1/members": {"members": [MEMBER, {**MEMBER, "name": "gus", "tenant": "acme"}]},
        "**/api/v1/tenants*": {
            "tenants": [default, TENANT, {**TENANT, "name": "b", "deleting": True}]
        },
    }
    for path, answer in answers.items():
        page.route(path, partial(fulfill, answer))


def fulfill(answer: object, route: Route) -> None:
    route.fulfill(json=answer)


def open_members(page: Page, shop: Any) -> None:
    """A refused form, and a button that asks once more."""
    serve_administration(page)
    page.goto(shop.url("/members?new=1"))
    page.get_by_role("button", name="Remove gus").click()
    refused = {"error": {"code": "MemberExists", "message": "name 'ana' is taken"}}
    page.route("**/api/v1/members", lambda route: route.fulfill(status=409, json=refused))
    page.get_by_role("form").get_by_role("button", name="Add member").click()
    expect(page.get_by_role("alert")).to_contain_text("is taken")


def open_keys_of_senders(page: Page, shop: Any) -> None:
    """Those that ended, and the secrets of one that was made."""
    serve_administration(page)
    page.goto(shop.url("/keys"))
    page.get_by_label("Show 1 that ended").check()
    page.get_by_role("button", name=re.compile("^Rotate")).click()
    page.get_by_role("button", name=re.compile("^Yes, rotate")).click()
    expect(page.get_by_label("AWS_ACCESS_KEY_ID")).to_be_visible()


def open_key_form(page: Page, shop: Any) -> None:
    serve_administration(page)
    page.goto(shop.url("/keys?new=1"))
    expect(page.get_by_role("form").get_by_label("Tenant")).to_be_visible()


def open_tenants(page: Page, shop: Any) -> None:
    serve_administration(page)
    page.goto(shop.url("/tenants?delete=acme"))
    expect(page.get_by_role("form", name="Delete acme")).to_be_visible()


def open_server_settings(page: Page, shop: Any) -> None:
    groups = render_groups(by_group(shown("serve").values()))
    answer = {"version": "1", "groups": groups}
    page.route("**/api/v1/settings", lambda route: route.fulfill(json=answer))
    page.goto(shop.url("/settings"))
    expect(page.get_by_role("region", name="Redaction")).to_be_visible()


def open_audit_log(page: Page, shop: Any) -> None:
    event = {"at": 1795560400000000, "actor": "ana", "via": "session", "address": "::1"}
    change = {**event, "action": "change", "target": "user add eve editor"}
    events = [{**change, "outcome": "ok"}, {**change, "outcome": "409"}]
    answer = {"events": events, "before": 5}
    page.route("**/api/v1/audit?*", lambda route: route.fulfill(json=answer))
    page.goto(shop.url("/audit"))
    expect(page.get_by_role("link", name="Older")).to_be_visible()


def open_sign_in_is_off(page: Page, shop: Any) -> None:
    page.goto(shop.url("/members"))
    expect(page.get_by_text("Sign-in is off.")).to_be_visible()


def open_administrators_only(page: Page, shop: Any) -> None:
    serve_administration(page, role="viewer")
    page.goto(shop.url("/members"))
    expect(page.get_by_text("Only administrators")).to_be_visible()


def open_declared(page: Page, shop: Any) -> None:
    serve_declared(page, shop)
    page.goto(shop.url("/declared"))
    expect(page.get_by_role("table", name="Findings")).to_be_visible()


def open_declared_map(page: Page, shop: Any) -> None:
    serve_declared(page, shop)
    page.goto(shop.url("/map?as=map&declared=1"))
    page.get_by_role("button", name="invoices, AWS::DynamoDB::Table").click()
    expect(page.get_by_role("region", name="Declared")).to_be_visible()


PAGES: tuple[Opening, ...] = (
    *(open_map, open_time_strip, open_list, open_details, open_options, open_keys, open_large_map),
    *(
        open_first_run,
        open_failure,
        open_traces,
        open_trace,
        open_trace_map,
        open_raw,
        open_unknown,
        open_filter_error,
        open_filter_completion,
        open_filtered_map,
        open_fault_list,
        open_differences,
        open_groups,
        open_palette,
        open_time_by_service,
        open_comparison,
        open_no_comparison,
        open_group_form,
        open_rule_form,
        open_alarms,
        open_alarm_form,
        open_declared,
        open_declared_map,
        open_settings_failure,
        open_group_choices,
        open_compared_environments,
        open_members,
        open_keys_of_senders,
        open_key_form,
        open_tenants,
        open_server_settings,
        open_audit_log,
        open_sign_in_is_off,
        open_administrators_only,
    ),
)


@pytest.fixture(scope="module")
def inspected(browser: Browser) -> Iterator[Page]:
    """One page for all openings, with axe in every document."""
    context = browser.new_context(timezone_id="UTC", reduced_motion="reduce")
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    yield page
    context.close()


@pytest.mark.parametrize("opening", PAGES, ids=lambda each: each.__name__.removeprefix("open_"))
def test_axe_finds_nothing(inspected: Page, lasting_shop: Any, opening: Opening) -> None:
    """Whatever is on the screen, narrow and then wide: what is open stays so, and opening is most of the cost."""
    inspected.unroute_all()
    inspected.goto("about:blank")  # or the page before is drawn anew for the width
    inspected.emulate_media(color_scheme="light")
    found: list[str] = []
    for width in WIDTHS:
        inspected.set_viewport_size({"width": width, "height": 844})
        if width == WIDTHS[0]:
            opening(inspected, lasting_shop)
        found += [f"{width} px: {each}" for each in findings_in_both_themes(inspected)]
    assert found == []


def test_axe_would_find_something(inspected: Page, lasting_shop: Any) -> None:
    """The check itself works, for structure and for colours."""
    open_unknown(inspected, lasting_shop)
    inspected.evaluate(
        """() => {
          const main = document.querySelector('main')
          main.append(document.createElement('input'))
          const faint = document.createElement('p')
          faint.textContent = 'faint'
          faint.style.cssText = 'color: #777; background: #666'
          main.append(faint)
        }"""
    )
    assert any(each.startswith("label") for each in findings(inspected))
    assert any(each.startswith("color-contrast") for each in findings(inspected, COLOURS))


@pytest.mark.parametrize("key", ["ArrowRight", "End"])
def test_arrow_keys_move_between_tabs(page: Page, lasting_shop: Any, key: str) -> None:
    """One stop of the Tab key; the chosen tab has the focus."""
    page.goto(lasting_shop.url(f"/traces/{lasting_shop.trace_id}"))
    tabs = page.get_by_role("tablist", name="Views of the trace").get_by_role("tab")
    tabs.first.focus()
    page.keyboard.press(key)
    reached = tabs.nth(1) if key == "ArrowRight" else tabs.last
    expect(reached).to_be_focused()
    expect(reached).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    expect(tabs.first).to_be_focused()
    expect(page.locator("[role=tab][tabindex='0']")).to_have_count(1)


def test_the_focus_moves_with_the_page(page: Page, shop: Any) -> None:
    """To the content, from where Tab goes on."""
    page.goto(shop.url("/traces"))
    page.locator(f'a[href^="/traces/{shop.trace_id}"]').click()
    expect(page.get_by_role("main", name="Trace")).to_be_focused()
    page.get_by_role("link", name="This time on the map").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main", name="Service map")).to_be_focused()


def test_details_opened_by_keyboard_have_the_focus_and_give_it_back(page: Page, shop: Any) -> None:
    """Enter on a service, Escape back to it."""
    open_map(page, shop)
    button = service_button(page, shop.payments)
    page.keyboard.press("Tab")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Details")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
