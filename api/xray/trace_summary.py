"""Summary → TraceSummary (docs/xray-format.md §6). Lists are always present."""

from __future__ import annotations

import json
import math
from typing import Any

from api.xray.root_cause_json import render_root_causes
from api.xray.service_graph_json import service_id
from store.model import Http, NodeKey, State
from store.root_causes import RootCauses
from store.summary import Summary
from store.times import SECOND
from store.trace_id import format_trace_id

Json = dict[str, Any]


def render_summary(summary: Summary, causes: RootCauses, matched: int | None = None) -> Json:
    """One TraceSummary; ``matched`` is its event time when the query was by event time."""
    entry = summary.entry
    rendered: Json = {
        "Id": format_trace_id(summary.trace_id),
        "StartTime": summary.start / SECOND,
        "Duration": round(summary.duration / SECOND, 3),
        "HasFault": summary.state == State.FAULT,
        # A 429 is an error and a throttle (§5.6).
        "HasError": summary.state in (State.ERROR, State.THROTTLE),
        "HasThrottle": summary.has_throttle,
        "IsPartial": summary.partial,
        "Http": _http(summary.http),
        "Annotations": {
            key: [_value(text, nodes, summary) for text, nodes in values.items()]
            for key, values in summary.annotations.items()
        },
        "Users": [
            {"UserName": user, "ServiceIds": _services(nodes, summary)}
            for user, nodes in summary.users.items()
        ],
        "ServiceIds": _services(set(summary.nodes), summary),
        "ResourceARNs": [{"ARN": arn} for arn in summary.resource_arns],
        "InstanceIds": [{"Id": id} for id in summary.instance_ids],
        "AvailabilityZones": [{"Name": name} for name in summary.availability_zones],
        **render_root_causes(causes),
        "Revision": summary.revision,
    }
    if summary.response_time is not None:
        rendered["ResponseTime"] = round(summary.response_time / SECOND, 3)
    if entry is not None:
        rendered["EntryPoint"] = _service(entry.node, summary)
    if matched is not None:
        rendered["MatchedEventTime"] = matched / SECOND
    return rendered


def _http(http: Http) -> Json:
    known = {
        "HttpURL": http.url,
        "HttpStatus": http.status,
        "HttpMethod": http.method,
        "UserAgent": http.user_agent,
        "ClientIp": http.client_ip,
    }
    return {member: value for member, value in known.items() if value}


def _services(nodes: set[NodeKey], summary: Summary) -> list[Json]:
    return [_service(node, summary) for node in sorted(nodes)]


def _service(node: NodeKey, summary: Summary) -> Json:
    names = summary.nodes.get(node, frozenset())
    return service_id(node, summary.name_of(node), names)


def _value(text: str, nodes: set[NodeKey], summary: Summary) -> Json:
    return {"AnnotationValue": _annotation(text), "ServiceIds": _services(nodes, summary)}


def _annotation(text: str) -> Json:
    value = json.loads(text)
    if isinstance(value, bool):
        return {"BooleanValue": value}
    if isinstance(value, int | float):
        # JSON has no infinities, SDKs send them all the same.
        return {"NumberValue": value} if math.isfinite(value) else {"StringValue": text}
    return {"StringValue": str(value)}
