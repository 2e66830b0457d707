"""Protobuf message classes from a table, for shapes that no package ships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Proto = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "bool": _Proto.TYPE_BOOL,
    "bytes": _Proto.TYPE_BYTES,
    "fixed32": _Proto.TYPE_FIXED32,
    "fixed64": _Proto.TYPE_FIXED64,
    "int32": _Proto.TYPE_INT32,
    "string": _Proto.TYPE_STRING,
    "uint64": _Proto.TYPE_UINT64,
}


class Field(NamedTuple):
    """One field; ``kind`` is a scalar's name or another message's."""

    name: str
    number: int
    kind: str = "bytes"
    repeated: bool = False


def message_classes(package: str, table: Mapping[str, tuple[Field, ...]]) -> dict[str, Any]:
    """A class for each message of the table, by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package.replace('.', '/')}.proto", package=package, syntax="proto3"
    )
    for name, fields in table.items():
        message = file.message_type.add(name=name)
        for field in fields:
            added = message.field.add(
                name=field.name,
                number=field.number,
                label=_Proto.LABEL_REPEATED if field.repeated else _Proto.LABEL_OPTIONAL,
                type=_KINDS.get(field.kind, _Proto.TYPE_MESSAGE),
            )
            if field.kind not in _KINDS:
                added.type_name = f".{package}.{field.kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in table
    }
