"""Typed readings of JSON that anyone may have written: what has another type is not there (docs/xray-format.md §3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)


def text(content: Json, key: str) -> str:
    """A member that is text, else ''."""
    value = content.get(key)
    return value if isinstance(value, str) else ""


def block(content: Json, key: str) -> Json:
    """A member that is an object, else an empty one."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def items(content: Json, key: str) -> list[Any]:
    """A member that is an array, else an empty one."""
    value = content.get(key)
    return value if isinstance(value, list) else []


def objects(content: Json, key: str) -> Iterator[Json]:
    """The objects in a member that is an array."""
    return (each for each in items(content, key) if isinstance(each, dict))


def flag(content: Json, key: str) -> bool:
    """Whether a member is true, also as text."""
    value = content.get(key)
    return value is True or (isinstance(value, str) and value.lower() == "true")


def number(content: Json, key: str) -> float | None:
    """A member that is a number, also as decimal text."""
    value = content.get(key)
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        value = float(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def status(content: Json, key: str) -> int:
    """A member that is an HTTP status, 0 if it is none."""
    value = number(content, key)
    return int(value) if value is not None and value == int(value) and 0 < value < 1000 else 0


def span_id(content: Json, key: str) -> int:
    """A member that is the id of a segment, 0 if it is none."""
    digits = text(content, key)
    return int(digits, 16) if re.fullmatch(r"[0-9a-fA-F]{16}", digits, re.ASCII) else 0
