"""Segment documents as they stand on the wire: typed, so that decoding is one pass in C.

Only what the store's columns are made of is named here; unknown keys are skipped and stay in the
raw document. A property of the wrong type costs that property, never the segment
(docs/xray-format.md §3.1): the typed pass fails, and
`collector.decode.lenient` picks out what fits.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class Request(Struct, gc=False):
    method: str | None = None
    url: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    traced: bool | None = None


class Response(Struct, gc=False):
    status: int | None = None


class HttpBlock(Struct, gc=False):
    request: Request | None = None
    response: Response | None = None


class Place(Struct, frozen=True, gc=False):
    """``aws.ec2`` and ``aws.ecs``: where a segment ran."""

    instance_id: str | None = None
    availability_zone: str | None = None
    task_arn: str | None = None
    container_arn: str | None = None
    cluster_arn: str | None = None


class Gateway(Struct, frozen=True, gc=False):
    account_id: str | None = None
    stage: str | None = None


class Aws(Struct, frozen=True, gc=False):
    """What names the resource of a call; `store.rules.identity` handles types other than text.

    Frozen, so that `collector.decode.node_cache` can use it as a key.
    """

    account_id: Any = None
    region: Any = None
    resource_names: Any = None
    table_name: Any = None
    table_names: Any = None
    bucket_name: Any = None
    queue_url: Any = None
    function_name: Any = None
    stream_name: Any = None
    delivery_stream_name: Any = None
    state_machine_arn: Any = None
    execution_arn: Any = None
    event_bus_name: Any = None
    job_name: Any = None
    db_cluster_arn: Any = None
    user_pool_id: Any = None
    topic_arn: Any = None
    function_arn: Any = None
    cloudwatch_logs: Any = None
    event_source_arn: Any = None
    operation: Any = None
    api_gateway: Gateway | None = None
    ec2: Place | None = None
    ecs: Place | None = None


class Sql(Struct, gc=False):
    url: str | None = None
    connection_string: str | None = None
    database_type: str | None = None


class Deployed(Struct, gc=False):
    """``service``: what runs."""

    version: Any = None


class ExceptionEntry(Struct, gc=False):
    id: str | None = None
    type: str | None = None
    message: str | None = None


class Cause(Struct, gc=False):
    exceptions: list[ExceptionEntry] | None = None


class LinkAttributes(Struct, gc=False, rename=lambda name: f"aws.xray.reserved.{name}"):
    """X-Ray's reserved attributes (docs/xray-format.md §2.9); others stay in the raw document."""

    reference_type: str | None = None
    received_event_end_time: float | None = None
    messages: int | None = msgspec.field(default=None, name="raymap.messages")


class LinkEntry(Struct, gc=False):
    trace_id: str | None = None
    id: str | None = None
    attributes: LinkAttributes | None = None


class Unit(Struct, gc=False):
    """A segment or a subsegment. Absent and null are the same everywhere."""

    id: str | None = None
    name: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    in_progress: bool | None = None
    namespace: str | None = None
    origin: str | None = None
    error: bool | None = None
    throttle: bool | None = None
    fault: bool | None = None
    traced: bool | None = None
    http: HttpBlock | None = None
    aws: Aws | None = None
    sql: Sql | None = None
    cause: Cause | str | None = None
    annotations: dict[str, Any] | None = None
    links: list[LinkEntry] | None = None
    subsegments: list[Unit] | None = None


class Root(Unit, gc=False):
    """A unit that is a document of its own."""

    trace_id: str | None = None
    parent_id: str | None = None
    type: str | None = None
    user: str | None = None
    resource_arn: str | None = None
    inferred: bool | None = None
    service: Deployed | None = None


read_strictly = msgspec.json.Decoder(Root).decode
"""The document, if every property has the type it should. Raises msgspec's errors."""
