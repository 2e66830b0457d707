"""The contract of a store: events of alarms, and their deliveries."""

from __future__ import annotations

import time

from store.alarms import AlarmEvent, Delivery, DeliveryStatus, Lock, Pending, Verdict
from store.model import NodeKey, TimeRange
from store.protocol import Store
from store.rules.alarm_state import AlarmState
from store.times import MINUTE
from tests.builders import T0

HOOK, OTHER = "https://hooks.example/a?b='\\", "https://hooks.example/ü"
EDGE = (NodeKey("", "front", ""), NodeKey("1", "orders", "AWS::DynamoDB::Table", "eu-west-1"))


def event(
    seq: int, alarm: str = "faults", at: int = T0, targets: tuple[str, ...] = ()
) -> AlarmEvent:
    window = TimeRange(T0, T0 + MINUTE)
    return AlarmEvent(
        id=f"{alarm}-{seq}",
        alarm=alarm,
        seq=seq,
        at=at,
        created=T0,
        previous=AlarmState.OK,
        verdict=Verdict(AlarmState.ALARM, "why: „ü“ '", window, 0.5, EDGE, (EDGE,)),
        rule="fault share ≥ 5 %",
        targets=targets,
    )


def taken(store: Store) -> Lock:
    """The lock, when it is free: a server notices within a second that it is."""
    while (lock := store.alarm_lock()) is None:
        time.sleep(0.05)
    return lock


class AlarmContract:
    """`store.alarms.AlarmStore`."""

    def test_events_are_stored_by_alarm_and_number(self, store: Store) -> None:
        events = [event(1), event(2, at=T0 + 1), event(7, "other's")]
        assert all(store.add_alarm_event(each) for each in events)
        assert store.last_alarm_events() == {"faults": events[1], "other's": events[2]}
        assert store.alarm_history("faults", limit=9) == [events[1], events[0]]
        assert store.alarm_history("faults", limit=1) == [events[1]]
        assert store.alarm_history("none", limit=9) == []

    def test_of_two_writers_of_a_number_the_second_loses(self, store: Store) -> None:
        assert store.add_alarm_event(event(1))
        assert not store.add_alarm_event(event(1, at=T0 + 5, targets=(HOOK,)))
        assert store.alarm_history("faults", limit=9) == [event(1)]

    def test_what_is_not_delivered_is_pending_in_order(self, store: Store) -> None:
        """Until its delivery is final; each webhook by itself."""
        first, second = event(1, targets=(HOOK, OTHER)), event(2, at=T0 + 1, targets=(HOOK,))
        for each in (second, first, event(3, at=T0 + 2)):
            store.add_alarm_event(each)
        everything = [Pending(first, HOOK), Pending(first, OTHER), Pending(second, HOOK)]
        assert store.pending_deliveries(since=T0, limit=9) == everything
        assert store.pending_deliveries(since=T0, limit=2) == everything[:2]
        assert store.pending_deliveries(since=T0 + 1, limit=9) == everything[2:]
        failed = Delivery(first.id, HOOK, DeliveryStatus.FAILED, 1, T0 + 3, "refused")
        store.put_delivery(failed)
        expected = [Pending(first, HOOK, 1, T0 + 3), *everything[1:]]
        assert store.pending_deliveries(since=T0, limit=9) == expected
        delivered = Delivery(first.id, HOOK, DeliveryStatus.DELIVERED, 2, T0 + 4)
        store.put_delivery(delivered)
        store.put_delivery(Delivery(second.id, HOOK, DeliveryStatus.EXPIRED, 9, T0 + 4))
        assert store.pending_deliveries(since=T0, limit=9) == [Pending(first, OTHER)]
        store.put_delivery(Delivery(first.id, OTHER, DeliveryStatus.REMOVED, 0, T0 + 5))
        assert store.pending_deliveries(since=T0, limit=9) == []
        assert delivered in store.deliveries([first.id])
        assert [each.url for each in store.deliveries([first.id, "none"])] == [HOOK, OTHER]
        assert store.deliveries([]) == []

    def test_one_at_a_time_has_the_lock(self, store: Store) -> None:
        lock = taken(store)
        assert lock.alive
        assert store.alarm_lock() is None
        lock.release()
        assert not lock.alive
        taken(store).release()
