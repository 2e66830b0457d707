"""Alarms: their rules, their events (changes of state), and the deliveries of these to webhooks. Pure.

An event names the webhooks it is for and is stored in one insert, so none is lost: what was not delivered yet is
what `AlarmStore.pending_deliveries` lists. One that was taken just before a crash is sent again, under its id.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace

from store.model import NodeKey, TimeRange
from store.rules.alarm_state import AlarmState, MissingData
from store.times import MINUTE

MAX_ALARMS = 200
MAX_WEBHOOKS = 5
MOST_PERIODS = 60
"""The greatest n, minutes."""
MOST_EDGES = 20
"""Edges, and nodes, that an event names."""
MOST_OF_URL = 100
DAY_MINUTES = 1440


class AlarmKind(StrEnum):
    """What an alarm watches."""

    METRIC = "metric"
    NEW_EDGE = "new_edge"
    VANISHED_EDGE = "vanished_edge"
    NEW_CALLER = "new_caller"


class Webhook(Struct, frozen=True):
    """A receiver of events, and the secret that signs what is sent to it (``whsec_`` and base64)."""

    url: str
    secret: str


class Alarm(Struct, frozen=True, omit_defaults=True):
    """A rule over the nodes or edges that ``selector`` means, or over one ``version`` of the nodes ('': all).

    ``metric`` at or beyond ``threshold`` in ``datapoints`` of the last ``periods`` minutes; of an edge's appearance
    or absence, ``periods`` is how many minutes it lasts. ``baseline``: minutes before, with which they are
    compared; ``minimum``: requests of a minute below which it is missing, of a vanished edge the calls that
    were expected. ``notify``: states whose beginning is sent to the webhooks.
    """

    name: str
    kind: AlarmKind
    selector: str = ""
    metric: str = ""
    comparison: str = ">="
    threshold: float = 0.0
    datapoints: int = 1
    periods: int = 1
    missing: MissingData = MissingData.MISSING
    minimum: int = 1
    baseline: int = DAY_MINUTES
    notify: tuple[AlarmState, ...] = (AlarmState.ALARM, AlarmState.OK)
    webhooks: tuple[Webhook, ...] = ()
    note: str = ""
    created: int = 0
    modified: int = 0
    version: str = ""

    @property
    def is_topology(self) -> bool:
        """Whether it is about edges that come and go."""
        return self.kind is not AlarmKind.METRIC

    @property
    def urls(self) -> tuple[str, ...]:
        """Of its webhooks."""
        return tuple(webhook.url for webhook in self.webhooks)


Edge = tuple[NodeKey, NodeKey]


class Verdict(Struct, frozen=True):
    """What an evaluation says: the state, why, over which time; of a metric its newest value, of edges which ones."""

    state: AlarmState
    reason: str
    window: TimeRange
    value: float | None = None
    nodes: tuple[NodeKey, ...] = ()
    edges: tuple[Edge, ...] = ()


class AlarmEvent(Struct, frozen=True, omit_defaults=True):
    """A change of state, or more edges that an alarm is about; ``at``: microseconds since the epoch.

    ``seq``: ascending, by alarm. ``created``: of the alarm, which may have been deleted and made anew.
    ``announced``: the state that receivers know of; ``targets``: webhooks that this event is for.
    ``rule``: the alarm's, in words, as it was.
    """

    id: str
    alarm: str
    seq: int
    at: int
    created: int
    previous: AlarmState
    verdict: Verdict
    rule: str = ""
    announced: AlarmState = AlarmState.OK
    targets: tuple[str, ...] = ()

    @property
    def state(self) -> AlarmState:
        """The state from then on."""
        return self.verdict.state


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    FAILED = "failed"
    """It will be tried again."""
    DELIVERED = "delivered"
    EXPIRED = "expired"
    """Given up."""
    REMOVED = "removed"
    """The alarm or its webhook was removed before."""


FINAL = (DeliveryStatus.DELIVERED, DeliveryStatus.EXPIRED, DeliveryStatus.REMOVED)


class Delivery(Struct, frozen=True):
    """The latest attempt to deliver an event to a webhook; ``at``: microseconds since the epoch."""

    event: str
    url: str
    status: DeliveryStatus
    attempts: int
    at: int
    error: str = ""


class Pending(NamedTuple):
    """An event that a webhook does not have yet; ``attempts`` so far, the last one at ``tried`` (microseconds)."""

    event: AlarmEvent
    url: str
    attempts: int = 0
    tried: int = 0


class Lock(Protocol):
    """What only one process of all has."""

    @property
    def alive(self) -> bool:
        """Whether it still is this one's."""
        ...

    def release(self) -> None:
        """Let another have it."""
        ...


