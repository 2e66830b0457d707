"""/api/v1/compare with `by`: two sides of one time."""

from __future__ import annotations

import random
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import node_id
from api.schemas.compare import Comparison
from store.memory import MemoryStore
from store.model import NodeKey, State
from store.times import DAY, HOUR, MINUTE, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, trace_id

NOON = T0 // DAY * DAY + 12 * HOUR
MINUTES, RATE = 10, 20
BANK = "bank.example.com"


def fill(store: MemoryStore, *sides: dict[str, Any]) -> None:
    """Requests of each side in every minute, with its fault rate and a call of a bank, or none."""
    r = random.Random(1)
    for number, side in enumerate(sides):
        for at in range(NOON, NOON + MINUTES * MINUTE, MINUTE // RATE):
            took = round(100_000 * r.lognormvariate(0, 0.3))
            own = side.get("account", "")
            calls = [
                call(
                    node=NodeKey("", BANK, "remote"),
                    service=BANK,
                    host=BANK,
                    start=at,
                    end=at + took // 2,
                )
            ]
            found = segment(
                1,
                node=NodeKey(own, "shop", "", side.get("region", "")),
                name="shop",
                service_version=side.get("version", ""),
                environment=side.get("environment", ""),
                annotations=(f'tier="{side.get("tier", "")}"',),
                trace_id=trace_id(number * 1000 + at % 997, epoch=at // SECOND),
                state=State.FAULT if r.random() < side.get("fault", 0) else State.OK,
                calls=calls if side.get("calls", True) else [],
                start=at,
                end=at + took,
            )
            store.put([found], f"{number} {at}")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def client(store: MemoryStore) -> TestClient:
    return TestClient(create_app(store, version="1", clock=lambda: (NOON + HOUR) / SECOND))


WINDOW = f"/api/v1/compare?from={NOON // SECOND}&to={NOON // SECOND + MINUTES * 60}"


def compared(store: MemoryStore, query: str) -> Comparison:
    found: Comparison = get(client(store), f"{WINDOW}{query}", Comparison)
    return found


def begun(found: Comparison) -> list[tuple[str, str]]:
    """The differences that do not follow from another one's."""
    return [(each["name"], each["measure"]) for each in found["changes"] if not each["follows"]]


def refused(store: MemoryStore, query: str) -> str:
    answer = client(store).get(f"{WINDOW}{query}")
    assert answer.status_code in (400, 404)
    message: str = answer.json()["error"]["message"]
    return message


def test_a_version_that_fails_more_is_found_in_the_same_minutes(store: MemoryStore) -> None:
    fill(store, {"version": "1.9"}, {"version": "2.0", "fault": 0.3})
    found = compared(store, "&by=version&side=2.0&other=1.9")
    assert (found["by"], found["now"]["side"], found["then"]["side"]) == ("version", "2.0", "1.9")
    assert (found["now"]["from"], found["now"]["to"]) == (
        found["then"]["from"],
        found["then"]["to"],
    )
    assert begun(found) == [("shop", "fault")]
    assert found["summary"] == "1 failing more; 1 that follow from it"
    assert (found["days"], found["notes"]) == (0, [])
    (shop,) = [each for each in found["nodes"] if (each["name"], each["type"]) == ("shop", "")]
    assert shop["now"]
    assert shop["then"]
    assert (shop["now"]["requests"], shop["then"]["requests"], shop["then_id"]) == (
        MINUTES * RATE,
        MINUTES * RATE,
        shop["id"],
    )


def test_equal_versions_do_not_differ_though_one_has_most_requests(store: MemoryStore) -> None:
    fill(store, *[{"version": "1.9"}] * 4, {"version": "2.0"})
    found = compared(store, "&by=version")
    assert (found["now"]["side"], found["then"]["side"]) == ("2.0", "1.9")
    assert found["values"] == [
        {"value": "1.9", "requests": 4 * MINUTES * RATE},
        {"value": "2.0", "requests": MINUTES * RATE},
    ]
    assert found["summary"] == "No significant difference"


def test_what_one_version_no_longer_calls_is_said_of_it(store: MemoryStore) -> None:
    fill(store, {"version": "1.9"}, {"version": "2.0", "calls": False})
    found = compared(store, "&by=version&side=2.0&other=1.9")
    assert found["summary"] == "1 edge only in 1.9"
    (change,) = found["changes"]
    assert (change["measure"], change["unit"]) == ("vanished", "per request")
    assert change["text"] == "only in 1.9, 1.0 per request"


def test_nodes_of_two_accounts_are_compared_by_name(store: MemoryStore) -> None:
    fill(
        store, {"account": "111", "region": "eu"}, {"account": "222", "region": "us", "fault": 0.3}
    )
    found = compared(store, "&by=account&side=222&other=111")
    (shop,) = [each for each in found["nodes"] if (each["name"], each["type"]) == ("shop", "")]
    assert shop["id"] == node_id(NodeKey("222", "shop", "", "us"))
    assert shop["then_id"] == node_id(NodeKey("111", "shop", "", "eu"))
    assert begun(found) == [("shop", "fault")]
    (edge,) = [each for each in found["edges"] if each["target_name"] == BANK]
    assert edge["now"]
    assert edge["then"]
    assert edge["now"]["requests"] == edge["then"]["requests"] == MINUTES * RATE
    (bank,) = [each for each in found["nodes"] if each["name"] == BANK]
    assert bank["now"]
    assert bank["now"]["requests"] == 0, "which account called is on the edges"


def test_the_traces_of_two_filters_are_compared(store: MemoryStore) -> None:
    fill(store, {"tier": "free", "fault": 0.3}, {"tier": "gold"})
    found = compared(
        store, '&by=filter&side=annotation.tier = "free"&other=annotation.tier = "gold"'
    )
    assert begun(found) == [("shop", "fault")]
    assert found["now"]["side"] == 'annotation.tier = "free"'
    assert found["values"] == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("&by=version&side=3.0", "side: no version '3.0' in this window, which has '1.9', '2.0'"),
        (
            "&by=environment",
            "by: expected two values of environment in this window, which has none",
        ),
        ("&by=version&side=2.0&other=2.0", "side and other must differ"),
        ("&side=2.0", "side and other take by: what they are values of"),
        (
            "&by=version&then=week",
            "then names an earlier period; expected none beside by, or no by",
        ),
        ("&by=filter&side=fault", "other: expected a filter expression"),
        (
            "&by=account&filter=fault",
            "filter: by=account compares all requests; expected no filter",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(store: MemoryStore, query: str, message: str) -> None:
    fill(store, {"version": "1.9"}, {"version": "2.0"})
    assert refused(store, query) == message
