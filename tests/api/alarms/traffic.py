"""Traffic by the minute: requests to ``front``, each with a call to some tables."""

from __future__ import annotations

from collections.abc import Sequence

from store.alarms import Alarm, AlarmKind, Webhook
from store.model import Document, NodeKey, State
from store.protocol import Store
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

FRONT = NodeKey("", "front", "")
ORDERS = NodeKey("", "orders", "AWS::DynamoDB::Table")
STOCK = NodeKey("", "stock", "AWS::DynamoDB::Table")
HOOK = "https://hooks.example/a"
SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Clock:
    """A clock that tests set."""

    def __init__(self, now: float = T0 / SECOND) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def at(self, minutes: float, seconds: float = 0) -> None:
        """Minutes after `T0`."""
        self.now = T0 / SECOND + minutes * 60 + seconds


def send(
    store: Store,
    minute: int,
    requests: int = 6,
    faults: int = 0,
    tables: Sequence[NodeKey] = (ORDERS, STOCK),
    name: str = "front",
    version: str = "",
) -> None:
    """Evenly spread requests of a minute after `T0`, the first ones faults."""
    documents = [
        _request(
            minute, at, requests, State.FAULT if at < faults else State.OK, tables, name, version
        )
        for at in range(requests)
    ]
    store.put(documents, f"{name} {version} {minute} {requests}")


def _request(
    minute: int,
    at: int,
    of: int,
    state: State,
    tables: Sequence[NodeKey],
    name: str,
    version: str,
) -> Document:
    number = (minute * 1000 + at) * 16 + (len(name + version) << 40)
    start = T0 + minute * MINUTE + at * MINUTE // of
    calls = [
        call(
            number + 2 + i, start=start + 1, end=start + 9, node=table, service=table.name, host=""
        )
        for i, table in enumerate(tables)
    ]
    return segment(
        number + 1,
        name=name,
        trace_id=trace_id(number + 1, epoch=start // SECOND),
        start=start,
        end=start + 200_000,
        version=start + 300_000,
        state=state,
        calls=tuple(calls),
        service_version=version,
    )


def alarm(name: str = "faults", **change: object) -> Alarm:
    """Three of five minutes with half of the requests faults."""
    fields: dict[str, object] = {
        "name": name,
        "kind": AlarmKind.METRIC,
        "selector": 'service("front")',
        "metric": "fault_share",
        "threshold": 0.5,
        "datapoints": 3,
        "periods": 5,
        "webhooks": (Webhook(HOOK, SECRET),),
        "created": T0,
        "modified": T0,
    }
    return Alarm(**(fields | change))  # type: ignore[arg-type]
