"""/api/v1/alarms."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.alarms.evaluator import AlarmEvaluator
from api.alarms.render import masked
from api.alarms.webhook import NO_ANSWER
from api.app import create_app
from api.may_edit import MAY_EDIT
from api.reach import Destinations
from api.schemas.alarms import AlarmDetails, AlarmList, AlarmPreview
from store.alarms import MAX_ALARMS, Alarm, Delivery, DeliveryStatus
from store.config import records
from store.memory import MemoryStore
from tests.api.alarms.receiver import receiver
from tests.api.alarms.traffic import HOOK, SECRET, Clock, alarm, send
from tests.api.console.test_map import get
from tests.builders import T0

PATH = "/api/v1/alarms"
RULE: dict[str, Any] = {
    "selector": 'service("front")',
    "metric": "fault_share",
    "threshold": 0.5,
    "datapoints": 3,
    "periods": 5,
}


class Site:
    """An app over traffic, with a clock."""

    def __init__(self, *hosts: str, public_only: bool = False) -> None:
        self.store, self.clock = MemoryStore(), Clock()
        webhooks = Destinations(hosts, public_only)
        self.app = create_app(self.store, version="1", clock=self.clock, webhooks=webhooks)
        self.client = TestClient(self.app)

    def put(self, name: str = "faults", **body: object) -> Any:
        return self.client.put(f"{PATH}/{name}", json={**RULE, **body})

    def stored(self, name: str = "faults") -> Alarm:
        return records.read(self.store.read_configuration(), Alarm)[name]


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_alarm_is_created_listed_and_removed(site: Site) -> None:
    reply = site.put(webhooks=[{"url": HOOK, "secret": SECRET}], note="call  us")
    assert reply.status_code == 200, reply.text
    line = reply.json()
    assert line["state"] == "INSUFFICIENT_DATA"
    assert line["last"] is None
    assert line["rule"] == 'fault share of service("front") ≥ 50 % for 3 of 5 minutes'
    assert get(site.client, PATH, AlarmList)["alarms"] == [line]
    details = get(site.client, f"{PATH}/faults", AlarmDetails)
    assert details == {**line, "history": []}
    for _ in range(2):
        assert site.client.delete(f"{PATH}/faults").status_code == 204
    assert get(site.client, PATH, AlarmList)["alarms"] == []
    assert site.client.get(f"{PATH}/faults").json()["error"]["code"] == "NoSuchAlarm"


def test_a_preview_fires_when_the_evaluator_does(site: Site) -> None:
    """At the minute after which the stored alarm changes; nothing is stored."""
    for minute in range(20):
        send(site.store, minute, faults=6 if minute in {4, 5, 6, 7, 14, 15, 16} else 0)
    site.clock.at(20, 30)
    reply = site.client.post(f"{PATH}/preview", json=RULE)
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert set(found) == set(AlarmPreview.__annotations__) | {"from", "to"}
    assert len(found["values"]) == 1440
    assert [value is None for value in found["values"][-21:]].count(False) == 20
    assert len([value for value in found["values"] if value and value >= 0.5]) == 7
    assert get(site.client, PATH, AlarmList)["alarms"] == []
    site.put()
    evaluator = AlarmEvaluator(site.store, site.clock)
    begun = []
    for minute in range(1, 21):
        site.clock.at(minute, 30)
        begun += [minute for event in evaluator.evaluate() if event.verdict.state == "ALARM"]
    start = found["to"] - 20 * 60
    assert [round((at - start) / 60) for at in found["fired"]] == begun
    assert len(begun) == 2


def test_a_preview_is_of_metrics(site: Site) -> None:
    reply = site.client.post(f"{PATH}/preview", json={"kind": "new_edge"})
    assert reply.status_code == 400
    assert "kind must be metric for a preview" in reply.json()["error"]["message"]


def test_secrets_are_never_shown(site: Site) -> None:
    """One that is not given again stays."""
    hook = {"url": HOOK, "secret": SECRET}
    replies = [site.put(webhooks=[hook]), site.put(webhooks=[{"url": HOOK}], threshold=0.6)]
    replies += [site.client.get(PATH), site.client.get(f"{PATH}/faults")]
    assert [reply.status_code for reply in replies] == [200] * 4
    assert all(SECRET[6:] not in reply.text for reply in replies)
    assert site.stored().webhooks[0].secret == SECRET
    assert site.stored().threshold == 0.6
    moved = site.put(webhooks=[{"url": HOOK + "/other"}])
    assert moved.status_code == 400
    assert "webhooks[0].secret must be whsec_" in moved.json()["error"]["message"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.com/services/T0/secret?token=x#y", "https://hooks.example.com/…"),
        ("http://user:password@hooks.internal:8080/x", "http://hooks.internal:8080/…"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443/…"),
    ],
)
def test_what_is_left_of_a_masked_url(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_who_may_not_edit_sees_no_paths_of_webhooks(site: Site) -> None:
    """Neither in the rule nor in the deliveries of its events, nor in what an attempt has said."""
    site.put(webhooks=[{"url": HOOK, "secret": SECRET}])
    for minute in range(10):
        send(site.store, minute, faults=6 if minute >= 3 else 0)
    evaluator = AlarmEvaluator(site.store, site.clock)
    for minute in range(1, 11):
        site.clock.at(minute, 30)
        evaluator.evaluate()
    (whole,) = get(site.client, PATH, AlarmList)["alarms"]
    assert whole["last"] is not None
    delivery = Delivery(
        whole["last"]["id"], HOOK, DeliveryStatus.FAILED, 1, 1_000_000, f"no answer of {HOOK}"
    )
    site.store.put_delivery(delivery)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        await site.app({**scope, MAY_EDIT: False}, receive, send)

    viewer = TestClient(guarded)
    for path in (PATH, f"{PATH}/faults"):
        editors = site.client.get(path)
        viewers = viewer.get(path)
        assert HOOK in editors.text
        assert HOOK not in viewers.text
        assert viewers.text == editors.text.replace(HOOK, masked(HOOK))


def test_states_and_history(site: Site) -> None:
    """An alarm that is edited retains them."""
    assert site.put(webhooks=[{"url": HOOK, "secret": SECRET}]).status_code == 200
    for minute in range(10):
        send(site.store, minute, faults=6 if minute >= 3 else 0)
    evaluator = AlarmEvaluator(site.store, site.clock)
    for minute in range(1, 11):
        site.clock.at(minute, 30)
        evaluator.evaluate()
    site.put(note="x", webhooks=[{"url": HOOK}])
    (line,) = get(site.client, PATH, AlarmList)["alarms"]
    details = get(site.client, f"{PATH}/faults", AlarmDetails)
    assert line["state"] == "ALARM"
    assert line["last"] == details["history"][0]
    assert [each["state"] for each in details["history"]] == ["ALARM", "OK"]
    fired = details["history"][0]
    assert fired["at"] == T0 / 1e6 + 6 * 60 + 30
    assert fired["nodes"][0]["name"] == "front"
    assert fired["deliveries"] == [
        {"url": HOOK, "status": "waiting", "attempts": 0, "at": None, "error": ""}
    ]
    assert len(get(site.client, f"{PATH}/faults?limit=1", AlarmDetails)["history"]) == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "gauge"}, "kind must be one of metric, new_edge, vanished_edge, new_caller"),
    ({"thresold": 1}, "'thresold' is unknown of a metric alarm, expected comparison"),
    ({"baseline": 60}, "'baseline' is unknown of a metric alarm"),
    ({"metric": None}, "metric"),
    ({"metric": "faults"}, "metric must be one of fault_share, error_share"),
    ({"metric": "platform:"}, "metric must be one of"),
    ({"threshold": None}, "threshold must be given"),
    ({"threshold": "high"}, "threshold must be a number"),
    ({"threshold": 5}, "threshold of fault_share must be a share, 0 to 1, got 5"),
    ({"comparison": ">"}, "comparison must be >= or <="),
    ({"datapoints": 6}, "datapoints must be at most periods (5), got 6"),
    ({"datapoints": 0}, "datapoints must be 1 to 60, got 0"),
    ({"periods": 61}, "periods must be 1 to 60, got 61"),
    ({"periods": 2.5}, "periods must be"),
    ({"missing": "drop"}, "missing must be one of breaching, notBreaching, ignore, missing"),
    ({"minimum": 0}, "minimum must be 1 to"),
    ({"selector": "service("}, "selector: "),
    ({"selector": "fault"}, "selector: expected service(…), edge(…)"),
    ({"selector": 'service("a") {fault}'}, "selector: expected service(…), edge(…)"),
    ({"selector": "x" * 2001}, "selector must have at most 2000 characters"),
    ({"metric": "platform:Errors", "selector": ""}, "selector must name a node"),
    ({"metric": "platform:Errors", "selector": 'edge("a", "b")'}, "selector must be service(…)"),
    ({"version": "42", "selector": ""}, "selector must name a node"),
    ({"version": "42", "selector": 'edge("a", "b")'}, "selector must be service(…)"),
    ({"version": "42", "metric": "platform:Errors"}, "version must be left out"),
    ({"version": "4" * 201}, "version must have at most 200"),
    ({"notify": ["BROKEN"]}, "notify must be one of OK, ALARM, INSUFFICIENT_DATA"),
    ({"notify": "ALARM"}, "notify must be a list"),
    ({"webhooks": [{"url": "x"}]}, "webhooks[0].url must be like https://host/path"),
    ({"webhooks": [{"url": HOOK}]}, "webhooks[0].secret must be whsec_"),
    ({"webhooks": [{"url": HOOK, "secret": SECRET}] * 2}, "webhooks[1].url is there twice"),
    ({"webhooks": [{"url": HOOK, "secret": SECRET}] * 6}, "webhooks may have 5 elements"),
    ({"webhooks": ["x"]}, "webhooks[0] must be an object"),
    ({"note": "x" * 501}, "note must have at most 500"),
]
BAD_TOPOLOGY: list[tuple[dict[str, Any], str]] = [
    ({"kind": "new_caller"}, "selector must name a node"),
    ({"kind": "new_caller", "selector": 'edge("a", "b")'}, "selector must be service(…)"),
    ({"kind": "new_edge", "selector": 'service("a")'}, "selector must be edge(…), or empty"),
    ({"kind": "vanished_edge", "threshold": 1}, "'threshold' is unknown of a vanished_edge alarm"),
    ({"kind": "new_edge", "minimum": 1}, "'minimum' is unknown of a new_edge alarm"),
    ({"kind": "new_edge", "baseline": 5}, "baseline must be 10 to 10,080, got 5"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_rule_is_refused_with_what_was_expected(
    site: Site, change: dict[str, Any], message: str
) -> None:
    reply = site.put(**change)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]
    assert get(site.client, PATH, AlarmList)["alarms"] == []


@pytest.mark.parametrize(("body", "message"), BAD_TOPOLOGY)
def test_a_bad_rule_about_edges_is_refused(site: Site, body: dict[str, Any], message: str) -> None:
    reply = site.client.put(f"{PATH}/edges", json=body)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"kind": 1}', b"\xff"])
def test_a_bad_body_is_refused(site: Site, body: bytes) -> None:
    assert site.client.put(f"{PATH}/faults", content=body).status_code == 400


@pytest.mark.parametrize("name", ["x" * 101, "%20a", "a%09b", "a/b", "a%2Fb"])
def test_a_bad_name_is_refused(site: Site, name: str) -> None:
    reply = site.put(name)
    assert reply.status_code == 400
    assert "the name must have" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "selector", "rule"),
    [
        ("new_edge", "", "new edge, unseen for 1,440 minutes before"),
        ("new_caller", 'service("db")', 'new caller of service("db"), unseen for 1,440'),
        ("vanished_edge", "", "vanished edge: no call for 1 minute where 5 were expected"),
    ],
)
def test_rules_about_edges(site: Site, kind: str, selector: str, rule: str) -> None:
    reply = site.client.put(f"{PATH}/a b", json={"kind": kind, "selector": selector})
    assert reply.status_code == 200, reply.text
    assert reply.json()["rule"].startswith(rule)


def test_the_number_of_alarms_is_bounded(site: Site) -> None:
    changes = [records.put(f"a{n}", alarm(f"a{n}")) for n in range(MAX_ALARMS)]
    site.store.change_configuration(changes, after=0, at=T0)
    assert site.put("one more").status_code == 400
    assert site.put("a1").status_code == 200


def test_hosts_that_an_operator_allows() -> None:
    site = Site("*.example")
    assert site.put(webhooks=[{"url": HOOK, "secret": SECRET}]).status_code == 200
    refused = site.put(webhooks=[{"url": "http://localhost/", "secret": SECRET}])
    assert refused.status_code == 400
    assert "--webhook-host does not allow" in refused.json()["error"]["message"]


def test_test_deliveries_of_editors_are_no_port_scan() -> None:
    """An open port, a closed one and an address of the network read alike."""
    site = Site(public_only=True)
    with receiver() as up:
        urls = [up.url, "http://127.0.0.1:1/", "http://10.0.0.1/", "http://[fd20:ce::254]/"]
        hooks = [{"url": url, "secret": SECRET} for url in urls]
        assert site.put(webhooks=hooks).status_code == 200
        deliveries = site.client.post(f"{PATH}/faults/test").json()["deliveries"]
        assert [each["error"] for each in deliveries] == [NO_ANSWER] * 4
        assert up.received == []


def test_a_test_delivery(site: Site) -> None:
    assert site.put().status_code == 200
    assert site.client.post(f"{PATH}/faults/test").status_code == 400
    assert site.client.post(f"{PATH}/none/test").status_code == 404
    with receiver() as up, receiver() as down:
        down.status = 500
        hooks = [{"url": each.url, "secret": SECRET} for each in (up, down)]
        assert site.put(webhooks=hooks).status_code == 200
        reply = site.client.post(f"{PATH}/faults/test")
        assert reply.json() == {
            "deliveries": [
                {"url": up.url, "delivered": True, "error": ""},
                {"url": down.url, "delivered": False, "error": "answered 500"},
            ]
        }
        assert b'"test":true' in up.received[0].body
    assert get(site.client, f"{PATH}/faults", AlarmDetails)["history"] == []
