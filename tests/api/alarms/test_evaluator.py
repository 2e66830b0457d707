"""Alarms over traffic, with a clock that tests set."""

from __future__ import annotations

import pytest

from api.alarms.evaluator import AlarmEvaluator
from store.alarms import Alarm, AlarmEvent, AlarmKind
from store.config import records
from store.errors import StoreUnavailable
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import Kind, NodeKey, State, TimeRange
from store.platform_metrics import MetricPoint
from store.protocol import Store
from store.query import Backlog
from store.rules.alarm_state import AlarmState, MissingData
from store.rules.classify import UNKNOWN_OUTCOME
from store.times import MINUTE, SECOND
from tests.api.alarms.traffic import FRONT, HOOK, ORDERS, STOCK, Clock, alarm, send
from tests.builders import T0, segment, trace_id

METRIC = "AWS/Lambda/ConcurrentExecutions"
OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA


class World:
    """A store, its evaluator and the time, in which every ten seconds are evaluated."""

    def __init__(self, store: Store, *alarms: Alarm) -> None:
        self.store = store
        self.clock = Clock()
        self.evaluator = AlarmEvaluator(store, self.clock)
        for each in alarms:
            put(store, each)

    def run(self, until: int, start: int = 0) -> list[tuple[float, AlarmEvent]]:
        """What changed, and how many minutes after T0."""
        found: list[tuple[float, AlarmEvent]] = []
        for seconds in range(start * 60, until * 60, 10):
            self.clock.at(0, seconds)
            found += [(seconds / 60, event) for event in self.evaluator.evaluate()]
        return found


def put(store: Store, *alarms: Alarm) -> None:
    for each in alarms:
        after = store.read_configuration().revision
        assert store.change_configuration([records.put(each.name, each)], after=after, at=T0)


def states(found: list[tuple[float, AlarmEvent]]) -> list[AlarmState]:
    return [event.state for _, event in found]


def incident(store: Store, first: int, last: int, until: int, start: int = 0) -> None:
    """Every request of some minutes fails."""
    for minute in range(start, until):
        send(store, minute, faults=6 if first <= minute <= last else 0)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_an_incident_fires_once_and_clears_once(store: MemoryStore) -> None:
    incident(store, 10, 19, until=40)
    found = World(store, alarm()).run(40)
    assert states(found) == [OK, ALARM, OK]
    _, fired, cleared = found
    # The third minute of the incident ends at 13, and is settled 30 s later.
    assert fired[0] == pytest.approx(13.5)
    assert fired[1].targets == (HOOK,)
    assert fired[1].verdict.nodes == (FRONT,)
    assert fired[1].verdict.reason == (
        "fault share breached in 3 of 5 minutes, the newest first: 100 %, 100 %, 100 %, 0 %, 0 %"
    )
    # Two of five minutes breach when the third good one has settled.
    assert cleared[0] == pytest.approx(23.5)
    assert cleared[1].targets == (HOOK,)


def test_receivers_do_not_hear_of_an_alarm_that_begins_ok(store: MemoryStore) -> None:
    incident(store, -1, -1, until=6)
    ((_, first),) = World(store, alarm()).run(6)
    assert (first.previous, first.state, first.targets) == (INSUFFICIENT, OK, ())


def test_an_incident_interrupted_by_missing_data_is_one(store: MemoryStore) -> None:
    """No traffic for ten minutes in the middle: receivers hear of one ALARM and one OK."""
    for minute in [*range(10), *range(20, 30)]:
        send(store, minute, faults=6)
    for minute in range(30, 40):
        send(store, minute)
    found = World(store, alarm()).run(40)
    assert states(found) == [ALARM, INSUFFICIENT, ALARM, OK]
    assert [event.state for _, event in found if event.targets] == [ALARM, OK]


def test_late_spans_do_not_make_an_alarm_flap(store: MemoryStore) -> None:
    """The newest minute has only its failures yet: it is evaluated when it has settled."""
    incident(store, -1, -1, until=10)
    world = World(store, alarm(datapoints=1, periods=1))
    assert states(world.run(10)) == [OK]
    send(store, 10, requests=1, faults=1)
    assert world.run(start=10, until=11) == []
    send(store, 10, requests=12)
    assert world.run(start=11, until=14) == []


def test_a_minute_with_too_few_requests_is_missing(store: MemoryStore) -> None:
    for minute in range(10):
        send(store, minute, requests=3, faults=3)
    assert states(World(store, alarm(minimum=4)).run(10)) == []
    few = World(store, alarm("few", minimum=4, missing=MissingData.BREACHING))
    assert states(few.run(10)) == [ALARM]


