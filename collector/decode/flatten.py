"""A typed document → the flat `Document` of the store. Pure, and the hottest code of all.

Checks that would cost one function call per unit are inlined where they are needed (measured).
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence
from hashlib import blake2b
from math import isfinite
from typing import Any

from msgspec.structs import replace

from collector.decode.node_cache import (
    CACHED,
    MAX_CACHED,
    aws_node,
    further_aws_nodes,
    name_of_nameless,
    remote_node,
    segment_node_of,
)
from collector.decode.wire import (
    Aws,
    Cause,
    ExceptionEntry,
    HttpBlock,
    LinkAttributes,
    LinkEntry,
    Root,
    Unit,
)
from store.model import NO_HTTP, Call, Document, Http, Link, State
from store.rules.annotations import annotation_item
from store.rules.aws_errors import exception_name
from store.rules.classify import classify
from store.rules.identity import CallNode
from store.rules.links import MAX_LINKS, read_link
from store.trace_id import parse_trace_id

LATEST = 253_402_300_800.0
"""Year 10000 in epoch seconds: later times are assumed to be in another unit."""
MAX_NAME = 200
MAX_ANNOTATION = 1000
NO_ATTRIBUTES = LinkAttributes()
_NO_TYPES: dict[str, str] = {}


class Identity:
    """A document's ids and times, in the store's units."""

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


_from_bytes = int.from_bytes


def read_id(text: str | None) -> int:
    """The value of 16 hex digits; 0, which means none, for anything else."""
    if text is None or len(text) != 16:
        return 0
    try:
        return _from_bytes(unhexlify(text))
    except ValueError:
        return 0


def flatten(root: Root, identity: Identity, raw: bytes, version: int) -> Document:
    """The document with its embedded subsegments."""
    units: Sequence[Unit] = root.subsegments or ()
    types = _NO_TYPES
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
    links = links_of(root.links, identity.trace_id) if root.links else []
    service = segment_node_of(
        root.name or "", origin, aws, root.inferred or False, root.resource_arn or ""
    )
    latest = 0.0
    members: list[int] = []
    calls: dict[int, Call] = {}
    if identity.independent and root.namespace in ("aws", "remote"):
        call = _call(root, identity.id, identity.start, types)
        calls[call.id] = call
        calls |= _further_calls(root, call, identity)
        service = CallNode(call.node, call.service)
    for ordinal, unit in enumerate(units):
        id = read_id(unit.id)
        if unit.annotations:
            items += items_of(unit.annotations)
        if unit.links:
            links += links_of(unit.links, identity.trace_id)
        unit_end, namespace = unit.end_time, unit.namespace
        if unit_end is not None and latest < unit_end < LATEST:
            latest = unit_end
        if namespace == "remote" or namespace == "aws":
            id = id or synthetic_id(identity, ordinal)
            calls[id] = call = _call(unit, id, identity.start, types)
            if namespace == "aws" and unit.aws is not None:
                calls |= _further_calls(unit, call, identity)
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
        tuple(links),
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


def _call(unit: Unit, id: int, fallback_start: int, types: dict[str, str]) -> Call:
    """The call an aws or remote subsegment is."""
    http = unit.http
    start = start_of_call(unit, fallback_start)
    exception = exception_of(unit.cause, types) if unit.cause is not None else ""
    status = status_of(http) if http is not None else 0
    end, state = end_of_call(unit, start, state_of(unit, status, exception))
    (node, service), host = node_of_call(unit)
    traced = traced_of(unit)
    return Call(id, start, end, state, node, service, host, status, traced, exception)


def _further_calls(unit: Unit, call: Call, identity: Identity) -> dict[int, Call]:
    """The same call to the other tables it names, by ids derived from its own."""
    return {
        (id := further_call_id(identity.trace_id, call.id, number)): replace(
            call, id=id, node=node, service=service, traced=False
        )
        for number, (node, service) in enumerate(further_nodes_of_call(unit))
    }


def further_nodes_of_call(unit: Unit) -> list[CallNode]:
    """The other nodes of a call that names several tables (BatchGetItem)."""
    if unit.namespace != "aws" or unit.aws is None:
        return []
    return further_aws_nodes(unit.name or "", unit.aws)


def further_call_id(trace_id: bytes, id: int, number: int) -> int:
    """The id of a call's part that leads to the ``number``-th further table."""
    seed = trace_id + id.to_bytes(8, "big") + number.to_bytes(4, "big")
    digest = blake2b(seed, digest_size=8, person=b"table").digest()
    return int.from_bytes(digest, "big") or 1


