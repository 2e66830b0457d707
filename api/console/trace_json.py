"""Summary → what lists and the trace page show of a trace."""

from __future__ import annotations

import json

from api.console.charts import status_name
from api.schemas.traces import InnerCounts, TraceHead, TraceLine
from store.model import State
from store.query import UnitTrace
from store.summary import Summary
from store.trace_id import format_trace_id


def head(summary: Summary) -> TraceHead:
    """The part of a summary that lists and the trace page share."""
    entry, response = summary.entry, summary.response_time
    return {
        "id": format_trace_id(summary.trace_id),
        "start": summary.start / 1_000_000,
        "duration_ms": summary.duration / 1000,
        "response_ms": None if response is None else response / 1000,
        "status": status_name(summary.state),
        "partial": summary.partial,
        "entry": {"name": summary.name_of(entry.node), "type": entry.node.type} if entry else None,
        "method": summary.http.method or None,
        "url": summary.http.url or None,
        "code": summary.http.status or None,
        "user": next(iter(summary.users), None),
        "inner": inner(summary),
    }


def inner(summary: Summary) -> InnerCounts:
    """Segments and calls below the entry that failed."""
    return {
        "error": summary.failed_inside.get(State.ERROR, 0),
        "throttle": summary.failed_inside.get(State.THROTTLE, 0),
        "fault": summary.failed_inside.get(State.FAULT, 0),
    }


def line(summary: Summary, there: UnitTrace | None) -> TraceLine:
    """A trace in a list, with its units at the node or edge searched for."""
    return {
        **head(summary),
        "status_there": status_name(there.state) if there else None,
        "units_there": there.units if there else None,
        "services": _services(summary),
        "segments": summary.segments,
        "annotations": {
            key: [json.loads(text) for text in values]
            for key, values in summary.annotations.items()
        },
    }


def _services(summary: Summary) -> list[str]:
    """Names of the nodes that a trace touched, the entry first, clients left out."""
    entry = summary.entry.node if summary.entry else None
    nodes = [entry] if entry else []
    nodes += sorted(node for node in summary.nodes if not node.is_client and node != entry)
    return list(dict.fromkeys(map(summary.name_of, nodes)))
