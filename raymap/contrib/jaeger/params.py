"""Parameters of Jaeger's query API: microseconds, Go durations, tags as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from api.errors import ApiError
from api.request import window_of
from store.model import TimeRange
from store.times import DAY, MAX_INSTANT, SECOND, parse_duration
from store.trace_id import parse_trace_id

MILLISECOND = 1000
LOOKBACK = 2 * DAY
"""How far back a search without ``start`` goes, as in Jaeger."""
MOST_TRACES = 1500
"""As Jaeger's UI."""
MOST_IDS = 50
_UNITS = {"ns": 0.001, "us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6, "m": 6e7, "h": 3.6e9}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{1,32}")


class SpanQuery(NamedTuple):
    """A search: traces with a span of the service, or of any if it is empty, that has all the rest.
    Durations in microseconds, None: any."""

    service: str
    operation: str
    tags: Mapping[str, str]
    shortest: float | None
    longest: float | None
    window: TimeRange
    limit: int


def parse_go_duration(text: str, name: str) -> float | None:
    """Microseconds of a Go duration (``1.2s``, ``1m30s``), None for a blank text; ApiError (400)."""
    if not text:
        return None
    at, total = 0, 0.0
    while at < len(text) and (part := _PART.match(text, at)):
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if at < len(text):
        raise ApiError(
            f"unable to parse param '{name}': expected a duration like 1.2s, 100ms or 1m30s, "
            f"got {text[:40]!r}"
        )
    return total


def parse_units(text: str, name: str, unit: int) -> int | None:
    """Microseconds of a whole number of units (microseconds each), None for a blank text."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) or int(text) * unit > MAX_INSTANT * SECOND:
        raise ApiError(
            f"unable to parse param '{name}': expected a whole number of "
            f"{'microseconds' if unit == 1 else 'milliseconds'}, got {text[:40]!r}"
        )
    return int(text) * unit


def parse_window(start: str, end: str, lookback: str, now: int) -> TimeRange:
    """The window of a search: ``start`` and ``end`` in microseconds; without ``start`` the ``lookback``
    (``1h``, ``2d``) before the end. Jaeger's UI also sends a ``lookback`` that is none (``custom``)."""
    until = parse_units(end, "end", 1) or now
    since = parse_units(start, "start", 1)
    if since is None:
        try:
            since = until - parse_duration(lookback) * SECOND
        except ValueError:
            since = until - LOOKBACK
    return window_of(max(0, since), until, "start", "end")


def parse_lookback(end: str, lookback: str, now: int, default: int = DAY) -> TimeRange:
    """The window of ``endTs`` and a ``lookback`` from it, both in milliseconds; ``default``: microseconds."""
    until = parse_units(end, "endTs", MILLISECOND) or now
    length = parse_units(lookback, "lookback", MILLISECOND)
    since = max(0, until - (default if length is None else length))
    return window_of(since, until, "endTs - lookback", "endTs")


def parse_tags(simple: Iterable[str], encoded: Iterable[str], name: str = "tags") -> dict[str, str]:
    """``tag=key:value`` and ``tags={"key": "value"}``, either repeated; ``name``: of the second."""
    found: dict[str, str] = {}
    for text in simple:
        key, colon, value = text.partition(":")
        if not colon:
            raise ApiError(f"malformed 'tag' parameter, expecting key:value, got {text[:60]!r}")
        found[key] = value
    for text in encoded:
        if text:
            try:
                found |= msgspec.json.decode(text, type=dict[str, str])
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise ApiError(
                    f"malformed '{name}' parameter, expecting a JSON object of strings: {error}"
                ) from None
    return found


def require_id(text: str) -> bytes:
    """A trace id of up to 32 hex digits, as Jaeger writes it, or in X-Ray's form; ApiError (400)."""
    try:
        return parse_trace_id(text.zfill(32) if _HEX.fullmatch(text) else text)
    except ValueError as error:
        raise ApiError(f"trace id: {error}") from None


def check(query: SpanQuery) -> SpanQuery:
    """The query; ApiError (400) for one that Jaeger refuses."""
    if not 1 <= query.limit <= MOST_TRACES:
        raise ApiError(f"limit must lie between 1 and {MOST_TRACES}, got {query.limit}")
    if query.longest and query.shortest and query.longest < query.shortest:
        raise ApiError("'maxDuration' should be greater than 'minDuration'")
    return query


def require_ids(texts: Sequence[str]) -> list[bytes]:
    """The trace ids of a request by id; ApiError (400) for too many."""
    if len(texts) > MOST_IDS:
        raise ApiError(f"traceID may be given {MOST_IDS} times, got {len(texts)}")
    return [require_id(text) for text in texts]
