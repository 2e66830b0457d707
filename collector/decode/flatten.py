"""A typed document → the flat `Document` of the store. Pure, and the hottest code of all.

Checks that would cost one function call per unit are inlined where they are needed (measured).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from collector.decode.calls import call_of, further_calls, operation_of
from collector.decode.ids import LATEST, Identity, read_id, synthetic_id
from collector.decode.node_cache import CACHED, MAX_CACHED, segment_node_of
from collector.decode.outcome import (
    NO_TYPES,
    deepest_exception,
    exception_of,
    exception_types,
    state_of,
    status_of,
)
from collector.decode.wire import Aws, LinkAttributes, LinkEntry, Root, Unit
from store.model import NO_HTTP, NO_NODE, Call, Document, Fetched, Http, Kind, Link, NodeKey, State
from store.rules.annotations import annotation_item
from store.rules.classify import UNKNOWN_OUTCOME
from store.rules.deployed import (
    NAMING,
    VERSION,
    annotated_environment,
    environment_of,
    version_of,
)
from store.rules.event_sources import source_node, unknown_sender
from store.rules.identity import CallNode
from store.rules.invocations import is_unknown, kind_of
from store.rules.links import MAX_LINKS, MOST_MESSAGES, read_link
from store.trace_id import parse_trace_id

MAX_ANNOTATION = 1000
NO_ATTRIBUTES = LinkAttributes()
Source = tuple[Kind, NodeKey, Fetched]
NO_SOURCE: Source = (Kind.NONE, NO_NODE, Fetched.NO)


def flatten(root: Root, identity: Identity, raw: bytes, version: int) -> Document:
    """The document with its embedded subsegments."""
    units: Sequence[Unit] = root.subsegments or ()
    types = NO_TYPES
    for unit in units:
        if unit.subsegments or unit.cause is not None:
            units = embedded(units)
            types = exception_types(root, units)
            break
    else:
        if root.cause is not None:
            types = exception_types(root, ())
    origin, end, aws, http = root.origin or "", identity.end, root.aws, root.http
    items = items_of(root.annotations) if root.annotations else []
    given = list(root.links) if root.links else []
    service = segment_node_of(
        root.name or "", origin, aws, root.inferred or False, root.resource_arn or ""
    )
    caller = None if identity.independent else service.node
    latest = 0.0
    members: list[int] = []
    calls: dict[int, Call] = {}
    if identity.independent and root.namespace in ("aws", "remote"):
        call = call_of(root, identity.id, identity.start, types, None)
        calls[call.id] = call
        calls |= further_calls(root, call, identity, None)
        service = CallNode(call.node, call.service)
    for ordinal, unit in enumerate(units):
        id = read_id(unit.id)
        if unit.annotations:
            items += items_of(unit.annotations)
        if unit.links:
            given += unit.links
        unit_end, namespace = unit.end_time, unit.namespace
        if unit_end is not None and latest < unit_end < LATEST:
            latest = unit_end
        if namespace == "remote" or namespace == "aws":
            id = id or synthetic_id(identity, ordinal)
            calls[id] = call = call_of(unit, id, identity.start, types, caller)
            if namespace == "aws" and unit.aws is not None:
                calls |= further_calls(unit, call, identity, caller)
        elif id:
            members.append(id)
    exception = exception_of(root.cause, types) if root.cause is not None else ""
    status = 0
    block = NO_HTTP
    if http is not None:
        status = status_of(http)
        request = http.request
        if request is not None:
            block = Http(
                request.method or "",
                request.url or "",
                status,
                request.client_ip or "",
                request.user_agent or "",
            )
        elif status:
            block = Http(status=status)
    if aws is None or (aws.ec2 is None and aws.ecs is None):
        instance_id = zone = ""
    else:
        instance_id, zone = place_of(aws)
    state = state_of(root, status, exception)
    if state > State.OK and units:
        exception = deepest_exception(root, state, exception, types)
    elif state == State.OK and root.annotations and is_unknown(origin, root.annotations):
        exception = UNKNOWN_OUTCOME
    if aws is None or aws.event_source_arn is None or identity.independent:
        source = NO_SOURCE
    else:
        source = source_of(aws.event_source_arn)
    return Document(
        identity.trace_id,
        identity.id,
        identity.parent_id,
        identity.independent,
        root.inferred or False,
        identity.start,
        end,
        max(end, round(latest * 1e6)) if latest else end,
        state,
        service[0],
        service[1],
        block,
        root.user or "",
        root.resource_arn or "",
        instance_id,
        zone,
        exception,
        tuple(dict.fromkeys(items)) if items else (),
        tuple(members),
        tuple(calls.values()),
        raw,
        version,
        True,
        tuple(links_of(given, identity.trace_id, identity.id, source)) if given else (),
        1,
        *deployed_of(root),
        source[0] or kind_of(origin, is_segment=not identity.independent),
        source[1],
        source[2],
        operation_of(root),
    )


def embedded(first: Sequence[Unit]) -> list[Unit]:
    """Every embedded subsegment in document order, without recursion."""
    units: list[Unit] = []
    stack = list(reversed(first))
    while stack:
        unit = stack.pop()
        units.append(unit)
        if unit.subsegments:
            stack += reversed(unit.subsegments)
    return units


def place_of(aws: Aws) -> tuple[str, str]:
    """Instance and availability zone of a segment."""
    ec2, ecs = aws.ec2, aws.ecs
    instance_id = ec2.instance_id if ec2 is not None else None
    zone = ec2.availability_zone if ec2 is not None else None
    if not zone and ecs is not None:
        zone = ecs.availability_zone
    return instance_id or "", zone or ""


def deployed_of(root: Root) -> tuple[str, str]:
    """The version that a document's service runs, and its environment (`store.rules.deployed`)."""
    aws, service, annotations = root.aws, root.service, root.annotations
    if aws is None or aws.api_gateway is aws.function_arn is None:
        arn = stage = None
    else:
        arn, gateway = aws.function_arn, aws.api_gateway
        stage = gateway.stage if gateway is not None else None
    version = service.version if service is not None else None
    given = annotations if annotations and not NAMING.isdisjoint(annotations) else {}
    if not given and arn is stage is version is root.resource_arn is None:
        return "", ""
    return (
        version_of((arn, root.resource_arn), version, given.get(VERSION)),
        (annotated_environment(given) if given else "") or environment_of(stage),
    )