def start_of_call(unit: Unit, fallback: int) -> int:
    """When a call began; ``fallback``, the start of its document, when it has no valid start."""
    time = unit.start_time
    return round(time * 1e6) if time is not None and 0 <= time < LATEST else fallback


def end_of_call(unit: Unit, start: int, state: State) -> tuple[int, State]:
    """When a call ended, and its state: without a valid end it is in progress."""
    time = unit.end_time
    if state and time is not None and 0 <= time < LATEST:
        return max(start, round(time * 1e6)), state
    return start, State.IN_PROGRESS


def traced_of(unit: Unit) -> bool:
    """Whether a call declares that its callee is traced, too."""
    if unit.traced:
        return True
    http = unit.http
    return http is not None and http.request is not None and bool(http.request.traced)


def node_of_call(unit: Unit) -> tuple[CallNode, str]:
    """The inferred node of a call, and the name by which the caller knew the host."""
    name = (unit.name or name_of_nameless(unit))[:MAX_NAME]
    if unit.namespace == "remote":
        return remote_node(name, unit.sql is not None, unit.origin or ""), name
    return aws_node(name, unit.aws), ""


def links_of(entries: list[LinkEntry], own: bytes) -> list[Link]:
    """Links to other traces; one without a valid trace id, or to nothing in it, is dropped."""
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


def state_of(unit: Unit, status: int, exception: str) -> State:
    if status < 400 and not (unit.fault or unit.error or unit.throttle or unit.in_progress):
        return State.OK  # the result of classify, without the call
    return classify(
        error=unit.error or False,
        throttle=unit.throttle or False,
        fault=unit.fault or False,
        status=status,
        in_progress=unit.in_progress or False,
        exception=exception,
        aws=unit.namespace == "aws",
    )


def status_of(http: HttpBlock) -> int:
    response = http.response
    status = response.status if response is not None else None
    return status if status is not None and 0 < status < 1000 else 0


def deepest_exception(root: Root, state: State, own: str, types: dict[str, str]) -> str:
    """The exception that a failed document is known by in error breakdowns.

    Of the exceptions of its subsegments that ended as it did, and its ``own``, the deepest, the first
    in document order among equals: X-Ray's SDKs record an exception where it was thrown. Without
    one, that of a subsegment that failed in another way. `state_of` reads the document's own.
    """
    found, other = own, ""
    level = root.subsegments
    while level:
        here = there = ""
        for unit in level:
            if unit.cause is not None and (name := exception_of(unit.cause, types)):
                ended = state_of(unit, status_of(unit.http) if unit.http is not None else 0, name)
                if ended is state:
                    here = here or name
                elif ended > State.OK:
                    there = there or name
        found, other = here or found, there or other
        level = [child for unit in level for child in unit.subsegments or ()]
    return found or other


def exception_types(root: Root, units: Sequence[Unit]) -> dict[str, str]:
    """Exception id → name over the whole document; empty when nothing refers by id.

    Of several exceptions with one id the first that has a name counts, as in an export.
    """
    causes = [unit.cause for unit in (root, *units) if unit.cause is not None]
    if not any([isinstance(cause, str) for cause in causes]):  # noqa: C419
        return _NO_TYPES
    names: dict[str, str] = {}
    for cause in causes:
        for entry in (cause.exceptions or ()) if isinstance(cause, Cause) else ():
            if entry.id is not None and not names.get(entry.id):
                names[entry.id] = _name_of(entry)
    return names


def exception_of(cause: Cause | str | None, types: dict[str, str]) -> str:
    """The name of the first exception of a cause that has one; an id leads to its exception."""
    if isinstance(cause, str):
        return types.get(cause, "")
    for entry in (cause.exceptions if cause is not None else None) or ():
        if name := _name_of(entry):
            return name
    return ""


def _name_of(entry: ExceptionEntry) -> str:
    return exception_name(entry.type or "", entry.message or "")


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


def synthetic_id(identity: Identity, ordinal: int) -> int:
    """The id of a call without one: the same whenever the same document arrives again."""
    seed = identity.trace_id + identity.id.to_bytes(8, "big") + ordinal.to_bytes(4, "big")
    return int.from_bytes(blake2b(seed, digest_size=8).digest(), "big") or 1
