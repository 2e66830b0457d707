"""Accounts and regions: where an ``aws`` block says them (docs/xray-format.md §5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from store.second_decoder.reading import Json, block, text

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+", re.ASCII)
ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
OF_RESOURCE = (
    *("function_arn", "topic_arn", "state_machine_arn", "execution_arn", "db_cluster_arn"),
    *("function_name", "stream_name", "event_bus_name"),
)
OF_TABLES = ("table_name", "table_names", "resource_names")
OF_TASK = ("task_arn", "container_arn", "cluster_arn")


class Arn(NamedTuple):
    """What an ARN says; all '' if it is none."""

    region: str
    account: str
    resource: str


def read_arn(name: str) -> Arn:
    """``arn:partition:service:region:account:resource``."""
    parts = name.split(":", 5)
    if parts[0] != "arn":
        return Arn("", "", "")
    _, _, _, region, account, resource = (*parts, "", "", "", "", "")[:6]
    return Arn(region_or_nothing(region), account if ACCOUNT.fullmatch(account) else "", resource)


def region_or_nothing(name: str) -> str:
    """A region's name; some SDKs write ``aws-global`` there, which is none."""
    return name if REGION.fullmatch(name) else ""


def region_of_zone(zone: str) -> str:
    """``us-west-2c`` and ``us-west-2-lax-1a`` lie in ``us-west-2``."""
    found = REGION.match(zone)
    return found[0] if found else ""


def names_in(value: Any) -> list[str]:
    """Names in text, in an array, or in what Python's SDK writes: ``dict_keys(['orders', 'carts'])``."""
    if isinstance(value, str) and value.startswith("dict_keys("):
        return re.findall(r"'([^']+)'", value)
    values = value if isinstance(value, list) else [value]
    return [name for name in values if isinstance(name, str) and name]


def account_of(aws: Json, resource_arn: str = "") -> str:
    """The account of a segment or call: named, that of API Gateway's block, or in an ARN."""
    named = text(aws, "account_id") or text(block(aws, "api_gateway"), "account_id")
    arns = (read_arn(name).account for name in _arns(aws, resource_arn))
    return named or next(filter(None, arns), "")


def region_of(aws: Json, resource_arn: str = "") -> str:
    """The region of a segment or call: named, in an ARN, or that of its availability zone."""
    arns = (read_arn(name).region for name in _arns(aws, resource_arn))
    zones = (text(block(aws, place), "availability_zone") for place in ("ec2", "ecs"))
    named = region_or_nothing(text(aws, "region"))
    found = named or next(filter(None, arns), "")
    return found or next(filter(None, map(region_of_zone, zones)), "")


def _arns(aws: Json, resource_arn: str) -> Iterator[str]:
    yield resource_arn
    for member in (*OF_RESOURCE, *OF_TABLES):
        yield from names_in(aws.get(member))
    for member in OF_TASK:
        yield from names_in(block(aws, "ecs").get(member))
    logs = aws.get("cloudwatch_logs")
    for group in logs if isinstance(logs, list) else ():
        yield text(group, "arn") if isinstance(group, dict) else ""
