"""/api/v1/history: a day in steps, what is usual then, deployments and problems."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import edge_id, node_id
from api.schemas.history import History
from api.schemas.v1 import TimeSeries
from api.v1.usual import WEEK, Usual, hours_of, usual_hours
from api.v1.usual_cache import SECONDS, UsualCache
from store.deployments import Deployment
from store.graph import Statistics
from store.memory import MemoryStore
from store.model import NodeKey, State, TimeRange
from store.times import DAY, HOUR, MINUTE, SECOND
from tests.api.console.test_map import get
from tests.api.shop import END, FRONT, START, TABLE
from tests.builders import T0, segment, trace_id

WINDOW = f"from={START}&to={END}"
NOON = T0 // DAY * DAY + 12 * HOUR
SHOP = NodeKey("", "shop", "")


@pytest.mark.parametrize(
    "place",
    ["", f"&node={node_id(TABLE)}", f"&edge={edge_id(FRONT, TABLE)}", f"&node={node_id(NodeKey('', 'front', 'client'))}"],
)  # fmt: skip
def test_points_are_those_of_the_time_series(client: TestClient, place: str) -> None:
    found = get(client, f"/api/v1/history?{WINDOW}{place}", History)
    series = get(client, f"/api/v1/timeseries?{WINDOW}{place}&step=1m", TimeSeries)
    assert (found["step"], found["from"], found["to"]) == (60, START, END)
    assert sum(point["requests"] for point in found["points"]) > 0
    for point, expected in zip(found["points"], series["points"], strict=True):
        assert point == {name: expected[name] for name in point}


def test_a_day_is_at_most_three_hundred_steps(client: TestClient) -> None:
    found = get(client, "/api/v1/history", History)
    assert (found["step"], len(found["points"])) == (300, 288)
    assert get(client, "/api/v1/history?from=-9d", History)["usual"] == []


def test_the_last_step_is_not_finished(client: TestClient) -> None:
    found = get(client, f"/api/v1/history?from={START}&to={END + 90}", History)
    assert (found["to"], found["data_until"]) == (END + 120, END + 0.25)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("node=n0", 404, "no traffic"),
        ("node=n0&edge=n0:n1", 400, "exclude each other"),
        ("filter=fault", 400, "unknown parameter"),
    ],
)
def test_what_is_refused(client: TestClient, query: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/history?{query}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def traffic(store: MemoryStore, hours: list[int], rate: int, faults: int = 0) -> None:
    """Requests to the shop in hours before `NOON`, evenly."""
    for hour in hours:
        at = NOON + hour * HOUR
        store.put(
            [
                segment(
                    1,
                    name=SHOP.name,
                    trace_id=trace_id(number, epoch=at // SECOND),
                    start=at + number * HOUR // rate,
                    end=at + number * HOUR // rate + 100_000,
                    state=State.FAULT if number < faults else State.OK,
                )
                for number in range(rate)
            ],
            f"{hour}",
        )


def history_of(store: MemoryStore, more: str = "") -> History:
    """Of the hour before noon."""
    app = create_app(store, version="1", clock=lambda: NOON / SECOND)
    window = f"from={(NOON - HOUR) // SECOND}&to={NOON // SECOND}"
    found: History = get(TestClient(app), f"/api/v1/history?{window}{more}", History)
    return found


def test_what_is_usual_is_known_by_weeks_by_yesterday_or_by_the_hour_before() -> None:
    store = MemoryStore()
    assert history_of(store)["usual"] == []
    traffic(store, [-1], 60)
    assert history_of(store)["usual"] == []
    traffic(store, [-2, -3], 240, faults=12)
    (usual,) = history_of(store)["usual"]
    assert usual["start"] == (NOON - HOUR) // SECOND
    assert (usual["basis"], usual["fault_share"]) == ("hour", 0.05)
    assert (usual["requests_low"], usual["requests_high"]) == (0, 8)  # 4 a minute, twice its root
    assert usual["p95_low_ms"] == usual["p95_high_ms"]
    assert usual["p95_low_ms"] == pytest.approx(100, rel=0.05)
    traffic(store, [-24, -25, -26, -27], 60)
    (usual,) = history_of(store)["usual"]
    assert (usual["basis"], usual["fault_share"]) == ("yesterday", 0)
    assert usual["requests_high"] == 3
    traffic(store, [-1 - 168, -2 - 2 * 168, -1 - 2 * 168], 540)
    (usual,) = history_of(store)["usual"]
    assert (usual["basis"], usual["requests_low"], usual["requests_high"]) == ("weeks", 3, 15)
    assert history_of(store, f"&node={node_id(SHOP)}")["usual"] == [usual]


def test_an_hour_without_requests_is_known_once_there_were_any() -> None:
    """At night nothing comes: that is usual."""
    hours = {NOON - 3 * HOUR: Statistics(ok=600)}
    night = TimeRange(NOON - HOUR, NOON)
    (usual,) = usual_hours(night, hours, MINUTE)
    assert usual == Usual(NOON - HOUR, "hour", 0, 0, 0, None)


def test_the_hours_that_are_read() -> None:
    first, *_, last = hours_of(TimeRange(NOON - DAY + 1, NOON - 1))
    assert first == (NOON - DAY - HOUR - 4 * WEEK, NOON - 4 * WEEK)
    assert last == (NOON - 2 * DAY - 2 * HOUR, NOON)
    assert len(hours_of(TimeRange(NOON, NOON + DAY))) == 5


def test_what_is_usual_is_remembered_for_some_minutes() -> None:
    cache, read = UsualCache(), list[str]()

    def work(name: str) -> Callable[[], list[Usual]]:
        def reads() -> list[Usual]:
            read.append(name)
            return []

        return reads

    for at, name in ((1000, "a"), (1001, "a"), (1001, "b"), (1000 + SECONDS, "a")):
        cache.get(name, at, work(name))
    assert read == ["a", "b", "a"]


def test_the_latest_deployments_are_there_and_the_others_counted() -> None:
    store = MemoryStore()
    traffic(store, [-1], 60)
    for number in range(102):
        at = NOON - HOUR + number * SECOND
        store.put_deployment(Deployment(f"{number}", at, service="shop", version=f"{number}"), at)
    found = history_of(store)
    assert [each["version"] for each in found["deployments"][:2]] == ["101", "100"]
    assert (len(found["deployments"]), found["deployments_left_out"]) == (100, 2)
    assert (found["problems"], found["problems_left_out"]) == ([], 0)
