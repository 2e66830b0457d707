"""The window a console question is about: ``from`` and ``to`` in its query."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from api.request import instant, window_of
from store.model import TimeRange

From = Annotated[str, Query(alias="from", description="start, epoch seconds, inclusive")]
To = Annotated[str, Query(alias="to", description="end, epoch seconds, exclusive")]


def _window(start: From, end: To) -> TimeRange:
    return window_of(instant(start, "from"), instant(end, "to"), "from", "to")


Window = Annotated[TimeRange, Depends(_window)]


def previous_window(window: TimeRange) -> TimeRange:
    """The period of equal length right before, as far as time goes back."""
    return TimeRange(max(0, 2 * window.start - window.end), window.start)
