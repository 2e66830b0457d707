"""Values of OTLP's JSON → protobuf, by hand: three times as fast as protobuf's own reader."""

from __future__ import annotations

import binascii
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

Json = dict[str, Any]

_BASE64_LENGTH = {16: 24, 8: 12}


def add_attributes(written: Any, pairs: object) -> None:
    """Attributes; the usual kinds by hand, which makes the whole three times as fast."""
    for pair in objects_of(pairs, "attributes"):
        set_value(written.add(key=pair.get("key") or "").value, pair.get("value"))


def set_value(written: AnyValue, given: Json | None) -> None:
    """A value. Raises any of `_ERRORS`."""
    kind, value = next(iter(given.items())) if given else ("", None)
    if kind == "stringValue" and type(value) is str:
        written.string_value = value
    elif kind == "intValue" and type(value) is str:
        written.int_value = int(value)
    elif kind == "boolValue" and type(value) is bool:
        written.bool_value = value
    elif kind == "arrayValue" and isinstance(value, dict):
        written.array_value.SetInParent()
        for each in objects_of(value.get("values"), "values"):
            set_value(written.array_value.values.add(), each)
    elif kind == "kvlistValue" and isinstance(value, dict):
        written.kvlist_value.SetInParent()
        add_attributes(written.kvlist_value.values, value.get("values"))
    elif given is not None:
        json_format.ParseDict(given, written, ignore_unknown_fields=True)


def read_ids(content: Json, where: str = "") -> tuple[bytes, bytes]:
    """The ids of a trace and a span, which are removed from the object. Raises ValueError."""
    span_id = read_id(pop(content, "spanId", "span_id"), 8, f"{where}spanId")
    return read_id(pop(content, "traceId", "trace_id"), 16, f"{where}traceId"), span_id


def objects_of(given: object, name: str) -> list[Json]:
    """The elements of an array of objects; none of null. Raises ValueError."""
    if given is None:
        return []
    if not isinstance(given, list) or not all([isinstance(one, dict) for one in given]):  # noqa: C419
        raise ValueError(f"{name}: expected an array of objects")
    return given


def read_id(value: object, size: int, key: str) -> bytes:
    """The bytes of an id; none for none. Of another length they are judged later."""
    if value is None or value == "":
        return b""
    if not isinstance(value, str):
        raise ValueError(f"{key}: expected {size * 2} hex digits")
    try:
        if len(value) == _BASE64_LENGTH[size]:
            return binascii.a2b_base64(value, strict_mode=True)
        return bytes.fromhex(value)
    except ValueError as error:
        raise ValueError(f"{key}: expected {size * 2} hex digits, got {value!r:.60}") from error


def pop(content: Json, camel: str, snake: str) -> Any:
    value, other = content.pop(camel, None), content.pop(snake, None)
    return other if value is None else value
