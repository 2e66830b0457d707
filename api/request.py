"""Request bodies: size limit, JSON, typed members, instants and windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from api.errors import ApiError
from store import times
from store.model import TimeRange

MOST_DAYS = 7
"""Of a window whose rows are read for versions and operations."""
MAX_BODY = 1 << 20
"""Bytes of a query's body; documents have a limit of their own in the collector."""


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """The body; ApiError (413) above ``most`` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ApiError(
                f"the body is larger than {most} bytes", code="RequestEntityTooLarge", status=413
            )
    return bytes(body)


MAX_INTEGER = (1 << 31) - 1
"""The greatest integer of AWS's model."""


class JsonBody:
    """Typed access to a JSON object; null counts as absent. Methods raise ApiError (400)."""

    def __init__(self, members: Mapping[str, Any], where: str = "") -> None:
        self._members = members
        self._where = where

    @classmethod
    def parse(cls, body: bytes) -> JsonBody:
        """Parse a body; an empty one, as some SDKs send, is an empty object."""
        if not body.strip():
            return cls({})
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiError(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ApiError(f"the body must be a JSON object, got {_kind(value)}")
        return cls(value)

    @property
    def members(self) -> Mapping[str, Any]:
        """All of it."""
        return self._members

    def has(self, name: str) -> bool:
        """Whether a member is there and not null."""
        return self._members.get(name) is not None

    def names(self) -> set[str]:
        """Names of the members that are there."""
        return {name for name in self._members if self.has(name)}

    def text(self, name: str, *, most: int = 0) -> str:
        """A string, '' when absent."""
        value = self._members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        if most and len(value) > most:
            raise ApiError(
                f"{self._where}{name} must have at most {most} characters, got {len(value)}"
            )
        return value

    def required_text(self, name: str, *, most: int = 0) -> str:
        """A string that is not empty."""
        value = self.text(name, most=most)
        if not value:
            raise self._missing(name, "a string")
        return value

    def texts(self, name: str) -> list[str]:
        """A required list of strings."""
        values = self.items(name)
        for at, value in enumerate(values):
            if not isinstance(value, str):
                raise self._wrong(f"{name}[{at}]", "a string", value)
        return values

    def items(self, name: str) -> list[Any]:
        """A required list."""
        value = self._members.get(name)
        if value is None:
            raise self._missing(name, "a list")
        if not isinstance(value, list):
            raise self._wrong(name, "a list", value)
        return value

    def objects(self, name: str, *, most: int) -> list[JsonBody]:
        """A required list of objects."""
        values = self.items(name)
        if len(values) > most:
            raise ApiError(f"{self._where}{name} may have {most} elements, got {len(values)}")
        for at, value in enumerate(values):
            if not isinstance(value, dict):
                raise self._wrong(f"{name}[{at}]", "an object", value)
        return [JsonBody(value, f"{self._where}{name}[{at}].") for at, value in enumerate(values)]

    def inner(self, name: str) -> JsonBody | None:
        """An object, or None when absent."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object", value)
        return JsonBody(value, f"{self._where}{name}.")

    def flag(self, name: str) -> bool:
        """A boolean, False when absent."""
        value = self._members.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self._wrong(name, "a boolean", value)

    def number(self, name: str) -> float | None:
        """A finite number, None when absent."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number", value)
        return float(value)

    def count(self, name: str, *, required: bool = False) -> int:
        """A whole number from 0 up, 0 when absent."""
        value = self._members.get(name)
        if value is None and not required:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(name, "a whole number, 0 or more", value)
        return value

    def whole(self, name: str, *, least: int, most: int = MAX_INTEGER) -> int:
        """A required whole number within limits."""
        value = self._members.get(name)
        if value is None:
            raise self._missing(name, "a whole number")
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "a whole number", value)
        if not least <= value <= most:
            raise ApiError(f"{self._where}{name} must lie between {least} and {most}, got {value}")
        return value

    def fraction(self, name: str) -> float:
        """A required number between 0 and 1."""
        value = self.number(name)
        if value is None:
            raise self._missing(name, "a number")
        if not 0 <= value <= 1:
            raise ApiError(f"{self._where}{name} must lie between 0 and 1, got {value}")
        return value

    def text_map(self, name: str) -> dict[str, str]:
        """An object of strings, empty when absent."""
        value = self._members.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self._wrong(name, "an object of strings", value)
        return value

    def instant(self, name: str) -> int:
        """A required instant, in microseconds since the epoch."""
        value = self._members.get(name)
        if value is None:
            raise self._missing(name, "epoch seconds")
        return instant(value, f"{self._where}{name}")

    def window(self) -> TimeRange:
        """StartTime and EndTime as a half-open window of any length."""
        return window_of(self.instant("StartTime"), self.instant("EndTime"), "StartTime", "EndTime")

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``; the first is the default."""
        value = self.text(name) or choices[0]
        if value not in choices:
            raise ApiError(
                f"{self._where}{name} must be one of {', '.join(choices)}, got {value!r}"
            )
        return value

    def _wrong(self, name: str, expected: str, value: object) -> ApiError:
        return ApiError(f"{self._where}{name} must be {expected}, got {_kind(value)}")

    def _missing(self, name: str, expected: str) -> ApiError:
        return ApiError(f"{self._where}{name} is missing; expected {expected}")


def instant(value: object, name: str) -> int:
    """Microseconds since the epoch, of epoch seconds or an ISO 8601 text (UTC without a zone)."""
    try:
        if isinstance(value, str):
            return times.parse_instant(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return times.instant(value)
    except (ValueError, OverflowError) as error:
        raise ApiError(f"{name} {error}") from None
    raise ApiError(f"{name} must be epoch seconds or an ISO 8601 text, got {_kind(value)}")


def window_of(start: int, end: int, first: str, last: str) -> TimeRange:
    """A half-open window; ApiError unless it starts before it ends."""
    if start >= end:
        raise ApiError(
            f"{first} must be before {last}, got {start / 1_000_000} and {end / 1_000_000}"
        )
    return TimeRange(start, end)


def require_short(window: TimeRange) -> TimeRange:
    """ApiError (400) for windows of more rows than a request should read."""
    if window.end - window.start > MOST_DAYS * times.DAY:
        raise ApiError(f"the window must be at most {MOST_DAYS} days for versions and operations")
    return window


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "nothing" if value is None else names.get(type(value), "a number")
