"""Units of a trace as service(){…} and edge(){…} see them.

The units that the map counts (`store.units.trace_units`), with what filters read besides.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from store.filters.ast import Field, Value
from store.filters.keywords import MEMBERS
from store.filters.states import STATES
from store.model import NO_HTTP, Document, Http, NodeKey, OwnedCall, State, Trace, confirmed
from store.parents import ParentIndex
from store.rules.annotations import annotation_item, parse_annotation_item
from store.rules.namespaces import names_of, short_name
from store.units import EdgeUnit, NodeUnit, trace_units

MICROSECONDS = 1_000_000


class ServiceUnit(NamedTuple):
    """A segment, or a call that no segment answers as a unit of the node it leads to.

    Of a client ``document`` is the segment it called. ``took`` in microseconds, None in progress.
    """

    node: NodeKey
    names: frozenset[str]
    state: State
    took: int | None
    http: Http
    root: bool
    inferred: bool
    document: Document | None
    background: bool = False
    operation: str = ""

    def values(self, field: Field) -> Iterable[Value]:
        """See `store.filters.evaluate.Subject`."""
        document = self.document
        match field.keyword:
            case "annotation":
                return annotation_values(document.annotations if document else (), field.key)
            case "name":
                return [self.node.name, *self.names]
            case "type":
                return [self.node.type]
            case "account.id":
                return [self.node.account] if self.node.account else []
            case "region":
                return [self.node.region] if self.node.region else []
            case "partial":
                return [self.state is State.IN_PROGRESS]
            case "inferred":
                return [self.inferred]
            case "root":
                return [self.root]
            case "background":
                return [self.background]
            case "operation":
                return [self.operation] if self.operation else []
            case member if member in MEMBERS:
                text = getattr(document, MEMBERS[member], "")
                return [text] if text else []
        return unit_values(field.keyword, self.state, self.took, self.http)


class CallUnit(NamedTuple):
    """A call along an edge. Its annotations are those of the document it came in."""

    source: NodeKey
    target: NodeKey
    names: frozenset[str]
    state: State
    took: int | None
    http: Http
    root: bool
    inferred: bool
    annotations: tuple[str, ...]
    source_names: frozenset[str]
    operation: str = ""

    def values(self, field: Field) -> Iterable[Value]:
        """See `store.filters.evaluate.Subject`."""
        match field.keyword:
            case "annotation":
                return annotation_values(self.annotations, field.key)
            case "inferred":
                return [self.inferred]
            case "root":
                return [self.root]
            case "operation":
                return [self.operation] if self.operation else []
        return unit_values(field.keyword, self.state, self.took, self.http)


def trace_filter_units(trace: Trace) -> tuple[list[ServiceUnit], list[CallUnit]]:
    """Every unit of work, those of clients included, and every call of a trace."""
    parents = ParentIndex(trace)
    units = list(trace_units(trace, parents=parents))
    nodes = [unit for unit in units if isinstance(unit, NodeUnit)]
    entries = {unit.node for unit in nodes if unit.root}
    names = {unit.node: short_name(unit.node, unit.names) for unit in nodes}
    unanswered = {id(unit.origin) for unit in nodes if isinstance(unit.origin, OwnedCall)}
    services = [_service_unit(unit, parents) for unit in nodes]
    calls: list[CallUnit] = []
    for unit in units:
        if not isinstance(unit, EdgeUnit):
            continue
        if isinstance(unit.origin, OwnedCall):
            inferred = id(unit.origin) in unanswered
            known = unit._replace(source=confirmed(unit.source))
            root = known.source in entries
            calls.append(_call_unit(known, unit.origin, trace, root, inferred, names))
        elif unit.origin is not None:
            calls.append(_direct(unit, unit.origin, names, parents))
            if unit.root:
                services.append(_client_unit(unit, unit.origin, parents))
    return services, calls


def _service_unit(unit: NodeUnit, parents: ParentIndex) -> ServiceUnit:
    origin = unit.origin
    if isinstance(origin, Document):
        http, document, operation = origin.http, origin, parents.operation(origin)
    else:
        http, document = Http(status=origin.call.status if origin else 0), None
        operation = origin.call.operation if origin else ""
    return ServiceUnit(
        unit.node,
        unit.names,
        unit.state,
        _took(unit),
        http,
        unit.root,
        not unit.active,
        document,
        unit.background,
        operation,
    )


def _client_unit(unit: EdgeUnit, root: Document, parents: ParentIndex) -> ServiceUnit:
    """What is in front of a root, a client mostly, with the figures of the root."""
    return ServiceUnit(
        confirmed(unit.source),
        _names_of_source(unit, root, {}),
        unit.state,
        _took(unit),
        root.http,
        False,
        root.inferred,
        root,
        operation=parents.operation(root),
    )


def _names_of_source(
    unit: EdgeUnit, callee: Document, names: Mapping[NodeKey, str]
) -> frozenset[str]:
    """The names of what called a segment; a client has those of its root."""
    if unit.source.is_client:
        return names_of(callee.node, callee.service)
    return frozenset((unit.source.name, names.get(unit.source) or unit.source.name))


def _call_unit(
    unit: EdgeUnit,
    owned: OwnedCall,
    trace: Trace,
    root: bool,
    inferred: bool,
    names: Mapping[NodeKey, str],
) -> CallUnit:
    """``names``: those of services without their namespaces."""
    document = trace.documents.get(owned.document_id)
    source, target = (names.get(end) or end.name for end in (unit.source, unit.target))
    return CallUnit(
        unit.source,
        unit.target,
        frozenset((unit.target.name, unit.alias or unit.target.name, target)),
        unit.state,
        _took(unit),
        Http(status=owned.call.status) if owned.call.status else NO_HTTP,
        root,
        inferred,
        document.annotations if document is not None else (),
        frozenset((unit.source.name, source)),
        owned.call.operation,
    )


def _direct(
    unit: EdgeUnit, callee: Document, names: Mapping[NodeKey, str], parents: ParentIndex
) -> CallUnit:
    """An edge that only the callee measured: its own figures (docs/xray-format.md §5.5)."""
    return CallUnit(
        confirmed(unit.source),
        unit.target,
        names_of(callee.node, callee.service),
        unit.state,
        _took(unit),
        callee.http,
        unit.root,
        callee.inferred,
        callee.annotations,
        _names_of_source(unit, callee, names),
        parents.operation(callee),
    )


def _took(unit: NodeUnit | EdgeUnit) -> int | None:
    return None if unit.state is State.IN_PROGRESS else unit.end - unit.start


def unit_values(keyword: str, state: State, took: int | None, http: Http) -> Iterable[Value]:
    """What a segment, a call and the entry of a trace have in common."""
    match keyword:
        case "ok" | "error" | "throttle" | "fault":
            return [state in STATES[keyword]]
        case "responsetime" | "duration":
            return [] if took is None else [took / MICROSECONDS]
    values: dict[str, Value] = {
        "http.status": float(http.status),
        "http.url": http.url,
        "http.method": http.method,
        "http.useragent": http.user_agent,
        "http.clientip": http.client_ip,
    }
    found = values[keyword]
    return [found] if found else []


def annotation_values(items: Iterable[str], key: str) -> Iterable[Value]:
    """The values of a key among items as `store.rules.annotations.annotation_item` writes them."""
    prefix = annotation_item(key, 0).removesuffix("0")
    for item in items:
        if item.startswith(prefix):
            _, value = parse_annotation_item(item)
            yield _as_float(value) if type(value) is int else value


def _as_float(number: int) -> float:
    """X-Ray has one number type. JSON spells integers that no float can represent."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