def test_traffic_that_stops_is_zero_requests(store: MemoryStore) -> None:
    for minute in range(5):
        send(store, minute)
    below = alarm(metric="requests", comparison="<=", threshold=1.0, datapoints=1, periods=1)
    found = World(store, below).run(10)
    assert [(round(at, 1), event.state) for at, event in found] == [
        (0.0, ALARM),
        (1.5, OK),
        (6.5, ALARM),
    ]


@pytest.mark.parametrize(
    ("metric", "threshold", "state"),
    [
        ("average_ms", 200.0, ALARM),
        ("average_ms", 201.0, OK),
        ("p95_ms", 200.0, ALARM),
        ("p95_ms", 201.0, OK),
        ("requests", 6.0, ALARM),
        ("requests", 6.5, OK),
        ("error_share", 0.1, OK),
        ("throttle_share", 0.0, ALARM),
    ],
)
def test_each_metric(store: MemoryStore, metric: str, threshold: float, state: AlarmState) -> None:
    for minute in range(3):
        send(store, minute)
    one = alarm(metric=metric, threshold=threshold, datapoints=1, periods=1)
    world = World(store, one)
    world.clock.at(3, 30)
    assert [event.state for event in world.evaluator.evaluate()] == [state]


def test_one_version_of_a_service(store: MemoryStore) -> None:
    """A tenth of the requests get the new version: of all of them too few fail for an alarm."""
    for minute in range(12):
        send(store, minute, requests=54)
        if 4 <= minute < 8:
            send(store, minute, requests=6, faults=4 if minute >= 6 else 0, version="42")
    ask = {"threshold": 0.5, "datapoints": 1, "periods": 1}
    every, new = alarm("every", **ask), alarm("new", **ask, version="42")
    found = World(store, every, new).run(12)
    assert [(at, event.alarm, event.state) for at, event in found] == [
        (1.5, "every", OK),
        (pytest.approx(5.5), "new", OK),
        (pytest.approx(7.5), "new", ALARM),
        (pytest.approx(11.5), "new", INSUFFICIENT),
    ]
    assert found[2][1].rule.startswith('fault share of service("front") version 42 ≥ 50 %')
    assert found[2][1].verdict.nodes == (FRONT,)


@pytest.mark.parametrize("selector", ["", 'edge("front", "orders")', 'edge(client, "front")'])
def test_edges_and_all_requests_that_enter(store: MemoryStore, selector: str) -> None:
    for minute in range(3):
        send(store, minute)
    if "client" in selector:
        selector = 'edge(id(name: "front", type: "client"), "front")'
    world = World(
        store, alarm(selector=selector, metric="requests", threshold=6.0, datapoints=1, periods=1)
    )
    world.clock.at(3, 30)
    assert [event.state for event in world.evaluator.evaluate()] == [ALARM]


