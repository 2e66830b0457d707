"""Parameters of Prometheus' query API: of the URL, and of a form in the body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.errors import ApiError
from api.request import read_body, window_of
from raymap.contrib.prometheus.parse import parse_duration
from store.model import TimeRange
from store.times import HOUR, MAX_INSTANT, SECOND, parse_instant

MOST_BODY = 64 << 10
MOST_POINTS = 11_000
"""As Prometheus."""
LOOKBACK = HOUR
"""Of names and labels, without a start."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", re.ASCII)


class Steps(NamedTuple):
    """Instants of a range query, microseconds: the first, the last at most, and what is between two."""

    start: int
    end: int
    step: int

    @property
    def instants(self) -> Sequence[int]:
        """All of them."""
        return range(self.start, self.end + 1, self.step)


class Params:
    """Parameters by name; Grafana posts them as a form."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    @classmethod
    async def of(cls, request: Request) -> Params:
        """Those of a request; ApiError (400, 413)."""
        pairs = [*request.query_params.multi_items()]
        if request.method == "POST":
            body = await read_body(request, MOST_BODY)
            try:
                pairs += parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1_000)
            except ValueError as error:
                raise _bad(f"error parsing form values: {error}") from None
        return cls(pairs)

    def all(self, name: str) -> list[str]:
        """The values of a parameter that may be repeated."""
        return [value for key, value in self._pairs if key == name]

    def text(self, name: str) -> str:
        """The last value, '' without one."""
        return next(reversed(self.all(name)), "")

    def instant(self, name: str, default: int | None = None) -> int:
        """Microseconds."""
        text = self.text(name)
        if not text:
            if default is None:
                raise _bad(f'invalid parameter "{name}": cannot parse "" to a valid timestamp')
            return default
        try:
            found = round(float(text) * SECOND) if _NUMBER.fullmatch(text) else parse_instant(text)
        except ValueError:
            found = -1
        if not 0 <= found <= MAX_INSTANT * SECOND:
            raise _bad(
                f'invalid parameter "{name}": cannot parse {text[:40]!r} to a valid timestamp'
            )
        return found

    def steps(self) -> Steps:
        """The instants of a range query."""
        start, end = self.instant("start"), self.instant("end")
        if end < start:
            raise _bad('invalid parameter "end": end timestamp must not be before start time')
        step = self._duration("step")
        if (end - start) // step >= MOST_POINTS:
            raise _bad(
                f"exceeded maximum resolution of {MOST_POINTS:,} points per timeseries. Try decreasing the query resolution (?step=XX)"
            )
        return Steps(start, end, step)

    def window(self, now: int) -> TimeRange:
        """The time of names and labels."""
        end = self.instant("end", now)
        start = self.instant("start", max(0, end - LOOKBACK))
        return window_of(start, max(end, start + SECOND), "start", "end")

    def limit(self, most: int) -> int:
        """How many names or series at most."""
        text = self.text("limit")
        if not text:
            return most
        if not (text.isascii() and text.isdecimal()):
            raise _bad(f'invalid parameter "limit": expected a number, got {text[:20]!r}')
        return min(most, int(text[:9]) or most)

    def _duration(self, name: str) -> int:
        text = self.text(name)
        found = (
            round(float(text) * SECOND) if _NUMBER.fullmatch(text) else parse_duration(text) or 0
        )
        if found < 1:
            raise _bad(
                f'invalid parameter "{name}": zero or negative query resolution step widths are not accepted, got {text[:40]!r}'
            )
        return found


def _bad(message: str) -> ApiError:
    return ApiError(message, code="bad_data")
