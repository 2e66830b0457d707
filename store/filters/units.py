"""Units of a trace as service(){…} and edge(){…} see them.

The same units as the map counts (`store.units.trace_units`), with what filters read besides.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from store.filters.ast import Field, Value
from store.model import NO_HTTP, Call, Document, Http, NodeKey, OwnedCall, State, Trace, client_of
from store.parents import ParentIndex, calling_node, is_root, segments_by_parent_id
from store.rules.annotations import parse_annotation_item

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
            case "partial":
                return [self.state is State.IN_PROGRESS]
            case "inferred":
                return [self.inferred]
            case "root":
                return [self.root]
            case "user" | "availabilityzone" | "instance.id" | "resource.arn":
                text = getattr(document, MEMBERS[field.keyword], "")
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

    def values(self, field: Field) -> Iterable[Value]:
        """See `store.filters.evaluate.Subject`."""
        match field.keyword:
            case "annotation":
                return annotation_values(self.annotations, field.key)
            case "inferred":
                return [self.inferred]
            case "root":
                return [self.root]
        return unit_values(field.keyword, self.state, self.took, self.http)


MEMBERS = {
    "user": "user",
    "availabilityzone": "availability_zone",
    "instance.id": "instance_id",
    "resource.arn": "resource_arn",
}


def trace_filter_units(trace: Trace) -> tuple[list[ServiceUnit], list[CallUnit]]:
    """Every unit of work and every call of a trace."""
    index = ParentIndex(trace)
    answers = segments_by_parent_id(trace)
    entries = {d.node for d in trace.documents.values() if is_root(d, trace, index)}
    services: list[ServiceUnit] = []
    calls: list[CallUnit] = []
    for owned in trace.calls.values():
        source = calling_node(owned, trace, index)
        document = trace.documents.get(owned.document_id)
        targets = {answer.node for answer in answers.get(owned.call.id, ())}
        if not targets:
            services.append(_inferred_unit(owned.call))
        if source is not None:
            calls += [
                _call_unit(owned, source, target, source in entries, document, not targets)
                for target in targets or {owned.call.node}
            ]
    for document in trace.documents.values():
        if document.independent:
            continue
        root = is_root(document, trace, index)
        unit = _segment_unit(document, root)
        services.append(unit)
        if root:
            client = client_of(document.node, document.http.user_agent)
            services.append(unit._replace(node=client, names=frozenset(), root=False))
            calls.append(_direct(document, client))
        elif document.parent_id not in trace.calls:
            owner = index.owning_segment(index.containing_document(document.parent_id))
            if owner is not None:
                calls.append(_direct(document, owner.node))
    return services, calls


def _segment_unit(document: Document, root: bool) -> ServiceUnit:
    took = None if document.in_progress else document.end - document.start
    names = frozenset((document.node.name, document.service))
    return ServiceUnit(
        document.node, names, document.state, took, document.http, root, document.inferred, document
    )


def _inferred_unit(call: Call) -> ServiceUnit:
    names = frozenset((call.node.name, call.service))
    return ServiceUnit(
        call.node, names, call.state, _took(call), Http(status=call.status), False, True, None
    )


def _call_unit(
    owned: OwnedCall,
    source: NodeKey,
    target: NodeKey,
    root: bool,
    document: Document | None,
    inferred: bool,
) -> CallUnit:
    call = owned.call
    names = frozenset((target.name, call.host) if call.host else (target.name,))
    annotations = document.annotations if document is not None else ()
    http = Http(status=call.status) if call.status else NO_HTTP
    return CallUnit(
        source, target, names, call.state, _took(call), http, root, inferred, annotations
    )


def _direct(document: Document, source: NodeKey) -> CallUnit:
    """An edge that only the callee measured: its own figures (docs/xray-format.md §5.5)."""
    took = None if document.in_progress else document.end - document.start
    names = frozenset((document.node.name,))
    return CallUnit(
        source,
        document.node,
        names,
        document.state,
        took,
        document.http,
        source.is_client,
        document.inferred,
        document.annotations,
    )


def _took(call: Call) -> int | None:
    return None if call.state is State.IN_PROGRESS else call.end - call.start


def unit_values(keyword: str, state: State, took: int | None, http: Http) -> Iterable[Value]:
    """What a segment, a call and the entry of a trace have in common."""
    match keyword:
        case "ok":
            return [state is State.OK]
        case "error":
            return [state in (State.ERROR, State.THROTTLE)]
        case "throttle":
            return [state is State.THROTTLE]
        case "fault":
            return [state is State.FAULT]
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
    for item in items:
        name, value = parse_annotation_item(item)
        if name == key:
            yield _as_float(value) if type(value) is int else value


def _as_float(number: int) -> float:
    """X-Ray has one number type. JSON spells integers that no float can represent."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
