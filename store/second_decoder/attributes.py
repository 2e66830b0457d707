"""Attributes of a span as Python values, and typed readings of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Attributes = Mapping[str, Any]


def read_attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by key; of several with one key the last."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def value_of(value: AnyValue) -> Any:
    """A value; None of one that is not set. Bytes are in base64, as in OTLP's JSON."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return read_attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind else None


def text(attributes: Attributes, *keys: str) -> str:
    """The first of some attributes that is text and not empty."""
    return next((v for v in map(attributes.get, keys) if isinstance(v, str) and v), "")


def number(attributes: Attributes, *keys: str) -> int:
    """The first of some attributes that is a whole number, also as text, 0 without any."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def names(attributes: Attributes, *keys: str) -> list[str]:
    """The first of some attributes that is text or a list of texts, as a list."""
    for key in keys:
        value = attributes.get(key)
        values = value if isinstance(value, list) else [value]
        found = [each for each in values if isinstance(each, str) and each]
        if found:
            return found
    return []
