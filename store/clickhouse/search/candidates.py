"""Judges the candidates of a search, the newest first, and reads no more of them than a page needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.search.get_traces import PAGE
from store.clickhouse.search.judge import matching
from store.clickhouse.search.reading import KnownRows, Reading
from store.filters.ast import And, EdgeMatch, Expression, needs_documents
from store.filters.selectivity import is_likely, is_selective
from store.model import Trace
from store.query import TraceHit

MANY_REJECTED = 400
"""Rejected candidates after which SQL has to be sure: that takes it three times as long, which is the
time of judging so many."""


class Candidate(NamedTuple):
    """``certain``: it surely matches. ``buckets``: where its rows are, if that is not so."""

    hit: TraceHit
    buckets: Sequence[int]
    certain: bool


class Judge:
    """Decides about candidates; those of a query without a filter are all certain."""

    def __init__(
        self, run: RunQuery, filter: Expression | None, limit: int, *, raw: bool = False
    ) -> None:
        self._run = run
        self._filter = filter
        self._raw = raw
        self._shown = limit <= PAGE
        """Whether what is found will be shown: then it is read whole at once."""
        self.traces: dict[bytes, Trace] = {}
        """Those that match, as far as they were read whole."""
        self.any_links = False
        self._selective = filter is not None and is_selective(filter)
        self._likely = filter is not None and is_likely(filter)
        self.spare = 6 if isinstance(filter, EdgeMatch) else 3
        """Candidates per trace of a page: another query costs more than judging."""
        self.rejected = 0
        self._judged = 0
        self._known = KnownRows()

    @property
    def sure(self) -> bool:
        """Whether so many candidates are rejected that SQL that is sure costs less."""
        return self.rejected > max(MANY_REJECTED, self._judged * 3 // 4)

    def reading_ahead(self, ids: Collection[bytes], room: int) -> Reading | None:
        """Reads traces that most likely are the first candidates, the newest first. Not where most match and will be
        shown: those are read whole, once it is known which they are."""
        if self._filter is None or isinstance(self._filter, And) or self.sure or not ids:
            return None
        reads_all = isinstance(self._filter, EdgeMatch) or needs_documents(self._filter)
        size = _likely_size(room) if self._likely else self.spare * (room + 1)
        if self._shown and reads_all:
            first = list(islice(ids, min(size, _likely_size(PAGE))))
            return Reading(self._filter, first, all_of_them=True, raw=self._raw)
        if self._shown and self._likely:
            return None
        return Reading(self._filter, list(islice(ids, size)))

    def take(self, known: KnownRows) -> None:
        """What `reading_ahead` read."""
        self._known = known

    def matching(self, candidates: list[Candidate], room: int, *, named: bool) -> list[TraceHit]:
        """The candidates that match: all, or more than there is room for. If most match, also because
        probes ``named`` them, that is so after a few."""
        matched: list[TraceHit] = []
        several = self._selective and not (named and (self._likely or self._shown))
        likely = _likely_size(room)
        size = len(candidates) if several else likely
        while candidates and len(matched) <= room:
            matched += self._matches(candidates[:size], likely if self._shown else 0)
            candidates, size = candidates[size:], len(candidates)
        return matched

    def _matches(self, candidates: list[Candidate], most_whole: int) -> list[TraceHit]:
        unsure = {each.hit.trace_id: each.buckets for each in candidates if not each.certain}
        matched = set[bytes]()
        if unsure and self._filter is not None:
            found = matching(
                self._run, self._filter, unsure, self._known, most_whole, raw=self._raw
            )
            matched, traces, any_links = found
            self.traces |= traces
            self.any_links |= any_links
            self._judged += len(unsure)
            self.rejected += len(unsure) - len(matched)
        return [each.hit for each in candidates if each.certain or each.hit.trace_id in matched]


def _likely_size(room: int) -> int:
    """How many traces to judge at first where most match."""
    return room + room // 4 + 1
