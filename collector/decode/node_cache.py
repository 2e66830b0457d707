"""The nodes of documents' segments and calls, cached across requests.

The tables are bounded and contain results of pure functions (`store.rules.identity`).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from collector.decode.wire import Aws, Sql, Unit
from store.model import NodeKey
from store.otel.hosts import read_address
from store.rules.identity import (
    PLACES,
    CallNode,
    account_of,
    arn_account,
    arn_region,
    call_node,
    further_nodes,
    in_place_of,
    region_name,
    region_of,
    segment_node,
    zone_region,
)

CACHED = 16_384
"""Entries per table; a service map has a few hundred distinct ones."""


MAX_CACHED = 1000
"""Characters of a key worth caching: longer ones do not repeat, and would fill the memory."""

_remote_nodes: dict[tuple[str, bool, str], CallNode] = {}
_aws_nodes: dict[tuple[str, Aws], CallNode] = {}
_segment_nodes: dict[tuple[object, ...], CallNode] = {}
_placed_nodes: dict[tuple[CallNode, str, str], CallNode] = {}


def remote_node(name: str, has_sql: bool, origin: str) -> CallNode:
    """Where a remote call leads."""
    key = (name, has_sql, origin)
    node = _remote_nodes.get(key)
    if node is None:
        node = call_node("remote", name, has_sql=has_sql, origin=origin)
        if len(name) + len(origin) <= MAX_CACHED:
            _cache(_remote_nodes, key, node)
    return node


def aws_node(name: str, aws: Aws | None) -> CallNode:
    """Where a call to an AWS service leads."""
    if aws is None:
        return call_node("aws", name)
    try:
        node = _aws_nodes.get((name, aws))
    except TypeError:  # a list or an object among its properties
        if type(aws.resource_names) is not list:
            return call_node("aws", name, aws=_block(aws))
        # Several SDKs send a list here; a tuple can be looked up.
        names = tuple(aws.resource_names)
        return _aws_node_by_names(name, aws, names)
    if node is None:
        node = call_node("aws", name, aws=_block(aws))
        if _length(aws) <= MAX_CACHED:
            _cache(_aws_nodes, (name, aws), node)
    return node


def _aws_node_by_names(name: str, aws: Aws, names: tuple[object, ...]) -> CallNode:
    hashable = replace(aws, resource_names=names)
    try:
        node = _aws_nodes.get((name, hashable))
    except TypeError:
        return call_node("aws", name, aws=_block(aws))
    if node is None:
        node = call_node("aws", name, aws=_block(aws))
        if _length(hashable) <= MAX_CACHED:
            _cache(_aws_nodes, (name, hashable), node)
    return node


def further_aws_nodes(name: str, aws: Aws) -> list[CallNode]:
    """The other tables of a call that names several."""
    if aws.table_names is None and aws.resource_names is None:
        return []
    return further_nodes("aws", name, _block(aws))


def in_place(called: CallNode, caller: NodeKey) -> CallNode:
    """Where a call of a segment's node leads, if to an AWS resource in its place (`in_place_of`)."""
    key = (called, caller.account, caller.region)
    node = _placed_nodes.get(key)
    if node is None:
        node = called._replace(node=in_place_of(called.node, caller))
        if len(called.node.name) + len(caller.account) <= MAX_CACHED:
            _cache(_placed_nodes, key, node)
    return node


def segment_node_of(
    name: str, origin: str, aws: Aws | None, inferred: bool, resource_arn: str = ""
) -> CallNode:
    """The node a segment belongs to."""
    if inferred and aws is not None:
        block = _block(aws)
        return segment_node(
            name, origin=origin, aws=block, resource_arn=resource_arn, inferred=True
        )
    account, region = _location(aws, resource_arn)
    key = (name, origin, inferred, account, region)
    node = _segment_nodes.get(key)
    if node is None:
        named = {"account_id": account, "region": region}
        node = segment_node(name, origin=origin, aws=named, inferred=inferred)
        if sum(len(part) for part in key if isinstance(part, str)) <= MAX_CACHED:
            _cache(_segment_nodes, key, node)
    return node


def _location(aws: Aws | None, resource_arn: str) -> tuple[str, str]:
    """`account_of` and `region_of` a segment, without a mapping of its block where that has no
    ARN."""
    if aws is None:
        return arn_account(resource_arn), arn_region(resource_arn)
    if aws.api_gateway is aws.function_arn is aws.ecs is aws.cloudwatch_logs is None:
        account = aws.account_id if isinstance(aws.account_id, str) else ""
        region = region_name(aws.region) or arn_region(resource_arn)
        if not region and aws.ec2 is not None:
            region = zone_region(aws.ec2.availability_zone)
        return account or arn_account(resource_arn), region
    block = _block(aws)
    return account_of(block, resource_arn), region_of(block, resource_arn)


def _cache(table: dict[Any, CallNode], key: object, node: CallNode) -> None:
    if len(table) >= CACHED:
        table.clear()
    table[key] = node


def _length(aws: Aws) -> int:
    """Characters of a block that can be hashed."""
    return len(msgspec.json.encode(aws))


def _block(aws: Aws) -> dict[str, Any]:
    block = {name: getattr(aws, name) for name in aws.__struct_fields__}
    gateway = aws.api_gateway
    block["api_gateway"] = {"account_id": gateway.account_id} if gateway is not None else None
    for place in PLACES:
        found = block[place]
        if found is not None:
            block[place] = {key: getattr(found, key) for key in found.__struct_fields__}
    return block


_DATABASE_URL = re.compile(
    r"(?:[^/]*//)?(?:[^/?]*@)?([^/?;]*?)(?::[0-9]+)?(?:/([^?;]*)|(?=[?;])|$)"
)
"""Without the port, which X-Ray's SDKs leave out of ``database@host``, too."""

_SQLITE_URL = re.compile(r"(?:jdbc:)?sqlite[+\w]*:(?:[^?]*/)?([^/?]*)")
"""A SQLite URL names a file and no host; SDKs write two to four slashes before its path."""


def name_of_nameless(unit: Unit) -> str:
    """A name for a call without one, as SQLAlchemy's patch sends (docs/xray-format.md §2.6)."""
    if unit.sql is not None:
        return _name_of_sql(unit.sql)
    request = unit.http.request if unit.http is not None else None
    if request is not None and request.url:
        try:
            return read_address(urlsplit(request.url).hostname or "unknown").host
        except ValueError:
            return "unknown"
    return "unknown"


def _name_of_sql(sql: Sql) -> str:
    url = sql.url or sql.connection_string or ""
    if file := _SQLITE_URL.match(url):
        return file[1] or "sqlite"
    match = _DATABASE_URL.match(url)
    host, path = match.groups("") if match else ("", "")
    host = read_address(host).host
    database = path.rstrip("/").rpartition("/")[2]
    return (
        f"{database}@{host}"
        if database and host
        else database or host or sql.database_type or "unknown"
    )
