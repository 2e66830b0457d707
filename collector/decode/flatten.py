"""A typed document → the flat `Document` the store keeps. Pure, and the hottest code there is.

Checks that every unit would need a call for are written out where they are needed (measured).
"""

from __future__ import annotations

from binascii import unhexlify
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Any

from collector.decode.nodes import CACHED, aws_node, name_of_nameless, remote_node, segment_node_of
from collector.decode.wire import Cause, HttpBlock, LinkAttributes, LinkEntry, Root, Unit
from store.model import NO_HTTP, Call, Document, Http, Link, State
from store.rules.annotations import annotation_item
from store.rules.classify import classify
from store.rules.identity import CallNode
from store.rules.links import MAX_LINKS, read_link
from store.trace_id import parse_trace_id

LATEST = 253_402_300_800.0
"""Year 10000 in epoch seconds: later times are taken for other units."""
MAX_NAME = 200
MAX_ANNOTATION = 1000
NO_ATTRIBUTES = LinkAttributes()


class Identity:
    """What the envelope checks have already read: ids and times in the store's units."""

    __slots__ = ("end", "id", "independent", "parent_id", "start", "trace_id")

    def __init__(
        self, trace_id: bytes, id: int, parent_id: int, independent: bool, start: int, end: int
    ) -> None:
        self.trace_id = trace_id
        self.id = id
        self.parent_id = parent_id
        self.independent = independent
        self.start = start
        self.end = end


def read_id(text: str | None) -> int:
    """The number 16 hex digits spell; 0 for anything else, which means none."""
    if text is None or len(text) != 16:
        return 0
    try:
        return int.from_bytes(unhexlify(text), "big")
    except ValueError:
        return 0


def flatten(root: Root, identity: Identity, raw: bytes, version: int) -> Document:
    """The document, its embedded subsegments folded in."""
    units = _embedded(root) if root.subsegments else ()
    types = _exception_types(root, units)
    end = identity.end
    latest = 0.0
    items = _items(root.annotations) if root.annotations else []
    links = _links(root.links, identity.trace_id) if root.links else []
    members: list[int] = []
    calls: dict[int, Call] = {}
    aws = root.aws
    service = segment_node_of(root.name or "", root.origin or "", aws, bool(root.inferred))
    if identity.independent and root.namespace in ("aws", "remote"):
        call = _call(root, identity.id, identity.start, types)
        calls[call.id] = call
        service = CallNode(call.node, call.service)
    for ordinal, unit in enumerate(units):
        id = read_id(unit.id)
        if id:
            members.append(id)
        if unit.annotations:
            items += _items(unit.annotations)
        if unit.links:
            links += _links(unit.links, identity.trace_id)
        unit_end = unit.end_time
        if unit_end is not None and latest < unit_end < LATEST:
            latest = unit_end
        if unit.namespace == "remote" or unit.namespace == "aws":
            id = id or _made_id(identity, ordinal)
            calls[id] = _call(unit, id, identity.start, types)
    http = root.http
    ec2, ecs = (aws.ec2, aws.ecs) if aws is not None else (None, None)
    exception = _exception(root.cause, types) if root.cause is not None else ""
    status = _status(http) if http is not None else 0
    return Document(
        identity.trace_id,
        identity.id,
        identity.parent_id,
        identity.independent,
        bool(root.inferred),
        identity.start,
        end,
        max(end, round(latest * 1e6)) if latest else end,
        _state(root, status, exception),
        service.node,
        service.service,
        _http(http, status) if http is not None else NO_HTTP,
        root.user or "",
        root.resource_arn or "",
        (ec2.instance_id if ec2 is not None else None) or "",
        (ec2.availability_zone if ec2 is not None else None)
        or (ecs.availability_zone if ecs is not None else None)
        or "",
        exception,
        tuple(dict.fromkeys(items)),
        tuple(members),
        tuple(calls.values()),
        raw,
        version,
        True,
        tuple(links),
    )


def _embedded(root: Unit) -> list[Unit]:
    """Every embedded subsegment in document order, without recursion."""
    first = root.subsegments or []
    if not any([unit.subsegments for unit in first]):  # noqa: C419 (a third faster)
        return first
    units: list[Unit] = []
    stack = first[::-1]
    while stack:
        unit = stack.pop()
        units.append(unit)
        if unit.subsegments:
            stack += reversed(unit.subsegments)
    return units


