"""The log records or metrics of a request in frames, each parsed alone: one that is damaged, or too large
to be parsed, costs none of its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.decode.limits import MAX_RESOURCE, RESOURCE, MessageCount, Shape, TooManyMessages
from collector.decode.otlp.frames import ResourceFrame
from collector.decode.rejected import Reason, Rejected


class Kind(NamedTuple):
    """What is different for log records and metrics."""

    name: str
    shape: Shape
    parse: Callable[[bytes], Any]
    """Raises DecodeError."""


class Items(NamedTuple):
    """What stands below a resource."""

    resource: Resource
    messages: list[Any]
    rejected: list[Rejected]


def read_items(parts: Iterable[ResourceFrame], kind: Kind, count: MessageCount) -> Iterator[Items]:
    """The elements by resource. Raises Rejected when there are too many messages inside them."""
    for part in parts:
        raws = [raw for scope in part.scope_spans for raw in scope.spans]
        try:
            RESOURCE.check("the resource", part.resource, MAX_RESOURCE)
            resource = Resource.FromString(part.resource)
        except (DecodeError, Rejected) as error:
            why = _why("the resource", error)
            yield Items(Resource(), [], [Rejected(why.reason, why.message) for _ in raws])
            continue
        yield _items(resource, raws, kind, count)


def _items(
    resource: Resource, raws: Sequence[bytes | Rejected], kind: Kind, count: MessageCount
) -> Items:
    found = Items(resource, [], [])
    for raw in raws:
        if isinstance(raw, Rejected):
            found.rejected.append(raw)
            continue
        try:
            kind.shape.check(kind.name, raw)
            count.take(raw)
            found.messages.append(kind.parse(raw))
        except TooManyMessages:
            raise
        except (DecodeError, Rejected) as error:
            found.rejected.append(_why(kind.name, error))
    return found


def _why(what: str, error: DecodeError | Rejected) -> Rejected:
    message = error.message if isinstance(error, Rejected) else f"{what} is not readable as OTLP"
    return Rejected(Reason.INVALID_PLATFORM_RECORD, message)
