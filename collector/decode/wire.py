"""Segment documents as they stand on the wire: typed, so that decoding is one pass in C.

Only what the store's columns are made of is named here; unknown keys are skipped and stay in the
raw document. A property of the wrong type costs that property, never the segment
(docs/xray-format.md §3.1): the typed pass fails, and `read_leniently` picks out what fits.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType


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


class Aws(Struct, frozen=True, gc=False):
    """What names the resource of a call; `store.rules.identity` judges types other than text.

    Frozen, so that `collector.decode.node_cache` can look it up.
    """

    account_id: Any = None
    resource_names: Any = None
    table_name: Any = None
    table_names: Any = None
    bucket_name: Any = None
    queue_url: Any = None
    function_name: Any = None
    stream_name: Any = None
    delivery_stream_name: Any = None
    state_machine_arn: Any = None
    topic_arn: Any = None
    function_arn: Any = None
    cloudwatch_logs: Any = None
    api_gateway: Gateway | None = None
    ec2: Place | None = None
    ecs: Place | None = None


class Sql(Struct, gc=False):
    url: str | None = None
    connection_string: str | None = None
    database_type: str | None = None


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
    """A unit that arrived as a document of its own."""

    trace_id: str | None = None
    parent_id: str | None = None
    type: str | None = None
    user: str | None = None
    resource_arn: str | None = None
    inferred: bool | None = None


read_strictly = msgspec.json.Decoder(Root).decode
"""The document, when every property has the type it should. Raises msgspec's errors."""
_T = TypeVar("_T", bound=Struct)


def read_leniently(raw: bytes) -> tuple[Root, dict[str, Any]]:
    """The document without the properties that do not fit, and the whole of it as it was.

    Raises ValueError (msgspec's errors are such) when it is not JSON or not an object.
    """
    try:
        whole = msgspec.json.decode(raw)
    except msgspec.ValidationError:  # a number beyond a double, such as 1e400
        whole = json.loads(raw, parse_constant=_refuse)
        msgspec.json.encode(whole)  # raises for what only the other parser lets through
    if not isinstance(whole, dict):
        raise ValueError(f"expected a JSON object, got {_kind(whole)}")
    return _pick(Root, whole), whole


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null"}.get(type(value), "a number")


def _pick(struct: type[_T], data: dict[str, Any]) -> _T:
    """A struct of those properties of ``data`` that fit it."""
    fitting = {
        name: value
        for (name, kind), encoded in zip(
            _kinds(struct).items(), struct.__struct_encode_fields__, strict=True
        )
        if encoded in data and (value := _fit(kind, data[encoded])) is not UNSET
    }
    return struct(**fitting)


_known_kinds: dict[type[Struct], dict[str, Any]] = {}


def _kinds(struct: type[Struct]) -> dict[str, Any]:
    kinds = _known_kinds.get(struct)
    if kinds is None:
        hints = get_type_hints(struct)
        kinds = _known_kinds[struct] = {name: hints[name] for name in struct.__struct_fields__}
    return kinds


def _fit(kind: Any, value: Any) -> Any | UnsetType:
    """``value`` as the first of the alternatives it fits, in part if need be; UNSET for none."""
    if kind is Any:
        return value
    if get_origin(kind) in (Union, type(int | None)):
        fits = (_fit(alternative, value) for alternative in get_args(kind))
        return next((fit for fit in fits if fit is not UNSET), UNSET)
    if get_origin(kind) is list:
        if not isinstance(value, list):
            return UNSET
        items = (_fit(get_args(kind)[0], item) for item in value)
        return [item for item in items if item is not UNSET]
    if get_origin(kind) is dict:
        return value if isinstance(value, dict) else UNSET
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _pick(kind, value) if isinstance(value, dict) else UNSET
    return _fit_scalar(kind, value)


def _fit_scalar(kind: Any, value: Any) -> Any | UnsetType:
    if type(value) is kind or (kind is type(None) and value is None):
        return value
    if kind is float and type(value) is int:
        return float(value) if abs(value) < 10**300 else math.inf
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    return UNSET
