"""The operations of Application Signals that read services, from the map and the dictionary of operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody, require_short
from api.v1.graph import map_numbers
from api.v1.operations import operation_list
from raymap.contrib.application_signals.keys import (
    attribute_maps,
    is_service,
    key_attributes,
    named,
)
from store.model import TimeRange
from store.rules.dimensions import Dimension
from store.times import SECOND

Json = dict[str, Any]
UNKNOWN, UNKNOWN_REMOTE = "UnknownOperation", "UnknownRemoteOperation"
"""What AWS calls what names no operation."""


class Requested(NamedTuple):
    """A request: a window, a page, and the body."""

    window: TimeRange
    most: int
    after: int
    body: JsonBody

    def page(self, member: str, elements: Sequence[Json]) -> Json:
        """The elements of the page, and the token of the next."""
        until = self.after + self.most
        more = {"NextToken": str(until)} if until < len(elements) else {}
        return {**self.span, member: list(elements[self.after : until]), **more}

    @property
    def span(self) -> Json:
        """The window of an answer."""
        return {"StartTime": self.window.start / SECOND, "EndTime": self.window.end / SECOND}


def list_services(context: Context, request: Requested) -> Json:
    """Services that reported themselves; the two nodes of a Lambda function are one."""
    found: dict[tuple[str, ...], Json] = {}
    for node in map_numbers(context, request.window)["services"]:
        if is_service(node):
            key = key_attributes(node)
            one = (*key.values(), node["account"], node["region"])
            found.setdefault(one, {**_service(node)})
    return request.page("ServiceSummaries", [found[one] for one in sorted(found)])


def get_service(context: Context, request: Requested) -> Json:
    """One service; ApiError (404) without traffic."""
    node = _nodes(context, request)[0]
    return {**request.span, "Service": _service(node)}


def list_service_operations(context: Context, request: Requested) -> Json:
    """What a service did."""
    names = {node["name"] for node in _nodes(context, request)}
    lists = [operation_list(context, name, request.window) for name in sorted(names)]
    operations = sorted({each["name"] for found in lists for each in found["operations"]})
    return request.page(
        "ServiceOperations", [{"Name": name, "MetricReferences": []} for name in operations]
    )


def list_service_dependencies(context: Context, request: Requested) -> Json:
    """What a service called, by its operations and those that it called."""
    return request.page(
        "ServiceDependencies",
        _edges(
            context,
            request,
            "source",
            lambda source, target, edge: {
                "OperationName": edge["source_value"] or UNKNOWN,
                "DependencyKeyAttributes": key_attributes(target),
                "DependencyOperationName": edge["target_value"] or UNKNOWN_REMOTE,
                "MetricReferences": [],
            },
        ),
    )


def list_service_dependents(context: Context, request: Requested) -> Json:
    """What called a service, by operations; not clients, which are no services."""
    return request.page(
        "ServiceDependents",
        _edges(
            context,
            request,
            "target",
            lambda source, target, edge: {
                "OperationName": edge["target_value"] or UNKNOWN,
                "DependentKeyAttributes": key_attributes(source),
                "DependentOperationName": edge["source_value"] or UNKNOWN_REMOTE,
                "MetricReferences": [],
            },
        ),
    )


def list_service_level_objectives(context: Context, request: Requested) -> Json:
    """None: Raymap's alarms judge minutes, and no objectives."""
    return {"SloSummaries": []}


Operation = Callable[[Context, Requested], Json]
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/services"): list_services,
    ("POST", "/service"): get_service,
    ("POST", "/service-operations"): list_service_operations,
    ("POST", "/service-dependencies"): list_service_dependencies,
    ("POST", "/service-dependents"): list_service_dependents,
    ("POST", "/slos"): list_service_level_objectives,
}
WITHOUT_WINDOW = frozenset({"/slos"})


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
            code="ResourceNotFoundException",
            status=404,
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
