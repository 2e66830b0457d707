"""OTLP's envelopes with everything inside them left as bytes.

A field that holds a message and one that holds bytes look the same on the wire. So a request is
taken apart in one pass in C, each span keeps the bytes it came in, and one that cannot be read
costs nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from collector.decode.rejected import Reason, Rejected


class ScopeFrame(Protocol):
    """A ScopeSpans. A span that could not be turned into bytes is there as its rejection."""

    @property
    def scope(self) -> bytes: ...
    @property
    def spans(self) -> Iterable[bytes | Rejected]: ...
    @property
    def schema_url(self) -> bytes: ...


class ResourceFrame(Protocol):
    """A ResourceSpans."""

    @property
    def resource(self) -> bytes: ...
    @property
    def scope_spans(self) -> Sequence[ScopeFrame]: ...
    @property
    def schema_url(self) -> bytes: ...


_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "raymap.frames"
_MESSAGES: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "Request": (("resource_spans", 1, _Field.LABEL_REPEATED, "ResourceSpans"),),
    "ResourceSpans": (
        ("resource", 1, _Field.LABEL_OPTIONAL, ""),
        ("scope_spans", 2, _Field.LABEL_REPEATED, "ScopeSpans"),
        ("schema_url", 3, _Field.LABEL_OPTIONAL, ""),
    ),
    "ScopeSpans": (
        ("scope", 1, _Field.LABEL_OPTIONAL, ""),
        ("spans", 2, _Field.LABEL_REPEATED, ""),
        ("schema_url", 3, _Field.LABEL_OPTIONAL, ""),
    ),
}


def _request_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="raymap/frames.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, label, kind in fields:
            field = message.field.add(name=field_name, number=number, label=label)
            field.type = _Field.TYPE_MESSAGE if kind else _Field.TYPE_BYTES
            if kind:
                field.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Request"))


_Request = _request_class()


def read_frames(body: bytes) -> Sequence[ResourceFrame]:
    """The parts of an ExportTraceServiceRequest, or of TracesData.

    Raises Rejected when it is not protobuf at all.
    """
    try:
        parts: Sequence[ResourceFrame] = _Request.FromString(body).resource_spans
    except DecodeError as error:
        message = "the body is not an ExportTraceServiceRequest in protobuf"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message) from error
    return parts
