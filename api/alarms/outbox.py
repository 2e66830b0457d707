"""Delivers events to webhooks: to each in order, tried again until it answers 2xx, for a day.

What is to be sent are stored events without a final delivery, so nothing is forgotten by a restart. An event
that was taken just before a crash is sent again under the same id. To be run by one process of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import msgspec
import structlog

from api.alarms import webhook
from api.alarms.counters import deliveries
from api.alarms.render import render_edge, render_node
from api.alarms.webhook import DeliveryFailed, Message
from api.reach import ANYWHERE, Destinations
from store.alarms import Alarm, AlarmEvent, Delivery, DeliveryStatus, Pending
from store.protocol import Store
from store.times import DAY, SECOND

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 2 * SECOND, 60 * SECOND
"""After the first failure, and at most; each doubles the one before."""
LIFETIME = DAY
"""How long an event is tried."""
LOOK_BACK = 3 * DAY
MOST = 5_000
SENDERS = 4
"""Receivers that are called at once, so that a slow one delays few others."""
Send = Callable[[str, str, Message], None]
"""(URL, secret, message); raises DeliveryFailed."""


class Outbox:
    """One round after the other; not to be shared by threads."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        alarms: Callable[[], Mapping[str, Alarm]],
        to: Destinations = ANYWHERE,
        send: Send | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._counter = deliveries()
        self._send = send or partial(webhook.send, to=to)

    def deliver(self, may_go_on: Callable[[], bool] = lambda: True) -> float | None:
        """Attempt what is due; returns seconds until something else is, None when nothing waits. Raises StoreError.

        ``may_go_on``: called before each attempt, since another process may have taken over.
        """
        now = self._now()
        waiting: dict[str, list[Pending]] = {}
        for each in self._store.pending_deliveries(since=now - LOOK_BACK, limit=MOST):
            waiting.setdefault(each.url, []).append(each)
        if not waiting:
            return None
        alarms = self._alarms()
        with ThreadPoolExecutor(SENDERS, "webhook") as threads:
            queues = [
                threads.submit(self._deliver, queue, alarms, may_go_on)
                for queue in waiting.values()
            ]
        due = [at for queue in queues if (at := queue.result()) is not None]
        return max(0.0, (min(due) - now) / SECOND) if due else None

    def _deliver(
        self, queue: list[Pending], alarms: Mapping[str, Alarm], may_go_on: Callable[[], bool]
    ) -> int | None:
        """One receiver's events, in order, until one has to wait: until when, microseconds."""
        for pending in queue:
            due = pending.tried + pause(pending.attempts)
            if due > self._now() or not may_go_on():
                return due
            delivery = self._attempt(pending, alarms)
            self._store.put_delivery(delivery)
            self._counter.labels(delivery.status.value).inc()
            if delivery.status is DeliveryStatus.FAILED:
                return delivery.at + pause(delivery.attempts)
        return None

    def _attempt(self, pending: Pending, alarms: Mapping[str, Alarm]) -> Delivery:
        event, url, attempts, _ = pending
        secret = _secret(alarms.get(event.alarm), event, url)
        if secret is None:
            return Delivery(event.id, url, DeliveryStatus.REMOVED, attempts, self._now())
        if self._now() - event.at > LIFETIME:
            log.error("webhook_given_up", alarm=event.alarm, event_id=event.id)
            return Delivery(event.id, url, DeliveryStatus.EXPIRED, attempts, self._now())
        message = Message(event.id, self._now() // SECOND, body_of(event))
        try:
            self._send(url, secret, message)
        except DeliveryFailed as failed:
            log.warning("webhook_failed", alarm=event.alarm, event_id=event.id, error=failed.cause)
            status, error = DeliveryStatus.FAILED, str(failed)
        else:
            status, error = DeliveryStatus.DELIVERED, ""
        return Delivery(event.id, url, status, attempts + 1, self._now(), error)

    def _now(self) -> int:
        return round(self._clock() * SECOND)


def pause(attempts: int) -> int:
    """Microseconds from an attempt to the next, by how many there were."""
    return min(LONGEST_PAUSE, FIRST_PAUSE << min(attempts - 1, 10)) if attempts else 0


def body_of(event: AlarmEvent, *, test: bool = False) -> bytes:
    """The JSON of an event, the same in every attempt (docs/alarms.md)."""
    verdict = event.verdict
    data = {
        "alarm": event.alarm,
        "state": verdict.state.value,
        "previous": event.previous.value,
        "reason": verdict.reason,
        "rule": event.rule,
        "value": verdict.value,
        "from": verdict.window.start / SECOND,
        "to": verdict.window.end / SECOND,
        "nodes": [render_node(node) for node in verdict.nodes],
        "edges": [render_edge(edge) for edge in verdict.edges],
        "test": test,
    }
    timestamp = datetime.fromtimestamp(event.at / SECOND, UTC).isoformat()
    return msgspec.json.encode({"type": "alarm.state", "timestamp": timestamp, "data": data})


def _secret(alarm: Alarm | None, event: AlarmEvent, url: str) -> str | None:
    """That of the webhook as it is now; None when the alarm or its webhook is gone."""
    if alarm is None or alarm.created != event.created:
        return None
    return next((webhook.secret for webhook in alarm.webhooks if webhook.url == url), None)
