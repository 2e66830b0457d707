"""Root causes → FaultRootCauses, ErrorRootCauses and ResponseTimeRootCauses (docs/xray-format.md §6.1).

Name and Type are always strings and every service has an entity: clients dereference them unchecked.
"""

from __future__ import annotations

from typing import Any

from store.root_causes import CauseEntity, CauseService, RootCause, RootCauses

Json = dict[str, Any]


def render_root_causes(causes: RootCauses) -> Json:
    """The three members of a TraceSummary."""
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
