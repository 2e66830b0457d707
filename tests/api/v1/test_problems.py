"""/api/v1/problems."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import node_id
from api.problems.evidence import evidence_of
from api.problems.record import read, stored
from api.problems.tracker import State as Lifecycle
from api.problems.watch import Watch
from api.schemas.compare import Comparison
from api.schemas.problems import ProblemDetails, ProblemLine, ProblemList
from store.memory import MemoryStore
from store.model import TimeRange
from store.problems import StoredProblem
from store.times import MINUTE
from tests.api.alarms.traffic import Clock
from tests.api.console.test_map import get
from tests.api.problems.traffic import CHECKOUT, PAYMENTS, SHOP, minute_of
from tests.builders import T0

PATH = "/api/v1/problems"
BEGAN, NOW = 70, 75
ALWAYS = TimeRange(T0, T0 + NOW * MINUTE)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """An hour and more without problems, then five minutes in which half of the requests fail."""
    store = MemoryStore()
    for minute in range(NOW):
        store.put(minute_of(minute, 0.5 * (minute >= BEGAN)), f"{minute}")
    assert Watch(store).round(T0 + NOW * MINUTE)
    return store


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.at(NOW, 40)
    return clock


@pytest.fixture
def client(store: MemoryStore, clock: Clock) -> TestClient:
    return TestClient(create_app(store, version="1", clock=clock), raise_server_exceptions=False)


def one(client: TestClient) -> Any:
    (found,) = get(client, PATH, ProblemList)["problems"]
    return found


@pytest.mark.parametrize(("judged", "said"), [(0.0, None), (1795560000.0, 1795560000.0)])
def test_the_list_says_until_when_minutes_are_judged(
    store: MemoryStore, clock: Clock, judged: float, said: float | None
) -> None:
    client = TestClient(create_app(store, version="1", clock=clock, judged_until=lambda: judged))
    assert get(client, PATH, ProblemList)["judged_until"] == said


def test_the_list_says_how_much_is_known(client: TestClient) -> None:
    assert get(client, PATH, ProblemList)["minutes_counted"] == NOW


def test_a_line_says_where_since_when_and_whom(client: TestClient) -> None:
    found = one(client)
    began = T0 / 1e6 + BEGAN * 60
    assert (found["state"], found["since"], found["ended"]) == ("active", began, None)
    assert found["origin"]["id"] == node_id(PAYMENTS)
    assert (found["origin_from"], found["failures_begin_at"]) == ("traces", None)
    assert (found["measure"], found["source"]) == ("fault", None)
    assert found["usual"] < 0.02 < 0.5 <= found["now"]
    assert [each["id"] for each in found["entries"]] == [node_id(SHOP)]
    assert [each["id"] for each in found["callers"]] == [node_id(CHECKOUT)]
    assert found["clients"]["total"] == found["requests"]["total"] == 100
    assert (found["exception"]["name"], found["exception"]["new"]) == ("CardDeclined", False)
    assert found["exception"]["read"] == found["exception"]["traces"] == found["requests"]["fault"]
    assert found["series"]["start"] == began - 600
    assert found["series"]["step"] == 60
    assert len(found["series"]["values"]) == 15


def test_an_exception_is_new_that_was_not_thrown_in_the_hour_before(store: MemoryStore) -> None:
    (found,) = [read(each) for each in store.find_problems(ALWAYS, limit=9)]
    assert not evidence_of(store, found.problem, found.problem.updated).is_new
    earliest = msgspec.structs.replace(found.problem, since=T0 // MINUTE)
    assert evidence_of(store, earliest, found.problem.updated).words == "new CardDeclined"


def test_each_number_leads_to_its_traces(client: TestClient) -> None:
    details = get(client, f"{PATH}/{one(client)['id']}", ProblemDetails)
    assert [each["kind"] for each in details["events"]] == ["opened"]
    assert len(details["examples"]) == 3
    assert {each["node"]["id"] for each in details["symptoms"]} >= {node_id(PAYMENTS)}
    for each in (details, *details["symptoms"]):
        answer = client.get(each["traces"]).json()
        assert len(answer["traces"]) == details["requests"]["fault"], each["traces"]
    for id in details["examples"]:
        assert "CardDeclined" in client.get(f"/api/v1/traces/{id}").text


def test_lists_are_of_a_window_and_a_state(client: TestClient) -> None:
    assert get(client, f"{PATH}?state=closed", ProblemList)["problems"] == []
    assert len(get(client, f"{PATH}?state=active", ProblemList)["problems"]) == 1
    earlier = get(client, f"{PATH}?from=-1h&to=-10m", ProblemList)
    assert earlier["problems"] == []


def test_a_comparison_with_the_time_before_a_problem(client: TestClient) -> None:
    """What fails is compared from the beginning on, whatever the window is, and names the problem; a muted one is not meant
    unless it is named."""
    problem = one(client)
    for then in ("problem", f"problem:{problem['id']}"):
        found = get(client, f"/api/v1/compare?from=-15m&then={then}", Comparison)
        assert found["problem"] == problem["id"]
        assert found["now"]["from"] == found["then"]["to"] == problem["since"]
        assert problem["origin"]["id"] in {each["id"] for each in found["changes"]}
    client.post(f"{PATH}/{problem['id']}/mute", json={"minutes": 60}).raise_for_status()
    assert client.get("/api/v1/compare?from=-15m&then=problem").status_code == 404
    assert client.get(f"/api/v1/compare?from=-15m&then=problem:{problem['id']}").is_success
    assert client.get("/api/v1/compare?from=-15m&then=problem:none").status_code == 404
    client.post(f"{PATH}/{problem['id']}/mute", json={"minutes": 0}).raise_for_status()


def test_a_comparison_ends_with_the_problem(client: TestClient, store: MemoryStore) -> None:
    (lasting,) = [read(each) for each in store.find_problems(ALWAYS, limit=9)]
    ended = lasting.problem.since + 3
    over = msgspec.structs.replace(lasting.problem, state=Lifecycle.CLOSED, ended=ended)
    store.put_problems([stored(msgspec.structs.replace(lasting, problem=over))])
    try:
        found = get(client, "/api/v1/compare?from=-15m&then=problem", Comparison)
    finally:
        store.put_problems([stored(lasting)])
    assert found["now"]["to"] == ended * 60


def test_no_more_is_read_than_is_listed(
    store: MemoryStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that have ended; of those that last there are few, which are ranked. They come first."""
    (lasting,) = [read(each) for each in store.find_problems(ALWAYS, limit=9)]
    full = MemoryStore()
    full.put_problems([stored(lasting)])
    for number in range(30):
        since = lasting.problem.since - number
        ended = msgspec.structs.replace(
            lasting.problem, id=UUID(int=number), since=since, ended=since + 1
        )
        full.put_problems([stored(msgspec.structs.replace(lasting, problem=ended))])
    limits: list[int] = []
    find = full.find_problems

    def noting(window: TimeRange, *, active: bool | None = None, limit: int) -> list[StoredProblem]:
        limits.append(limit if active is False else 0)
        return find(window, active=active, limit=limit)

    monkeypatch.setattr(full, "find_problems", noting)
    client = TestClient(create_app(full, version="1", clock=clock))
    found = get(client, f"{PATH}?limit=5", ProblemList)["problems"]
    assert [each["id"] for each in found] == [
        str(lasting.id),
        *(str(UUID(int=number)) for number in range(4)),
    ]
    assert sum(limits) == 4


