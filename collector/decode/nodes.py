"""Which nodes a document speaks of, looked up rather than computed with every request.

The tables are bounded and hold answers of pure functions (`store.rules.identity`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from collector.decode.wire import Aws, Sql, Unit
from store.rules.identity import CallNode, call_node, segment_node

CACHED = 16_384
"""Answers each table holds; a service map has a few hundred distinct ones."""


@lru_cache(CACHED)
def remote_node(name: str, has_sql: bool, origin: str) -> CallNode:
    return call_node("remote", name, has_sql=has_sql, origin=origin)


_aws_nodes: dict[tuple[object, ...], CallNode] = {}
_segment_nodes: dict[tuple[object, ...], CallNode] = {}


def aws_node(name: str, aws: Aws | None) -> CallNode:
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


def segment_node_of(name: str, origin: str, aws: Aws | None, inferred: bool) -> CallNode:
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


_DATABASE_URL = re.compile(r"(?:[^/]*//)?(?:[^/?]*@)?([^/?;]*)(?:/([^?;]*))?")


def name_of_nameless(unit: Unit) -> str:
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
    host, path = match.groups("") if match else ("", "")
    database = path.rstrip("/").rpartition("/")[2]
    return (
        f"{database}@{host}"
        if database and host
        else database or host or sql.database_type or "unknown"
    )