def test_a_metric_of_the_platform(store: MemoryStore) -> None:
    """It may come five minutes late."""
    for minute in range(20):
        send(store, minute)
    points = [
        MetricPoint("front", "", "", "", METRIC, T0 // MINUTE + at, v, 1, v, v)
        for at, v in enumerate([1.0, 1.0, 9.0, 1.0])
    ]
    store.put_metric_points(points, "a")
    one = alarm(metric=f"platform:{METRIC}", threshold=9.0, datapoints=1, periods=1)
    found = World(store, one).run(10)
    assert [(round(at, 1), event.state) for at, event in found][:3] == [
        (6.5, OK),
        (8.5, ALARM),
        (9.5, OK),
    ]


def test_a_vanished_edge_fires_within_two_minutes(store: MemoryStore) -> None:
    """Counted from its last call; the rest of the traffic goes on. It clears when the calls are back."""
    for minute in range(20):
        send(store, minute)
    for minute in range(20, 40):
        send(store, minute, tables=(ORDERS,))
    for minute in range(40, 44):
        send(store, minute)
    gone = alarm("gone", kind=AlarmKind.VANISHED_EDGE, selector="", periods=1, minimum=5)
    found = World(store, gone).run(44)
    assert states(found) == [OK, ALARM, OK]
    at, fired = found[1]
    last_call = 19 + 50 / 60
    assert at - last_call < 2
    assert fired.verdict.edges == ((FRONT, STOCK),)
    assert fired.verdict.reason == "no call for 1 min: front → stock"
    assert 40 < found[2][0] < 41


def test_another_vanished_edge_is_another_event(store: MemoryStore) -> None:
    for minute in range(20):
        send(store, minute)
    for minute in range(20, 25):
        send(store, minute, tables=(ORDERS,))
    for minute in range(25, 30):
        send(store, minute, tables=())
    gone = alarm("gone", kind=AlarmKind.VANISHED_EDGE, selector="", periods=1, minimum=5)
    found = World(store, gone).run(30)
    assert states(found) == [OK, ALARM, ALARM]
    assert [event.targets for _, event in found[1:]] == [(HOOK,), (HOOK,)]
    assert found[2][1].verdict.edges == ((FRONT, ORDERS), (FRONT, STOCK))


def test_rare_and_young_edges_do_not_vanish(store: MemoryStore) -> None:
    """Of a call in ten minutes a quiet minute says nothing."""
    for minute in range(40):
        send(store, minute, tables=(ORDERS, STOCK) if minute in (1, 11, 21) else (ORDERS,))
    gone = alarm("gone", kind=AlarmKind.VANISHED_EDGE, selector="", periods=1, minimum=5)
    assert states(World(store, gone).run(40)) == [OK]


def test_nothing_at_all_is_insufficient_data(store: MemoryStore) -> None:
    """If no traffic is seen, it may be the collectors that are gone."""
    for minute in range(20):
        send(store, minute)
    gone = alarm("gone", kind=AlarmKind.VANISHED_EDGE, selector="", periods=1, minimum=5)
    assert states(World(store, gone).run(25)) == [OK, INSUFFICIENT]


def test_a_new_edge_fires_once(store: MemoryStore) -> None:
    for minute in range(20):
        send(store, minute, tables=(ORDERS,) if minute < 10 else (ORDERS, STOCK))
    new = alarm("new", kind=AlarmKind.NEW_EDGE, selector="", periods=5)
    found = World(store, new).run(20)
    assert states(found) == [OK, ALARM, OK]
    assert found[1][0] < 11
    assert found[1][1].verdict.edges == ((FRONT, STOCK),)


def test_a_new_caller_of_a_node(store: MemoryStore) -> None:
    """Not a known caller's call to another one."""
    for minute in range(20):
        send(store, minute, tables=(ORDERS,) if minute < 8 else (ORDERS, STOCK))
        if minute >= 12:
            send(store, minute, tables=(ORDERS,), name="report")
    new = alarm("new", kind=AlarmKind.NEW_CALLER, selector='service("orders")', periods=5)
    found = World(store, new).run(20)
    assert states(found) == [OK, ALARM, OK]
    assert found[1][1].verdict.edges == ((NodeKey("", "report", ""), ORDERS),)
    assert found[1][1].verdict.reason == "new caller: report → orders"


def test_a_second_evaluator_changes_nothing(store: MemoryStore) -> None:
    """Of two that evaluate the same minute one stores the event; a new one continues where it stopped."""
    incident(store, 0, 9, until=10)
    first, second = World(store, alarm()), World(store)
    assert states(first.run(10)) == [ALARM]
    second.clock.at(9, 50)
    assert second.evaluator.evaluate() == []
    assert len(store.alarm_history("faults", limit=9)) == 1


def test_an_alarm_made_anew_begins_anew(store: MemoryStore) -> None:
    incident(store, 0, 9, until=10)
    world = World(store, alarm())
    assert states(world.run(9)) == [ALARM]
    put(store, alarm(created=T0 + 1, modified=T0 + 1))
    ((_, event),) = world.run(start=9, until=10)
    assert (event.previous, event.state, event.targets) == (INSUFFICIENT, ALARM, (HOOK,))


class Broken(MemoryStore):
    """Cannot read the graphs of some windows."""

    broken = False

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        if self.broken and window.end - window.start > 10 * MINUTE:
            raise StoreUnavailable("gone")
        return super().service_graph(window, settled_before=settled_before)


@pytest.mark.parametrize(("waits", "late"), [(0.0, 30), (20.0, 30), (200.0, 200), (1e6, 900)])
def test_documents_that_wait_delay_what_is_settled(waits: float, late: float) -> None:
    """In a journal, since the database was unavailable: an edge whose calls wait has not vanished."""
    clock = Clock()
    evaluator = AlarmEvaluator(MemoryStore(), clock, lambda: waits)
    assert evaluator.settled() == T0 - late * 1e6


def test_an_alarm_that_fails_is_tried_again_and_stops_no_other() -> None:
    store = Broken()
    incident(store, 0, 9, until=12)
    long = alarm("a", periods=20, datapoints=1)
    world = World(store, long, alarm("b", datapoints=1, periods=1))
    store.broken = True
    assert [event.alarm for _, event in world.run(5)] == ["b"]
    store.broken = False
    world.clock.at(5)
    assert [event.alarm for event in world.evaluator.evaluate()] == ["a"]


class Behind(MemoryStore):
    """A store that counts what it has of some windows later, as after an import."""

    waiting: Backlog | None = None

    def backlog(self, window: TimeRange, *, least: int = 0) -> Backlog | None:
        found = self.waiting
        return found if found and found.start in window else None


def test_an_alarm_waits_until_its_minutes_are_counted() -> None:
    """Half a minute's requests make no share of faults: what it says is decided when all are there."""
    store = Behind()
    incident(store, 10, 19, until=40)
    world = World(store, alarm())
    assert states(world.run(12)) == [OK]
    store.waiting = Backlog(1, T0 + 11 * MINUTE, T0 + 12 * MINUTE)
    assert world.run(20, start=12) == []
    store.waiting = None
    assert states(world.run(21, start=20)) == [ALARM]


def test_an_alarm_whose_minutes_are_never_counted_has_insufficient_data() -> None:
    store = Behind()
    incident(store, 50, 59, until=90)
    world = World(store, alarm(), alarm("edges", kind=AlarmKind.NEW_EDGE, selector="", baseline=60))
    world.run(60, start=58)
    store.waiting = Backlog(2, T0 + 40 * MINUTE, T0 + 60 * MINUTE)
    found = world.run(80, start=60)
    (waited,) = [(at, each) for at, each in found if each.alarm == "edges"]
    assert waited[1].state is INSUFFICIENT
    assert waited[1].verdict.reason == "incomplete: 2 minutes are still being counted"
    assert waited[0] == pytest.approx(75, abs=0.2), "a quarter of an hour later"
    assert OK in states(found), "the other alarm reads later minutes"


def test_documents_that_have_just_arrived_delay_all_alarms() -> None:
    """The newest minutes are not there yet: those before them are evaluated, as when ClickHouse is slow."""
    store = Behind()
    evaluator = AlarmEvaluator(store, clock := Clock())
    clock.at(20)
    assert evaluator.settled() == T0 + 20 * MINUTE - 30 * SECOND
    store.waiting = Backlog(1, T0 + 18 * MINUTE, T0 + 19 * MINUTE)
    assert evaluator.settled() == T0 + 18 * MINUTE


def test_background_work_is_measured_where_there_are_no_requests(store: MemoryStore) -> None:
    """As on the map: failed jobs beside good requests are no incident of the service, without requests they are."""
    for number in range(30):
        at = T0 + number * 30 * SECOND
        failed = {"kind": Kind.INTERNAL, "state": State.FAULT, "start": at, "end": at + SECOND}
        job = segment(1, trace_id=trace_id(900 + number), node=FRONT, **failed)
        store.put([job], f"job {number}")
    incident(store, -1, -1, until=8)
    found = World(store, alarm()).run(16)
    assert states(found) == [OK, ALARM]
    assert found[1][0] > 10


def test_a_job_is_none_of_the_requests_that_are_counted(store: MemoryStore) -> None:
    """It hides neither that there are none yet nor that they have stopped."""
    for number in range(30):
        at = T0 + number * 30 * SECOND
        job = segment(
            1, trace_id=trace_id(900 + number), node=FRONT, kind=Kind.INTERNAL, start=at, end=at
        )
        store.put([job], f"job {number}")
    incident(store, -1, -1, until=8)
    found = World(store, alarm(metric="requests", comparison="<=", threshold=0)).run(16)
    assert states(found) == [ALARM, OK, ALARM]
    assert found[2][0] > 8


@pytest.mark.parametrize(
    ("faults", "unknown", "state"),
    [(0, 10, INSUFFICIENT), (0, 6, INSUFFICIENT), (0, 4, OK), (6, 4, ALARM)],
)
def test_what_may_have_failed_is_not_taken_for_success(
    store: MemoryStore, faults: int, unknown: int, state: AlarmState
) -> None:
    """Unless it makes no difference."""
    for number in range(10):
        outcome: dict[str, object] = {"state": State.FAULT} if number < faults else {}
        if number >= 10 - unknown:
            outcome = {"exception": UNKNOWN_OUTCOME}
        known = {"name": "front", "trace_id": trace_id(number), "start": T0 + number * SECOND}
        store.put([segment(number + 1, **known, end=T0 + 20 * SECOND, **outcome)], str(number))
    found = World(store, alarm(datapoints=1, periods=1)).run(2)
    assert (states(found) or [INSUFFICIENT])[0] is state
    assert not found or ("nothing says" in found[0][1].verdict.reason) is (unknown > 0)
