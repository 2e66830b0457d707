"""/api/v1/history: a day in steps, what is usual then, deployments and problems."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import edge_id, node_id
from api.schemas.v1 import TimeSeries
from api.v1.history import NOTHING, SECONDS, History, UsualCache
from api.v1.usual import WEEK, Known, Steps, Usual, hours_of, usual_in
from store.deployments import Deployment
from store.graph import Statistics, add_statistics
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
    assert (history_of(store)["usual"], history_of(store)["usual_since"]) == ([], None)
    traffic(store, [-2, -3], 240, faults=12)
    traffic(store, [-1], 240)
    first, *_, last = history_of(store)["usual"]
    assert (first["start"], first["end"]) == (
        (NOON - HOUR) // SECOND,
        (NOON - HOUR) // SECOND + 900,
    )
    assert (first["basis"], first["minutes"], first["fault_share"]) == ("hour", 60, 0.05)
    assert (first["requests_low"], first["requests_high"]) == (0, 8)  # 4 a minute, twice its root
    assert first["p95_low_ms"] == first["p95_high_ms"]
    assert first["p95_low_ms"] == pytest.approx(100, rel=0.05)
    assert (last["end"], last["fault_share"]) == (NOON // SECOND, 0)  # faults begin each hour
    traffic(store, [-24, -25, -26, -27], 60)
    (usual,) = history_of(store)["usual"]
    assert (usual["basis"], usual["minutes"], usual["fault_share"]) == ("yesterday", 180, 0)
    assert usual["requests_high"] == 3
    traffic(store, [-1 - 168, -2 - 2 * 168, -1 - 2 * 168], 540)
    (usual,) = history_of(store)["usual"]
    assert (usual["basis"], usual["requests_low"], usual["requests_high"]) == ("weeks", 3, 15)
    assert usual["minutes"] == 120
    assert history_of(store, f"&node={node_id(SHOP)}")["usual"] == [usual]


def usual_of(counted: Steps, window: TimeRange, until: int) -> Known:
    """What is usual by minutes that were counted."""

    def read(each: TimeRange, step: int) -> Steps:
        found: dict[int, Statistics] = {}
        for at, statistics in counted.items():
            if at in each:
                add_statistics(found.setdefault(at // step * step, Statistics()), statistics)
        return found

    return usual_in(window, MINUTE, until, read)


def minutes(start: int, end: int, requests: int = 10) -> Steps:
    return {at: Statistics(ok=requests) for at in range(start, end, MINUTE)}


@pytest.mark.parametrize("age", [44, 45, 59, 60, 74, 75, 90, 119])
def test_what_is_usual_is_known_within_an_hour_of_traffic_that_began_whenever(age: int) -> None:
    for began in range(NOON + 2 * MINUTE, NOON + HOUR, 6 * MINUTE):
        now = began + age * MINUTE
        known = usual_of(minutes(began, now), TimeRange(NOON - DAY, NOON + 4 * HOUR), now)
        if age < 30:
            assert not known.usual
        if age >= 45:
            last = known.usual[-1]
            assert last.start <= now < last.end
            assert 30 <= last.minutes <= 60
            assert last.start - last.minutes * MINUTE >= began  # no minute before the first one
            assert (round(last.low, 1), round(last.high, 1)) == (3.7, 16.3)
        for each in known.usual:
            assert (each.basis, each.end - each.start) == ("hour", 15 * MINUTE)


def test_too_little_traffic_says_when_what_is_usual_will_be_known() -> None:
    day = TimeRange(NOON - DAY, NOON + HOUR)
    counted = minutes(NOON + 7 * MINUTE, NOON + 40 * MINUTE)
    early = usual_of(counted, day, NOON + 40 * MINUTE)
    assert early == Known([], NOON + 45 * MINUTE)  # whole quarters of an hour from 12:15 on
    assert usual_of(counted, day, NOON + 2 * MINUTE) == early  # the first minutes still wait
    (first,) = usual_of(counted, day, NOON + 45 * MINUTE).usual
    assert (first.start, first.minutes) == (NOON + 45 * MINUTE, 30)


def test_minutes_that_are_not_counted_yet_are_no_quiet_ones() -> None:
    counted = minutes(NOON - 3 * HOUR, NOON)
    day = TimeRange(NOON - DAY, NOON + HOUR)
    known = usual_of(counted, day, NOON)
    assert known.usual[-1].end == NOON + 15 * MINUTE
    assert min(each.low for each in known.usual) > 3


def test_an_hour_without_requests_is_known_once_there_were_any() -> None:
    """At night nothing comes: that is usual."""
    counted = {NOON - 3 * HOUR: Statistics(ok=600)}
    usual = usual_of(counted, TimeRange(NOON - HOUR, NOON), NOON).usual
    assert usual[0] == Usual(NOON - HOUR, NOON - 45 * MINUTE, "hour", 60, 0, 0, 0, None)
    assert len(usual) == 4


def test_the_hours_that_are_read() -> None:
    first, *_, last = hours_of(TimeRange(NOON - DAY + 1, NOON - 1))
    assert first == (NOON - DAY - HOUR - 4 * WEEK, NOON - 4 * WEEK)
    assert last == (NOON - 2 * DAY - 2 * HOUR, NOON)
    assert len(hours_of(TimeRange(NOON, NOON + DAY))) == 5


def test_what_is_usual_is_remembered_for_some_minutes() -> None:
    cache, read = UsualCache(), list[str]()

    def work(name: str) -> Callable[[], Known]:
        def reads() -> Known:
            read.append(name)
            return NOTHING

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
