"""Attributes of OpenTelemetry messages as plain values, and typed access to them.

Senders use the names of many releases of the semantic conventions, so every accessor takes
alternatives, the newest name first. Values of an unexpected type count as absent.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Attributes = dict[str, Any]


def read_attributes(pairs: Iterable[KeyValue]) -> Attributes:
    """A mapping of keys to values; the last of equal keys wins."""
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most values are text: asking for it first is a quarter faster than asking for the kind.
        text = value.string_value
        found[pair.key] = text or read_value(value)
    return found


def read_value(value: AnyValue) -> Any:
    """Text, number, boolean, list, dict or None; bytes become base64, as in OTLP's JSON."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [read_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return read_attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return getattr(value, kind)


def text(attributes: Attributes, *keys: str) -> str:
    """The first value that is non-empty text, else ``""``."""
    for key in keys:
        value = attributes.get(key)
        if value and isinstance(value, str):
            return value
    return ""


def texts(attributes: Attributes, *keys: str) -> list[str]:
    """The first value that is text or a list with some, as a list."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            return [value]
        if isinstance(value, list):
            items = [item for item in value if isinstance(item, str) and item]
            if items:
                return items
    return []


def number(attributes: Attributes, *keys: str) -> int | None:
    """The first integer; text of digits counts, as Zipkin's senders write all values as text."""
    for key in keys:
        value = attributes.get(key)
        if type(value) is int:
            return value
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
            return int(value)
    return None
