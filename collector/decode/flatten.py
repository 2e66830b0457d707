"""A typed document → the flat `Document` the store keeps. Pure, and the hottest code there is.

Everything that a service repeats with each request (its node, the nodes it calls, its annotations)
is looked up, not computed again: the tables are bounded and hold answers of pure functions.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from collector.decode.wire import Aws, Cause, HttpBlock, Root, Sql, Unit
from store.model import NO_HTTP, Call, Document, Http, State
from store.rules.annotations import annotation_item
from store.rules.classify import classify
from store.rules.identity import CallNode, call_node, segment_node

LATEST = 253_402_300_800.0
"""Year 10000 in epoch seconds: later times are taken for other units."""
MAX_NAME = 200
MAX_ANNOTATION = 1000
MAX_DEPTH = 200
"""How deep subsegments may nest; real SDKs stay below ten."""
CACHED = 16_384
"""Answers each table holds; a service map has a few hundred distinct ones."""


class TooDeep(Exception):
    """Subsegments nest deeper than `MAX_DEPTH`."""


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
    end = last_end = identity.end
    items = _items(root.annotations) if root.annotations else []
    members: list[int] = []
    calls: dict[int, Call] = {}
    aws = root.aws
    service = _segment_node(root.name or "", root.origin or "", aws, bool(root.inferred))
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
        unit_end = unit.end_time
        if unit_end is not None and 0 <= unit_end < LATEST:
            last_end = max(last_end, round(unit_end * 1e6))
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
        last_end,
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
    )


def _embedded(root: Unit) -> list[Unit]:
    """Every embedded subsegment in document order, without recursion."""
    units: list[Unit] = []
    stack: list[tuple[Unit, int]] = [(unit, 1) for unit in reversed(root.subsegments or ())]
    while stack:
        unit, depth = stack.pop()
        units.append(unit)
        if unit.subsegments:
            if depth >= MAX_DEPTH:
                raise TooDeep
            stack += [(child, depth + 1) for child in reversed(unit.subsegments)]
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
    name = (unit.name or _name_of_nameless(unit))[:MAX_NAME]
    remote = unit.namespace == "remote"
    target = _remote_node(name, unit.sql is not None) if remote else _aws_node(name, unit.aws)
    request = http.request if http is not None else None
    traced = unit.traced or (request is not None and request.traced) or False
    host = name if remote else ""
    return Call(id, start, end, state, target.node, target.service, host, status, traced, exception)


def _state(unit: Unit, status: int, exception: str) -> State:
    if not (unit.error or unit.fault or unit.throttle or unit.in_progress) and status < 400:
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


def _exception_types(root: Unit, units: list[Unit] | tuple[()]) -> dict[str, str]:
    """Exception id → type over the whole document; empty when nothing refers by id."""
    causes = [unit.cause for unit in (root, *units) if unit.cause is not None]
    if not any(isinstance(cause, str) for cause in causes):
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


@lru_cache(CACHED)
def _remote_node(name: str, has_sql: bool) -> CallNode:
    return call_node("remote", name, has_sql=has_sql)


_aws_nodes: dict[tuple[object, ...], CallNode] = {}
_segment_nodes: dict[tuple[object, ...], CallNode] = {}


def _aws_node(name: str, aws: Aws | None) -> CallNode:
    if aws is None:
        return call_node("aws", name)
    gateway = aws.api_gateway
    names = aws.resource_names
    key = (
        name,
        aws.account_id,
        tuple(names) if type(names) is list else names,
        aws.table_name,
        aws.table_names,
        aws.bucket_name,
        aws.queue_url,
        aws.function_name,
        aws.stream_name,
        aws.delivery_stream_name,
        aws.state_machine_arn,
        aws.topic_arn,
        gateway.account_id if gateway is not None else None,
    )
    try:
        node = _aws_nodes.get(key)
    except TypeError:  # a list among them: rare, and judged afresh
        return call_node("aws", name, aws=_block(aws))
    if node is None:
        if len(_aws_nodes) >= CACHED:
            _aws_nodes.clear()
        node = _aws_nodes[key] = call_node("aws", name, aws=_block(aws))
    return node


def _segment_node(name: str, origin: str, aws: Aws | None, inferred: bool) -> CallNode:
    if aws is None:
        account: object = None
        gateway_account = None
    elif inferred:
        return segment_node(name, origin=origin, aws=_block(aws), inferred=True)
    else:
        account = aws.account_id if isinstance(aws.account_id, str) else None
        gateway_account = aws.api_gateway.account_id if aws.api_gateway is not None else None
    key = (name, origin, account, gateway_account, inferred)
    node = _segment_nodes.get(key)
    if node is None:
        if len(_segment_nodes) >= CACHED:
            _segment_nodes.clear()
        block = _block(aws) if aws is not None else None
        node = segment_node(name, origin=origin, aws=block, inferred=inferred)
        _segment_nodes[key] = node
    return node


def _block(aws: Aws) -> dict[str, Any]:
    block = {name: getattr(aws, name) for name in aws.__struct_fields__}
    gateway = aws.api_gateway
    block["api_gateway"] = {"account_id": gateway.account_id} if gateway is not None else None
    return block


def _made_id(identity: Identity, ordinal: int) -> int:
    """The id of a call that has none: the same whenever the same document comes again."""
    seed = identity.trace_id + identity.id.to_bytes(8, "big") + ordinal.to_bytes(4, "big")
    return int.from_bytes(blake2b(seed, digest_size=8).digest(), "big") or 1


_DATABASE_URL = re.compile(r"(?:jdbc:)?(?:[\w+.-]+:)?/*(?:[^/@?]*@)?([^/?;]+)(?:/([^?;]*))?")


def _name_of_nameless(unit: Unit) -> str:
    """A name for a call without one (SQLAlchemy's patch leaves it out, XRAY.md §2.6)."""
    if unit.sql is not None:
        return _name_of_sql(unit.sql)
    request = unit.http.request if unit.http is not None else None
    if request is not None and request.url:
        try:
            return urlsplit(request.url).hostname or "unknown"
        except ValueError:
            return "unknown"
    return "unknown"


def _name_of_sql(sql: Sql) -> str:
    match = _DATABASE_URL.match(sql.url or sql.connection_string or "")
    if match is None:
        return sql.database_type or "unknown"
    host, path = match[1], (match[2] or "").rstrip("/").rpartition("/")[2]
    return f"{path}@{host}" if path else host
