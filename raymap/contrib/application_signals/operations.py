"""The operations of Application Signals that read services, from the map and the dictionary of operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from api.context import Context
from api.errors import ApiError
from api.request import require_short
from api.v1.graph import map_numbers
from api.v1.operations import operation_list
from raymap.contrib.application_signals.keys import (
    SERVICE,
    attribute_maps,
    is_service,
    key_attributes,
    named,
)
from raymap.contrib.application_signals.requested import Json, Operation, Requested
from store.rules.dimensions import Dimension

UNKNOWN, UNKNOWN_REMOTE = "UnknownOperation", "UnknownRemoteOperation"
"""What AWS calls what names no operation."""


def list_services(context: Context, request: Requested) -> Json:
    """Services that reported themselves; the two nodes of a Lambda function are one."""
    found: dict[tuple[str, ...], Json] = {}
    for node in map_numbers(context, request.window)["services"]:
        if is_service(node):
            key = key_attributes(node)
            one = (*key.values(), node["account"], node["region"])
            found.setdefault(one, {**_service(node)})
    services = [found[one] for one in sorted(found)]
    return {**request.span, **request.page("ServiceSummaries", services)}


def get_service(context: Context, request: Requested) -> Json:
    """One service; ApiError (404) without traffic."""
    node = _nodes(context, request)[0]
    return {**request.span, "Service": _service(node)}


def list_service_operations(context: Context, request: Requested) -> Json:
    """What a service did."""
    names = {node["name"] for node in _nodes(context, request)}
    lists = [operation_list(context, name, request.window) for name in sorted(names)]
    operations = sorted({each["name"] for found in lists for each in found["operations"]})
    lines: list[Json] = [{"Name": name, "MetricReferences": []} for name in operations]
    return {**request.span, **request.page("ServiceOperations", lines)}


def list_service_dependencies(context: Context, request: Requested) -> Json:
    """What a service called, by its operations and those that it called."""
    lines = _edges(
        context,
        request,
        "source",
        lambda source, target, edge: {
            "OperationName": edge["source_value"] or UNKNOWN,
            "DependencyKeyAttributes": key_attributes(target),
            "DependencyOperationName": edge["target_value"] or UNKNOWN_REMOTE,
            "MetricReferences": [],
        },
    )
    return {**request.span, **request.page("ServiceDependencies", lines)}


def list_service_dependents(context: Context, request: Requested) -> Json:
    """What called a service, by operations; not clients, which are no services."""
    lines = _edges(
        context,
        request,
        "target",
        lambda source, target, edge: {
            "OperationName": edge["target_value"] or UNKNOWN,
            "DependentKeyAttributes": key_attributes(source),
            "DependentOperationName": edge["source_value"] or UNKNOWN_REMOTE,
            "MetricReferences": [],
        },
    )
    return {**request.span, **request.page("ServiceDependents", lines)}


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/services"): list_services,
    ("POST", "/service"): get_service,
    ("POST", "/service-operations"): list_service_operations,
    ("POST", "/service-dependencies"): list_service_dependencies,
    ("POST", "/service-dependents"): list_service_dependents,
}


def _service(node: Mapping[str, Any]) -> Json:
    return {
        "KeyAttributes": key_attributes(node),
        "AttributeMaps": attribute_maps(node),
        "MetricReferences": [],
    }


def _nodes(context: Context, request: Requested) -> list[Mapping[str, Any]]:
    services: list[Any] = list(map_numbers(context, request.window)["services"])
    found = list(named(request.body, services))
    if not found:
        raise ApiError(
            "no service with these KeyAttributes had traffic in the window",
            code="ResourceNotFound",
            status=404,
            members={
                "ResourceType": SERVICE,
                "ResourceId": request.body.members["KeyAttributes"]["Name"],
            },
        )
    return found


def _edges(
    context: Context,
    request: Requested,
    own: str,
    line: Callable[[Json, Json, Json], Json],
) -> list[Json]:
    """Lines of the edges that begin (``own``: source) or end (target) at a service, each once. A function's two nodes call each
    other, which is no dependency."""
    require_short(request.window)
    names = {node["name"] for node in _nodes(context, request)}
    found = map_numbers(context, request.window, None, Dimension.OPERATION)
    nodes: dict[str, Any] = {node["id"]: node for node in found["services"]}
    lines: list[Json] = []
    edges: Iterable[Any] = found["edges"]
    for edge in edges:
        source, target = nodes.get(edge["source"]), nodes.get(edge["target"])
        if source is None or target is None or source["type"] == "client":
            continue
        at = source if own == "source" else target
        if is_service(at) and at["name"] in names and source["name"] != target["name"]:
            one = line(source, target, edge)
            lines += [one] if one not in lines else []
    return sorted(lines, key=str)
