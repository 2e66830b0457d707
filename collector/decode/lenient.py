"""A document with properties of the wrong type, read as far as it fits (docs/xray-format.md §3.1).

Unambiguous values are coerced: ``"429"`` is a number, ``"true"`` a boolean. Any other is dropped, and
counted by the property's name, which the caller gets to report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from threading import Lock
from types import UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType

from collector.decode.wire import Root

_T = TypeVar("_T", bound=Struct)
_BOOLEANS = {"true": True, "false": False}
_NESTED_UNITS = "subsegments"
"""Properties of subsegments are counted by the same names as those of segments."""


class DroppedProperties:
    """Counts of properties that were dropped, by name; any thread may add or take."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def add(self, names: list[str]) -> None:
        with self._lock:
            for name in names:
                self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> Mapping[str, int]:
        """The counts since the last call."""
        if not self._counts:
            return {}
        with self._lock:
            counts, self._counts = self._counts, {}
            return counts


DROPPED = DroppedProperties()
"""Of this process. Decoders return documents only; the pipeline reports these counts as a metric."""


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
    dropped: list[str] = []
    root = _pick(Root, whole, "", dropped)
    DROPPED.add(dropped)
    return root, whole


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null"}.get(type(value), "a number")


def _pick(struct: type[_T], data: dict[str, Any], path: str, dropped: list[str]) -> _T:
    """A struct of those properties of ``data`` that fit it."""
    fitting = {}
    names = zip(_kinds(struct).items(), struct.__struct_encode_fields__, strict=True)
    for (name, kind), encoded in names:
        if encoded in data:
            value = _fit(kind, data[encoded], f"{path}{name}", dropped)
            if value is UNSET:
                dropped.append(f"{path}{name}")
            else:
                fitting[name] = value
    return struct(**fitting)


_known_kinds: dict[type[Struct], dict[str, Any]] = {}


def _kinds(struct: type[Struct]) -> dict[str, Any]:
    kinds = _known_kinds.get(struct)
    if kinds is None:
        hints = get_type_hints(struct)
        kinds = _known_kinds[struct] = {name: hints[name] for name in struct.__struct_fields__}
    return kinds


def _fit(kind: Any, value: Any, path: str, dropped: list[str]) -> Any | UnsetType:
    """``value`` as the first of the alternatives it fits, in part if need be; UNSET for none."""
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin is Union or origin is UnionType:
        fits = (_fit(alternative, value, path, dropped) for alternative in get_args(kind))
        return next((fit for fit in fits if fit is not UNSET), UNSET)
    if origin is list:
        return _fit_list(get_args(kind)[0], value, path, dropped)
    if origin is dict:
        return value if isinstance(value, dict) else UNSET
    if isinstance(kind, type) and issubclass(kind, Struct):
        prefix = "" if path == _NESTED_UNITS else f"{path}."
        return _pick(kind, value, prefix, dropped) if isinstance(value, dict) else UNSET
    return _fit_scalar(kind, value)


def _fit_list(kind: Any, value: Any, path: str, dropped: list[str]) -> Any | UnsetType:
    if not isinstance(value, list):
        return UNSET
    items = [_fit(kind, item, path, dropped) for item in value]
    dropped += [path] * sum(item is UNSET for item in items)
    return [item for item in items if item is not UNSET]


def _fit_scalar(kind: Any, value: Any) -> Any | UnsetType:
    if type(value) is kind or (kind is type(None) and value is None):
        return value
    if kind is bool and isinstance(value, str):
        return _BOOLEANS.get(value.lower(), UNSET)
    if kind is float and type(value) is int:
        return float(value) if abs(value) < 10**300 else math.inf
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if kind is int and isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value) if len(value) < 10 else UNSET
    return UNSET