def source_of(arn: object) -> Source:
    """What a segment with this event source is: a consumer of messages that Lambda fetched from there for the
    function below it."""
    node = source_node(arn)
    return (Kind.CONSUMER, node, Fetched.MESSAGES) if node.name else NO_SOURCE


def links_of(
    entries: list[LinkEntry], own: bytes, document_id: int, source: Source = NO_SOURCE
) -> list[Link]:
    """The links of a document to other traces; one without a valid trace id, or to nothing in it, is dropped, but
    not one of messages from an event source whose sender is unknown."""
    links: list[Link] = []
    for entry in entries[:MAX_LINKS]:
        if entry.trace_id is entry.id is None and source is not NO_SOURCE:
            trace_id, id = unknown_sender(own, document_id)
        else:
            try:
                trace_id, id = parse_trace_id(entry.trace_id or ""), read_id(entry.id)
            except ValueError:
                continue
        more = entry.attributes or NO_ATTRIBUTES
        kind, received = more.reference_type, more.received_event_end_time
        weight = min(max(1, more.messages or 1), MOST_MESSAGES)
        link = read_link(own, trace_id, id, kind, received, weight)
        if link is not None:
            links.append(link)
    return links


_texts: dict[tuple[str, str], str] = {}
"""Annotation items by key and text; strings repeat, numbers rarely do."""


cached_item = _texts.get
"""The cached item of a key and a text value, or None."""


def items_of(annotations: dict[str, Any]) -> list[str]:
    """Items of valid annotation values; others are dropped (docs/xray-format.md §2.8)."""
    items: list[str] = []
    for key, value in annotations.items():
        kind = type(value)
        if kind is str:
            if len(value) <= MAX_ANNOTATION:
                items.append(_texts.get((key, value)) or _text_item(key, value))
        elif kind is bool or kind is int or (kind is float and isfinite(value)):
            items.append(annotation_item(key, value))
    return items


def _text_item(key: str, value: str) -> str:
    item = annotation_item(key, value)
    if len(item) <= MAX_CACHED:
        if len(_texts) >= CACHED:
            _texts.clear()
        _texts[key, value] = item
    return item
