"""Parameters of Tempo's query API: times in several forms, steps, and searches by tags instead of TraceQL."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Query as Parameter

from api.errors import ApiError
from api.request import window_of
from raymap.contrib.jaeger.params import MOST_TRACES, parse_go_duration
from raymap.contrib.tempo.traceql.ast import (
    Attribute,
    Comparison,
    FieldExpression,
    Literal,
    Logic,
    Pipeline,
    Query,
    Scope,
    SpanFilter,
    Spanset,
    SpansetOperation,
    Status,
)
from raymap.contrib.tempo.traceql.parse import parse
from store.filters.patterns import MAX_PATTERN
from store.model import TimeRange
from store.times import HOUR, MAX_INSTANT, SECOND, parse_duration, parse_instant

Start = Annotated[
    str,
    Parameter(
        description="epoch seconds or nanoseconds, or RFC 3339; by default an hour before the end"
    ),
]
End = Annotated[str, Parameter(description="the same; by default now")]
TraceQL = Annotated[str, Parameter(description="TraceQL; by default all spans")]
LOOKBACK = HOUR
"""Without a start, as in Tempo."""
STEPS = (3600, 300, 60, 15, 5, 1)
"""Seconds of steps that are chosen where none is given."""
WISHED_POINTS = 240
MOST_POINTS = 11_000
NANOSECONDS = 1000
_LOGFMT = re.compile(r'\s*([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=\s|$)')
_INTRINSIC = Scope.INTRINSIC
_TAGS = {
    "name": Attribute(_INTRINSIC, "name"),
    "root.name": Attribute(_INTRINSIC, "rootName"),
    "root.service.name": Attribute(_INTRINSIC, "rootServiceName"),
}
"""Tags of searches without TraceQL that are intrinsic fields."""


def parse_query(text: str) -> Query:
    """A query; without text, all spans."""
    return parse(text.strip() or "{}")


def parse_time(text: str, name: str, default: int) -> int:
    """Microseconds of epoch seconds, nanoseconds, or RFC 3339; ApiError (400)."""
    if not text:
        return default
    try:
        if text.isascii() and text.isdecimal() and len(text) > 10:
            nanoseconds = int(text[:30])
            if nanoseconds > MAX_INSTANT * 10**9:
                raise ValueError("too late")
            return nanoseconds // NANOSECONDS
        return parse_instant(text)
    except ValueError:
        raise ApiError(
            f"invalid {name}: expected epoch seconds, nanoseconds or RFC 3339, got {text[:40]!r}"
        ) from None


def parse_window(start: str, end: str, since: str, now: int, default: int = LOOKBACK) -> TimeRange:
    """The window of a request, microseconds; 0 is no time."""
    until = parse_time(end if end != "0" else "", "end", now)
    length = default
    if since:
        try:
            length = parse_duration(since) * SECOND
        except ValueError as error:
            raise ApiError(f"invalid since: {error}") from None
    first = parse_time(start if start != "0" else "", "start", max(0, min(until, now) - length))
    return window_of(first, until, "start", "end")


def parse_step(text: str, window: TimeRange) -> int:
    """The microseconds of a step: given in seconds or as Go's duration, or so that there are some 240."""
    length = window.end - window.start
    if not text:
        wished = length / WISHED_POINTS / SECOND
        unit = next((each for each in STEPS if wished > each), None)
        return int(wished // unit * unit) * SECOND if unit else SECOND
    try:
        step = round(float(text) * SECOND) if re.fullmatch(r"[0-9.]{1,12}", text) else None
    except ValueError:
        step = 0
    if step is None:
        step = round(parse_go_duration(text, "step") or 0)
    if step < 1000:
        raise ApiError(f"invalid step: expected at least a millisecond, got {text[:40]!r}")
    if length / step > MOST_POINTS:
        raise ApiError(
            f"invalid step: the window has more than {MOST_POINTS:,} steps of {text[:40]}; make it longer"
        )
    return step


def parse_limit(text: str, name: str, default: int, most: int = MOST_TRACES) -> int:
    """A number of things, at least 1; ApiError (400)."""
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise ApiError(f"invalid {name}: must lie between 1 and {most}, got {text[:20]!r}")
    return int(text)


def parse_legacy(tags: str, shortest: str, longest: str) -> Query:
    """A search by tags (logfmt: ``service.name=shop error=true``) and the duration of traces. As in Tempo, each tag may be of
    another span, and a text contains what is given, in either case."""
    wanted: list[Spanset] = [SpanFilter(_tagged(key, value)) for key, value in _pairs(tags).items()]
    least = parse_go_duration(shortest, "minDuration")
    most = parse_go_duration(longest, "maxDuration")
    if least and most and least > most:
        raise ApiError("invalid maxDuration: must be greater than minDuration")
    duration = Attribute(_INTRINSIC, "traceDuration")
    for operator, length in ((">=", least), ("<=", most)):
        if length:
            literal = Literal(round(length * NANOSECONDS))
            wanted.append(SpanFilter(Comparison(operator, duration, literal)))
    found: Spanset = wanted[0] if wanted else SpanFilter(None)
    for each in wanted[1:]:
        found = SpansetOperation("&&", found, each)
    return Query(Pipeline((found,)))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        match = _LOGFMT.match(text, at)
        if match is None:
            raise ApiError(f"invalid tags: unexpected {text[at : at + 20]!r} at pos {at + 1}")
        key, value = match[1], match[2] or ""
        if key in found:
            raise ApiError(f"invalid tags: tag {key} has been set twice")
        if len(found) == 50 or len(value) * 2 > MAX_PATTERN - 20:
            raise ApiError("invalid tags: at most 50 of 240 characters each")
        found[key] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        at = match.end()
    return found


def _tagged(key: str, value: str) -> FieldExpression:
    status = {each.value: each for each in Status}
    if key == "error" and value == "true":
        return Comparison("=", Attribute(_INTRINSIC, "status"), Literal(Status.ERROR))
    if key == "status.code" and value in status:
        return Comparison("=", Attribute(_INTRINSIC, "status"), Literal(status[value]))
    field = _TAGS.get(key, Attribute(Scope.ANY, key))
    found: FieldExpression = Comparison("=~", field, Literal(f"(?i).*{re.escape(value)}.*"))
    for other in _numbers(value) if key not in _TAGS else ():
        found = Logic("||", found, Comparison("=", field, Literal(other)))
    return found


def _numbers(text: str) -> list[float | bool]:
    if text in ("true", "false"):
        return [text == "true"]
    return [float(text)] if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text, re.ASCII) else []
