"""Traces with segments that were derived from records, each once until it changes again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from store.filters.ast import Expression
from store.model import TimeRange, Trace, is_derived
from store.otel.stored_document import Json
from store.protocol import TraceReader
from store.query import Axis, TraceQuery
from store.times import HOUR

BATCH = 100
"""Traces read at once, with their documents."""
MOST = 2_000
"""Traces of one round, about; the others are next."""
MOST_PAGES = 10
"""Pages of so many, in which a round looks for some that have changed: Firehose delivers minutes of them at once."""
FIRST_WINDOW = HOUR
"""How long ago a trace has changed that the first round looks at. It sees to what was left."""


class Seen(NamedTuple):
    """What a trace was when it was looked at, and when to look again though it is the same."""

    updated: int
    again: int


class Search:
    """Traces that satisfy a filter and changed in a window, each once until it changes again."""

    def __init__(self, reader: TraceReader, filter: Expression) -> None:
        self._reader = reader
        self._filter = filter
        self.hits = 0
        """Traces that satisfied the filter, due or not."""
        self.is_cut = False
        """Whether there may be more that are due."""
        self._seen: dict[bytes, Seen] = {}

    def due(self, window: TimeRange, now: int) -> Iterator[list[Trace]]:
        """Those to be looked at, with their documents, some at a time."""
        oldest = now - FIRST_WINDOW
        self._seen = {id: seen for id, seen in self._seen.items() if seen.updated >= oldest}
        query = TraceQuery(window, Axis.EVENT, self._filter)
        changed: list[bytes] = []
        cursor: str | None = None
        self.hits = 0
        for _ in range(MOST_PAGES):
            page = self._reader.find_traces(query, limit=MOST, cursor=cursor)
            self.hits += len(page.found)
            changed += [h.trace_id for h in page.found if self._is_due(h.trace_id, h.time, now)]
            if (cursor := page.cursor) is None or len(changed) >= MOST:
                break
        self.is_cut = cursor is not None
        for start in range(0, len(changed), BATCH):
            found = self._reader.get_traces(changed[start : start + BATCH], raw=True, links=False)
            yield list(found.values())

    def _is_due(self, trace_id: bytes, updated: int, now: int) -> bool:
        seen = self._seen.get(trace_id)
        return seen is None or seen.updated != updated or seen.again <= now

    def look_again(self, trace: Trace, at: int) -> None:
        """Do not return the trace before ``at`` (microseconds) unless it changes."""
        self._seen[trace.trace_id] = Seen(trace.updated, at)


def has(trace: Trace, content: Json) -> bool:
    """Whether a trace has what would be derived, or what replaces it."""
    stored = trace.documents.get(int(content["id"], 16))
    if stored is None:
        return False
    return not is_derived(stored.version) or stored.raw == msgspec.json.encode(content)
