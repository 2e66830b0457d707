"""Parameters of /api/v1: windows with relative times, pages with cursors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from fastapi import Depends, Query, Request

from api.errors import ApiError
from api.request import window_of
from store import times
from store.model import TimeRange
from store.times import MAX_INSTANT, SECOND

Element = TypeVar("Element")

MOST = 1000
_MOMENT = "RFC 3339 (UTC without an offset), epoch seconds, `now`, or before now: `-90m`, `now-7d`"
From = Annotated[str, Query(alias="from", description=f"start, inclusive: {_MOMENT}")]
To = Annotated[str, Query(alias="to", description=f"end, exclusive: {_MOMENT}")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="elements in a page")]
Cursor = Annotated[
    str | None,
    Query(description="`next` of the previous page, whose window then applies again"),
]


def _window(request: Request, start: From = "-1h", end: To = "now") -> TimeRange:
    """Relative times are whole seconds, so that requests of one second are for one window."""
    now = int(request.app.state.clock()) * SECOND
    return window_of(moment(start, "from", now), moment(end, "to", now), "from", "to")


def moment(text: str, name: str, now: int) -> int:
    """Microseconds since the epoch; ApiError (400) with the parameter's name."""
    try:
        return times.parse_moment(text, now)
    except (ValueError, OverflowError) as error:
        raise ApiError(f"{name} {error}") from None


Window = Annotated[TimeRange, Depends(_window)]


class Page(NamedTuple):
    """Which part of a list: the window, the position of the last element of the previous page (''
    on the first one), the most elements."""

    window: TimeRange
    after: str
    limit: int

    def next(self, position: str | None) -> str | None:
        """The cursor of the page behind a position; None on the last page."""
        if position is None:
            return None
        content = msgspec.json.encode((self.window.start, self.window.end, position))
        return base64.urlsafe_b64encode(content).decode()

    def cut(
        self, elements: Iterable[Element], key: Callable[[Element], str]
    ) -> tuple[list[Element], str | None]:
        """The elements of the page, in ascending order of ``key``, and the cursor of the next."""
        rest = sorted((e for e in elements if not self.after or key(e) > self.after), key=key)
        page = rest[: self.limit]
        return page, self.next(key(page[-1]) if len(rest) > len(page) else None)


def _page(window: Window, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """The window of a cursor is that of the first page: relative times do not move between pages."""
    if not cursor:
        return Page(window, "", limit)
    try:
        content = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
        start, end, after = msgspec.json.decode(content, type=tuple[int, int, str])
    except (ValueError, binascii.Error):
        start = end = -1
        after = ""
    if not 0 <= start < end <= MAX_INSTANT * SECOND or not after:
        raise ApiError("cursor must be `next` of the previous page")
    return Page(TimeRange(start, end), after, limit)


Paged = Annotated[Page, Depends(_page)]
