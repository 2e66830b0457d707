"""Names for what X-Ray's SDK for Python leaves nameless, by its own whitelist of parameters.

The SDK records which table, bucket, queue, topic or function a call names, of the operations in its list
(``aws_para_whitelist.json``); of all other services it records the service alone. Two lines in a program that has
patched botocore add the rest, names and nothing else of a request:

    from raymap.xray_whitelist import extend_whitelist
    extend_whitelist()

Needs aws_xray_sdk alone and nothing of Raymap: a function may have a copy of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aws_xray_sdk.ext import boto_utils

NAMES = "raymap.names"
"""Member of a descriptor, unknown to the SDK: the function that finds the names in a parameter's value."""
DEFAULT_BUS = "default"
TRANSACTED = ("ConditionCheck", "Delete", "Get", "Put", "Update")


def _entries(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a parameter. Calls that botocore refuses are recorded, too: it may be anything."""
    if isinstance(value, (list, tuple)):
        yield from (each for each in value if isinstance(each, Mapping))


def _buses(value: Any) -> Iterator[Any]:
    for entry in _entries(value):
        yield entry.get("EventBusName") or DEFAULT_BUS


def _tables(value: Any) -> Iterator[Any]:
    for item in _entries(value):
        for kind in TRANSACTED:
            found = item.get(kind)
            if isinstance(found, Mapping):
                yield found.get("TableName")


def _parameter(name: str, member: str) -> dict[str, Any]:
    """A parameter that is the name, and what the subsegment calls it."""
    return {name: {"rename_to": member}}


def _inside(name: str, member: str, names: Callable[[Any], Iterable[Any]]) -> dict[str, Any]:
    """A parameter that has names inside."""
    return {name: {"rename_to": member, NAMES: names}}


PARAMETERS: dict[str, dict[str, Any]] = {
    "cognito-idp": _parameter("UserPoolId", "user_pool_id"),
    "dynamodb": {
        **_parameter("TableName", "table_name"),
        **_inside("TransactItems", "table_names", _tables),
    },
    "events": {
        **_parameter("EventBusName", "event_bus_name"),
        **_inside("Entries", "event_bus_name", _buses),
    },
    "firehose": _parameter("DeliveryStreamName", "delivery_stream_name"),
    "glue": _parameter("JobName", "job_name"),
    "kinesis": {
        **_parameter("StreamName", "stream_name"),
        **_parameter("StreamARN", "stream_name"),
    },
    "lambda": _parameter("FunctionName", "function_name"),
    "rds-data": _parameter("resourceArn", "db_cluster_arn"),
    "s3": _parameter("Bucket", "bucket_name"),
    "sns": _parameter("TopicArn", "topic_arn"),
    "sqs": _parameter("QueueUrl", "queue_url"),
    "states": {
        **_parameter("stateMachineArn", "state_machine_arn"),
        **_parameter("executionArn", "execution_arn"),
    },
}
"""By botocore's prefix of the endpoint, which names the subsegment: of any operation, the parameters with names. The
members are X-Ray's for tables, buckets, queues, topics and functions, and like them for the others."""


_sdk_process = boto_utils._process_descriptor


class _Operations(dict[str, Any]):
    """The SDK's operations of a service, and the same rule for all others."""

    def __init__(self, known: Mapping[str, Any], descriptors: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._others = {"request_descriptors": descriptors}

    def __contains__(self, operation: object) -> bool:
        return True

    def __missing__(self, operation: str) -> Any:
        return self._others


def extend_whitelist() -> None:
    """Have the SDK record the names of resources in every subsegment of botocore from now on.

    What its own list says of an operation stays. A second call changes nothing.
    """
    services = boto_utils.whitelist["services"]
    for service, descriptors in PARAMETERS.items():
        known = services.get(service, {}).get("operations", {})
        if not isinstance(known, _Operations):
            services[service] = {"operations": _Operations(known, descriptors)}
    boto_utils._process_descriptor = _process


def _process(descriptor: Mapping[str, Any], value: Any, aws_meta: dict[str, Any]) -> None:
    """In place of the SDK's: `NAMES` as well, which are inside a parameter."""
    find = descriptor.get(NAMES)
    if find is None:
        _sdk_process(descriptor, value, aws_meta)
        return
    names = list(dict.fromkeys(name for name in find(value) if isinstance(name, str)))
    if names:
        aws_meta[descriptor["rename_to"]] = names if len(names) > 1 else names[0]
