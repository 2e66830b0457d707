"""Shapes of /api/v1/alarms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Instant, NodeId, reply
from api.schemas.v1 import Span

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class AlarmNode(TypedDict):
    """A node that an alarm is about."""

    id: NodeId
    name: str
    type: str


class AlarmEdge(TypedDict):
    """An edge that an alarm is about."""

    id: Annotated[str, Field(description="<source>:<target>")]
    source: AlarmNode
    target: AlarmNode


class WebhookAttempt(TypedDict):
    """The latest attempt to deliver an event to a webhook."""

    url: str
    status: Literal["waiting", "failed", "delivered", "expired", "removed"]
    attempts: int
    at: Annotated[Instant | None, Field(description="null before the first")]
    error: str


class AlarmChange(TypedDict):
    """An event of an alarm: a change of its state, or further edges."""

    id: str
    at: Instant
    state: State
    previous: State
    reason: str
    rule: str
    value: Annotated[float | None, Field(description="of the newest minute")]
    start: Annotated[Instant, Field(description="of what was evaluated")]
    end: Instant
    nodes: list[AlarmNode]
    edges: list[AlarmEdge]
    deliveries: Annotated[list[WebhookAttempt], Field(description="none where none is to be sent")]


class AlarmWebhook(TypedDict):
    """A receiver; its secret is never shown."""

    url: str


@reply
class AlarmPreview(Span):
    """What a rule would have done over the last day."""

    values: Annotated[
        list[float | None],
        Field(description="the metric by minute from `from`; null where it is missing"),
    ]
    fired: Annotated[list[Instant], Field(description="when the state would have become ALARM")]


@reply
class AlarmLine(TypedDict):
    """An alarm and its present state."""

    name: str
    kind: Literal["metric", "new_edge", "vanished_edge", "new_caller"]
    selector: Annotated[str, Field(description="'': all requests that enter, or every edge")]
    metric: Annotated[str, Field(description="'' except of kind metric")]
    version: Annotated[str, Field(description="of the nodes; '': all")]
    comparison: Literal[">=", "<="]
    threshold: float
    datapoints: Annotated[int, Field(description="m of n")]
    periods: Annotated[int, Field(description="n, minutes")]
    missing: Literal["missing", "ignore", "breaching", "notBreaching"]
    minimum: int
    baseline: Annotated[int, Field(description="minutes")]
    notify: list[State]
    webhooks: list[AlarmWebhook]
    note: str
    created: Instant
    modified: Instant
    rule: Annotated[str, Field(description="in words")]
    state: State
    last: Annotated[AlarmChange | None, Field(description="the event that made the state")]


@reply
class AlarmList(TypedDict):
    """All alarms, by name."""

    alarms: list[AlarmLine]


@reply
class AlarmDetails(AlarmLine):
    """An alarm with its latest events."""

    history: Annotated[list[AlarmChange], Field(description="the newest first")]


class TestDelivery(TypedDict):
    """The answer of a webhook to a test event."""

    url: str
    delivered: bool
    error: str


@reply
class TestDeliveries(TypedDict):
    """The answers of all webhooks of an alarm."""

    deliveries: list[TestDelivery]
