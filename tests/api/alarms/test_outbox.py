"""Deliveries, with a clock that tests set."""

from __future__ import annotations

import msgspec

from api.alarms.outbox import Outbox, body_of
from api.alarms.webhook import DeliveryFailed, Message
from store.alarms import Alarm, AlarmEvent, DeliveryStatus, Verdict, Webhook
from store.memory import MemoryStore
from store.model import TimeRange
from store.rules.alarm_state import AlarmState
from store.times import MINUTE, SECOND
from tests.api.alarms.traffic import FRONT, HOOK, ORDERS, SECRET, Clock, alarm
from tests.builders import T0

OTHER = "https://other.example/b"


def event(seq: int, minutes: float = 0, targets: tuple[str, ...] = (HOOK,)) -> AlarmEvent:
    window = TimeRange(T0, T0 + MINUTE)
    return AlarmEvent(
        id=f"evt_{seq}",
        alarm="faults",
        seq=seq,
        at=T0 + round(minutes * MINUTE),
        created=T0,
        previous=AlarmState.OK,
        verdict=Verdict(AlarmState.ALARM, "why", window, 0.5, (FRONT,), ((FRONT, ORDERS),)),
        rule="the rule",
        targets=targets,
    )


class Wire:
    """Receivers that are up or down, and what they have taken."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.attempts: list[tuple[str, str]] = []
        self.taken: list[tuple[str, str]] = []
        self.lost_answer = False

    def send(self, url: str, secret: str, message: Message) -> None:
        assert secret == SECRET
        self.attempts.append((url, message.id))
        if url in self.down:
            raise DeliveryFailed("answered 503")
        self.taken.append((url, message.id))
        if self.lost_answer:
            raise SystemExit


class Rig:
    """A store with an alarm, its outbox, the receivers and the time."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = Clock()
        self.wire = Wire()
        hooks = (Webhook(HOOK, SECRET), Webhook(OTHER, SECRET))
        self.alarms: dict[str, Alarm] = {"faults": alarm(webhooks=hooks)}
        self.outbox = self.restarted()

    def restarted(self) -> Outbox:
        return Outbox(self.store, self.clock, lambda: self.alarms, send=self.wire.send)

    def run(self, until: float, start: float = 0, outbox: Outbox | None = None) -> None:
        """A round each second."""
        for seconds in range(round(start * 60), round(until * 60)):
            self.clock.at(0, seconds)
            (outbox or self.outbox).deliver()


def test_a_receiver_down_for_ten_minutes_gets_each_event_once_in_order() -> None:
    """Another one, which is up, does not wait for it."""
    rig = Rig()
    rig.wire.down = {HOOK}
    for seq in range(1, 6):
        rig.store.add_alarm_event(event(seq, minutes=seq - 1, targets=(HOOK, OTHER)))
        rig.run(until=seq, start=seq - 1)
    rig.run(start=5, until=10)
    assert rig.wire.taken == [(OTHER, f"evt_{seq}") for seq in range(1, 6)]
    attempts = len(rig.wire.attempts)
    assert attempts < 25  # not each second
    rig.wire.down = set()
    rig.run(start=10, until=12)
    mine = [id for url, id in rig.wire.taken if url == HOOK]
    assert mine == [f"evt_{seq}" for seq in range(1, 6)]
    rig.run(start=12, until=14)
    assert len(rig.wire.taken) == 10


def test_a_restart_in_between_loses_and_repeats_nothing() -> None:
    rig = Rig()
    rig.wire.down = {HOOK}
    rig.store.add_alarm_event(event(1))
    rig.store.add_alarm_event(event(2, minutes=1))
    rig.run(until=5)
    again = rig.restarted()
    rig.wire.down = set()
    rig.run(start=5, until=8, outbox=again)
    assert rig.wire.taken == [(HOOK, "evt_1"), (HOOK, "evt_2")]
    rig.run(start=8, until=9, outbox=rig.restarted())
    assert len(rig.wire.taken) == 2


def test_a_crash_after_the_answer_repeats_the_event_under_its_id() -> None:
    """That is what receivers drop by `webhook-id`."""
    rig = Rig()
    rig.store.add_alarm_event(event(1))
    rig.wire.lost_answer = True
    try:
        rig.outbox.deliver()
    except SystemExit:
        rig.wire.lost_answer = False
    rig.restarted().deliver()
    rig.restarted().deliver()
    assert rig.wire.taken == [(HOOK, "evt_1"), (HOOK, "evt_1")]


def test_attempts_are_a_minute_apart_at_most() -> None:
    rig = Rig()
    rig.wire.down = {HOOK}
    rig.store.add_alarm_event(event(1))
    pauses = []
    for _ in range(8):
        pauses.append(rig.outbox.deliver())
        rig.clock.now += pauses[-1] or 0
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    (delivery,) = rig.store.deliveries(["evt_1"])
    assert (delivery.status, delivery.attempts, delivery.error) == (
        DeliveryStatus.FAILED,
        8,
        "answered 503",
    )


def test_an_event_is_given_up_after_a_day() -> None:
    """And the next one is delivered."""
    rig = Rig()
    rig.wire.down = {HOOK}
    rig.store.add_alarm_event(event(1))
    rig.outbox.deliver()
    rig.store.add_alarm_event(event(2, minutes=24 * 60 - 1))
    rig.clock.at(24 * 60 + 1)
    rig.wire.down = set()
    assert rig.outbox.deliver() is None
    assert rig.wire.taken == [(HOOK, "evt_2")]
    assert [each.status for each in rig.store.deliveries(["evt_1", "evt_2"])] == [
        DeliveryStatus.EXPIRED,
        DeliveryStatus.DELIVERED,
    ]


def test_a_removed_webhook_gets_nothing() -> None:
    """Nor one of an alarm that was removed and made anew."""
    rig = Rig()
    rig.store.add_alarm_event(event(1, targets=(HOOK, OTHER)))
    rig.alarms = {"faults": alarm()}
    rig.outbox.deliver()
    assert rig.wire.taken == [(HOOK, "evt_1")]
    rig.store.add_alarm_event(event(2))
    rig.alarms = {"faults": alarm(created=T0 + 5)}
    rig.outbox.deliver()
    assert len(rig.wire.taken) == 1
    assert rig.store.pending_deliveries(since=T0, limit=9) == []


def test_nothing_is_sent_when_another_process_has_taken_over() -> None:
    rig = Rig()
    rig.store.add_alarm_event(event(1))
    rig.outbox.deliver(lambda: False)
    assert rig.wire.attempts == []


def test_the_body_of_an_event() -> None:
    body = msgspec.json.decode(body_of(event(1)))
    assert body["type"] == "alarm.state"
    assert body["timestamp"] == "2026-11-24T22:40:00+00:00"
    data = body["data"]
    assert (data["alarm"], data["state"], data["previous"]) == ("faults", "ALARM", "OK")
    assert (data["reason"], data["rule"], data["value"]) == ("why", "the rule", 0.5)
    assert (data["from"], data["to"], data["test"]) == (T0 / SECOND, T0 / SECOND + 60, False)
    (edge,) = data["edges"]
    assert edge["id"] == f"{edge['source']['id']}:{edge['target']['id']}"
    assert (edge["source"]["name"], edge["target"]["name"]) == ("front", "orders")
    assert data["nodes"] == [edge["source"]]