class AlarmStore(Protocol):
    """Stores events and deliveries; rules are configuration (`store.config.records`)."""

    def alarm_lock(self) -> Lock | None:
        """The lock of the process that evaluates and delivers; None while another has it."""
        ...

    def add_alarm_event(self, event: AlarmEvent) -> bool:
        """Store an event; False, and nothing is changed, if its ``seq`` exists. Durable once this returns."""
        ...

    def last_alarm_events(self) -> dict[str, AlarmEvent]:
        """The newest event of each alarm, by the alarm's name."""
        ...

    def alarm_history(self, alarm: str, *, limit: int) -> list[AlarmEvent]:
        """Events of an alarm, the newest first."""
        ...

    def pending_deliveries(self, *, since: int, limit: int) -> list[Pending]:
        """Events since an instant that are not delivered, given up or removed, the oldest first: at most
        `MOST_OF_URL` of each webhook, so that one that is down hides no other's."""
        ...

    def put_delivery(self, delivery: Delivery) -> None:
        """Store the latest attempt. Durable once this returns."""
        ...

    def deliveries(self, events: Collection[str]) -> list[Delivery]:
        """The latest attempts of some events (ids), by event and URL."""
        ...


def next_event(
    alarm: Alarm, last: AlarmEvent | None, verdict: Verdict, now: int, rule: str = ""
) -> AlarmEvent | None:
    """The event that a verdict makes of an alarm, None where nothing changed.

    Receivers hear of a state in ``notify`` unless it is the last they heard of (at first OK): a fault that is
    interrupted by missing data is one incident.
    """
    seq = last.seq + 1 if last else verdict.window.end // MINUTE
    if last and last.created != alarm.created:
        last = None
    previous = last.state if last else AlarmState.INSUFFICIENT_DATA
    announced = last.announced if last else AlarmState.OK
    ringing = last is not None and last.state is verdict.state is AlarmState.ALARM
    more = bool(last and ringing and alarm.is_topology and _more_edges(last.verdict, verdict))
    if verdict.state is previous and not more:
        return None
    announce = verdict.state in alarm.notify and (more or verdict.state is not announced)
    return AlarmEvent(
        id=_event_id(alarm.name, seq),
        alarm=alarm.name,
        seq=seq,
        at=now,
        created=alarm.created,
        previous=previous,
        verdict=replace(
            verdict, nodes=verdict.nodes[:MOST_EDGES], edges=verdict.edges[:MOST_EDGES]
        ),
        rule=rule,
        announced=verdict.state if announce else announced,
        targets=alarm.urls if announce else (),
    )


def _more_edges(old: Verdict, new: Verdict) -> bool:
    """Whether edges are named that were not; of more than an event names, no further event is made."""
    return len(old.edges) < MOST_EDGES and not set(new.edges) <= set(old.edges)


def state_of(alarm: Alarm, last: AlarmEvent | None) -> AlarmState:
    """The present state; a new alarm has insufficient data."""
    known = last is not None and last.created == alarm.created
    return last.state if last and known else AlarmState.INSUFFICIENT_DATA


def _event_id(alarm: str, seq: int) -> str:
    seed = f"{alarm}\0{seq}".encode()
    return "evt_" + blake2b(seed, digest_size=12, person=b"alarm event").hexdigest()
