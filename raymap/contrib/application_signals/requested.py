"""What a request of Application Signals asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from api.context import Context
from api.request import JsonBody
from store.model import TimeRange
from store.times import SECOND

Json = dict[str, Any]


class Requested(NamedTuple):
    """A request: a window, a page, the body, and the parameters of the address."""

    window: TimeRange
    most: int
    after: int
    body: JsonBody
    parameters: Mapping[str, str]

    def page(self, member: str, elements: Sequence[Json]) -> Json:
        """The elements of the page, and the token of the next."""
        until = self.after + self.most
        more = {"NextToken": str(until)} if until < len(elements) else {}
        return {member: list(elements[self.after : until]), **more}

    @property
    def span(self) -> Json:
        """The window of an answer."""
        return {"StartTime": self.window.start / SECOND, "EndTime": self.window.end / SECOND}


Operation = Callable[[Context, Requested], Json]
