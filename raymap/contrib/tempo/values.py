"""Values as Tempo writes them: attributes of its JSON, durations as Go's."""

from __future__ import annotations

import math
from typing import Any

from raymap.contrib.tempo.schemas import TempoAttribute, TempoValue
from raymap.contrib.tempo.traceql.ast import Duration, SpanKind, Status

_UNITS = (("ns", 1), ("µs", 10**3), ("ms", 10**6))
SECOND = 10**9


def attribute(key: str, value: Any) -> TempoAttribute:
    """An attribute."""
    return {"key": key, "value": any_value(value)}


def any_value(value: Any) -> TempoValue:
    """A value; nil is the text ``nil``, and numbers that JSON has not are texts."""
    match value:
        case bool():
            return {"boolValue": value}
        case Duration():
            return {"stringValue": duration_text(value)}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _infinite(value)}
        case list():
            return {"arrayValue": {"values": [any_value(each) for each in value]}}
    return {"stringValue": text_of(value)}


def text_of(value: Any) -> str:
    """A value as text."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case Status() | SpanKind():
            return str(value.value)
        case Duration():
            return duration_text(value)
    return str(value)


def type_name(value: Any) -> str:
    """The type of a value, as Tempo's lists of values name it."""
    match value:
        case bool():
            return "bool"
        case Duration():
            return "duration"
        case int():
            return "int"
        case float():
            return "float"
        case Status() | SpanKind():
            return "keyword"
    return "string"


def duration_text(value: int) -> str:
    """Nanoseconds as Go writes them: ``1.5s``, ``250ms``, ``1h2m3s``."""
    sign, rest = ("-", -value) if value < 0 else ("", int(value))
    if rest < SECOND:
        unit, size = next(each for each in reversed(_UNITS) if rest >= each[1] or each[1] == 1)
        return f"{sign}{rest / size:.10g}{unit}" if rest else "0s"
    minutes, below = divmod(rest, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds, fraction = divmod(below, SECOND)
    shown = f"{seconds}.{fraction:09d}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{shown}"
    return f"{sign}{minutes}m{shown}" if minutes else f"{sign}{shown}"


def _infinite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