def test_what_does_not_exist(client: TestClient) -> None:
    for id in ("x", "0c11f1a2-7b3c-4d5e-8f90-123456789abc"):
        for answer in (
            client.get(f"{PATH}/{id}"),
            client.post(f"{PATH}/{id}/mute", json={"minutes": 1}),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NoSuchProblem")


def test_a_problem_is_muted_for_a_time(client: TestClient, clock: Clock) -> None:
    """By its node; it is listed as before, and said to be muted."""
    id = one(client)["id"]
    assert one(client)["muted_until"] is None
    muted = client.post(f"{PATH}/{id}/mute", json={"minutes": 60})
    until = clock.now + 3600
    assert muted.json()["muted_until"] == one(client)["muted_until"] == until
    clock.now += 3600
    assert one(client)["muted_until"] is None
    client.post(f"{PATH}/{id}/mute", json={"minutes": 60})
    assert one(client)["muted_until"]
    client.post(f"{PATH}/{id}/mute", json={"minutes": 0})
    assert one(client)["muted_until"] is None
    for body in ({}, {"minutes": -1}, {"minutes": 99_999}, {"minutes": "1"}):
        assert client.post(f"{PATH}/{id}/mute", json=body).status_code == 400


def test_mute_answers_a_line(client: TestClient) -> None:
    id = one(client)["id"]
    answer = client.post(f"{PATH}/{id}/mute", json={"minutes": 0}).json()
    assert answer.keys() == ProblemLine.__annotations__.keys()
