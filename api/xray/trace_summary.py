"""Summary → TraceSummary (docs/xray-format.md §6). Lists are always present."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from api.xray.service_graph_json import service_id
from store.model import Http, NodeKey, State
from store.root_causes import CauseEntity, CauseService, RootCause, RootCauses
from store.summary import Summary
from store.times import SECOND
from store.trace_id import format_trace_id

Json = dict[str, Any]


def render_summary(summary: Summary, causes: RootCauses, matched: int | None = None) -> Json:
    """One TraceSummary; ``matched`` is its event time when the query was by event time."""
    entry = summary.entry
    services = _Services(summary)
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
            key: [_value(text, nodes, services) for text, nodes in values.items()]
            for key, values in summary.annotations.items()
        },
        "Users": [
            {"UserName": user, "ServiceIds": services.of(nodes)}
            for user, nodes in summary.users.items()
        ],
        "ServiceIds": services.of(summary.nodes),
        "ResourceARNs": [{"ARN": arn} for arn in summary.resource_arns],
        "InstanceIds": [{"Id": id} for id in summary.instance_ids],
        "AvailabilityZones": [{"Name": name} for name in summary.availability_zones],
        **render_root_causes(causes),
        "Revision": summary.revision,
    }
    if summary.response_time is not None:
        rendered["ResponseTime"] = round(summary.response_time / SECOND, 3)
    if entry is not None:
        rendered["EntryPoint"] = services[entry.node]
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


class _Services(dict[NodeKey, Json]):
    """The services of a summary by node; each is needed several times."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def __missing__(self, node: NodeKey) -> Json:
        summary = self._summary
        names = summary.nodes.get(node, frozenset())
        self[node] = found = service_id(node, summary.name_of(node), names)
        return found

    def of(self, nodes: Iterable[NodeKey]) -> list[Json]:
        """Those of some nodes, in order."""
        return [self[node] for node in sorted(nodes)]


def _value(text: str, nodes: set[NodeKey], services: _Services) -> Json:
    return {"AnnotationValue": _annotation(text), "ServiceIds": services.of(nodes)}


def _annotation(text: str) -> Json:
    value = json.loads(text)
    if isinstance(value, bool):
        return {"BooleanValue": value}
    if isinstance(value, int | float):
        # JSON has no infinities, SDKs send them all the same.
        return {"NumberValue": value} if math.isfinite(value) else {"StringValue": text}
    return {"StringValue": str(value)}


def render_root_causes(causes: RootCauses) -> Json:
    """The three members of a TraceSummary.

    Name and Type are always strings and every service has an entity: clients dereference them unchecked
    (docs/xray-format.md §6.1).
    """
    return {
        "FaultRootCauses": [_cause(cause) for cause in causes.fault],
        "ErrorRootCauses": [_cause(cause) for cause in causes.error],
        "ResponseTimeRootCauses": [_cause(cause) for cause in causes.response_time],
    }


def _cause(cause: RootCause) -> Json:
    return {
        "Services": [_service(service) for service in cause.services],
        "ClientImpacting": cause.client_impacting,
    }


def _service(service: CauseService) -> Json:
    rendered: Json = {
        "Name": service.name,
        "Names": list(dict.fromkeys((service.name, service.node.name))),
        "Type": service.node.type,
        "Inferred": service.inferred,
        "EntityPath": [_entity(entity) for entity in service.entities],
    }
    if service.node.account:
        rendered["AccountId"] = service.node.account
    return rendered


def _entity(entity: CauseEntity) -> Json:
    rendered: Json = {"Name": entity.name, "Remote": entity.remote}
    if entity.coverage is not None:
        return {**rendered, "Coverage": entity.coverage}
    exceptions = [{"Name": e.name, "Message": e.message} for e in entity.exceptions]
    return {**rendered, "Exceptions": exceptions}
