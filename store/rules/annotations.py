"""Annotations as text items ``key=<json value>``, which an index can look up as a whole.

A string, a number and a boolean of one spelling differ (``"1"``, ``1``, ``true``), as filters
require (docs/xray-format.md §7.2). Every key is stored (§2.8); ``%`` and ``=`` in it are escaped.
"""

from __future__ import annotations

import json

Value = str | int | float | bool

_to_json = json.JSONEncoder(ensure_ascii=False).encode


def annotation_item(key: str, value: Value) -> str:
    """The item of one annotation. Whole floats are written as integers: X-Ray has one number
    type."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    escaped = key.replace("%", "%25").replace("=", "%3D") if "%" in key or "=" in key else key
    return f"{escaped}={_to_json(value)}"


def split_annotation_item(item: str) -> tuple[str, str]:
    """The key and the JSON text of the value of an item that `annotation_item` wrote."""
    key, _, value = item.partition("=")
    return key.replace("%3D", "=").replace("%25", "%"), value


def parse_annotation_item(item: str) -> tuple[str, Value]:
    """The key and value of an item that `annotation_item` wrote."""
    key, text = split_annotation_item(item)
    value: Value = json.loads(text)
    return key, value