def _call(unit: Unit, id: int, fallback_start: int, types: dict[str, str]) -> Call:
    """The call an aws or remote subsegment is."""
    start_time, end_time, http = unit.start_time, unit.end_time, unit.http
    if start_time is not None and 0 <= start_time < LATEST:
        start = round(start_time * 1e6)
    else:
        start = fallback_start
    status = _status(http) if http is not None else 0
    exception = _exception(unit.cause, types) if unit.cause is not None else ""
    state = _state(unit, status, exception)
    if state and end_time is not None and 0 <= end_time < LATEST:
        end = max(start, round(end_time * 1e6))
    else:
        state, end = State.IN_PROGRESS, start
    name = (unit.name or name_of_nameless(unit))[:MAX_NAME]
    remote = unit.namespace == "remote"
    if remote:
        target = remote_node(name, unit.sql is not None, unit.origin or "")
    else:
        target = aws_node(name, unit.aws)
    request = http.request if http is not None else None
    traced = unit.traced or (request is not None and request.traced) or False
    host = name if remote else ""
    return Call(id, start, end, state, target.node, target.service, host, status, traced, exception)


def _links(entries: list[LinkEntry], own: bytes) -> list[Link]:
    """Links to other traces; one that names no trace, or nothing in it, says nothing."""
    links: list[Link] = []
    for entry in entries[:MAX_LINKS]:
        try:
            trace_id = parse_trace_id(entry.trace_id or "")
        except ValueError:
            continue
        more = entry.attributes or NO_ATTRIBUTES
        kind, received = more.reference_type, more.received_event_end_time
        link = read_link(own, trace_id, read_id(entry.id), kind, received)
        if link is not None:
            links.append(link)
    return links


def _state(unit: Unit, status: int, exception: str) -> State:
    if status < 400 and not (unit.fault or unit.error or unit.throttle or unit.in_progress):
        return State.OK  # what classify answers, without the call
    return classify(
        error=unit.error or False,
        throttle=unit.throttle or False,
        fault=unit.fault or False,
        status=status,
        in_progress=unit.in_progress or False,
        exception=exception,
    )


def _status(http: HttpBlock) -> int:
    response = http.response
    status = response.status if response is not None else None
    return status if status is not None and 0 < status < 1000 else 0


def _http(block: HttpBlock, status: int) -> Http:
    request = block.request
    if request is None:
        return Http(status=status) if status else NO_HTTP
    return Http(
        request.method or "",
        request.url or "",
        status,
        request.client_ip or "",
        request.user_agent or "",
    )


def _exception_types(root: Root, units: list[Unit] | tuple[()]) -> dict[str, str]:
    """Exception id → type over the whole document; empty when nothing refers by id."""
    causes = [unit.cause for unit in units if unit.cause is not None]
    if root.cause is not None:
        causes.append(root.cause)
    if not any([isinstance(cause, str) for cause in causes]):  # noqa: C419
        return {}
    return {
        entry.id: entry.type or ""
        for cause in causes
        if isinstance(cause, Cause)
        for entry in cause.exceptions or ()
        if entry.id is not None
    }


def _exception(cause: Cause | str | None, types: dict[str, str]) -> str:
    """The type of the first exception of a cause, followed inside the document."""
    if isinstance(cause, str):
        return types.get(cause, "")
    for entry in (cause.exceptions if cause is not None else None) or ():
        if entry.type:
            return entry.type
    return ""


_item = lru_cache(CACHED, typed=True)(annotation_item)


def _items(annotations: dict[str, Any]) -> list[str]:
    """Items of the values an annotation may have; anything else is dropped (XRAY.md §2.8)."""
    items: list[str] = []
    for key, value in annotations.items():
        kind = type(value)
        if kind is str:
            if len(value) <= MAX_ANNOTATION:
                items.append(_item(key, value))
        elif kind is bool or kind is int or (kind is float and isfinite(value)):
            items.append(_item(key, value))
    return items


def _made_id(identity: Identity, ordinal: int) -> int:
    """The id of a call that has none: the same whenever the same document comes again."""
    seed = identity.trace_id + identity.id.to_bytes(8, "big") + ordinal.to_bytes(4, "big")
    return int.from_bytes(blake2b(seed, digest_size=8).digest(), "big") or 1
