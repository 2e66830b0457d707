"""Alarms and their events as /api/v1/alarms shows them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

from api.alarms.metrics import rule_words
from api.graph.build import edge_id, node_id
from api.schemas.alarms import (
    AlarmChange,
    AlarmDetails,
    AlarmEdge,
    AlarmLine,
    AlarmNode,
    WebhookAttempt,
)
from store.alarms import Alarm, AlarmEvent, Delivery, Edge, state_of
from store.model import NodeKey
from store.times import SECOND

Deliveries = Mapping[tuple[str, str], Delivery]
"""By event and URL."""


ShowUrl = Callable[[str], str]
"""How a webhook's URL is shown: whole, or `masked`."""


def masked(url: str) -> str:
    """A URL with what may be secret in it left out: user, path and query, all but scheme and host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def by_event(deliveries: Iterable[Delivery]) -> Deliveries:
    """Deliveries to look up."""
    return {(each.event, each.url): each for each in deliveries}


def render_alarm(
    alarm: Alarm, last: AlarmEvent | None, deliveries: Deliveries, show: ShowUrl = str
) -> AlarmLine:
    """An alarm with the event that made its state."""
    known = last if last and last.created == alarm.created else None
    return {
        "name": alarm.name,
        "kind": alarm.kind.value,
        "selector": alarm.selector,
        "metric": alarm.metric,
        "version": alarm.version,
        "comparison": ">=" if alarm.comparison == ">=" else "<=",
        "threshold": alarm.threshold,
        "datapoints": alarm.datapoints,
        "periods": alarm.periods,
        "missing": alarm.missing.value,
        "minimum": alarm.minimum,
        "baseline": alarm.baseline,
        "notify": [state.value for state in alarm.notify],
        "webhooks": [{"url": show(url)} for url in alarm.urls],
        "note": alarm.note,
        "created": alarm.created / SECOND,
        "modified": alarm.modified / SECOND,
        "rule": rule_words(alarm),
        "state": state_of(alarm, last).value,
        "last": render_event(known, deliveries, show) if known else None,
    }


def render_details(
    alarm: Alarm, history: Sequence[AlarmEvent], deliveries: Deliveries, show: ShowUrl = str
) -> AlarmDetails:
    """An alarm with its events, the newest first."""
    last = history[0] if history else None
    line = render_alarm(alarm, last, deliveries, show)
    events = [render_event(event, deliveries, show) for event in history]
    return cast("AlarmDetails", {**line, "history": events})


def render_event(event: AlarmEvent, deliveries: Deliveries, show: ShowUrl = str) -> AlarmChange:
    """An event and how far its deliveries are."""
    verdict = event.verdict
    return {
        "id": event.id,
        "at": event.at / SECOND,
        "state": verdict.state.value,
        "previous": event.previous.value,
        "reason": verdict.reason,
        "rule": event.rule,
        "value": verdict.value,
        "start": verdict.window.start / SECOND,
        "end": verdict.window.end / SECOND,
        "nodes": [render_node(node) for node in verdict.nodes],
        "edges": [render_edge(edge) for edge in verdict.edges],
        "deliveries": [
            _attempt(url, deliveries.get((event.id, url)), show) for url in event.targets
        ],
    }


def render_node(node: NodeKey) -> AlarmNode:
    """A node, as events and webhooks have it."""
    return {"id": node_id(node), "name": node.name, "type": node.type}


def render_edge(edge: Edge) -> AlarmEdge:
    """An edge, as events and webhooks have it."""
    source, target = edge
    return {
        "id": edge_id(source, target),
        "source": render_node(source),
        "target": render_node(target),
    }


def _attempt(url: str, delivery: Delivery | None, show: ShowUrl) -> WebhookAttempt:
    shown = show(url)
    if delivery is None:
        return {"url": shown, "status": "waiting", "attempts": 0, "at": None, "error": ""}
    return {
        "url": shown,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "at": delivery.at / SECOND,
        "error": delivery.error.replace(url, shown),
    }
