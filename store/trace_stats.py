"""How many of the traces that a filter selects, or of their units of work, there are by some dimensions, and how
they ended and how long they took. One function for every store: the newest traces are read and counted, up to a bound
that the result states.

A trace counts once in each group whose values it has, with the outcome and the response time of its entry. Of units
(`store.filters.units.ServiceUnit`, what ``service(){…}`` reads) each counts by itself, with its own. Everything counts
once, however it was sampled.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache

from store.cursor import decode_cursor
from store.filters.ast import And, Expression
from store.filters.evaluate import matches
from store.filters.group_by import NONE, STATE, all_terms, states_term, trace_term, unit_term
from store.filters.parse import FilterError, parse
from store.protocol import TraceReader
from store.query import TraceHit, TraceQuery
from store.stats_groups import CellKey, Stats, block_of
from store.stats_query import AlikePart, StatsQuery

MOST_TRACES = 1_000_000
"""Traces that are counted, the newest."""
MOST_READ = 20_000
"""Traces of these that are read, where a store cannot count them by their rows."""
MOST_SECONDS = 12.0
"""After which no further traces are read."""
PAGE = 500
FEW = 1_000
"""Traces that are read first with a filter: where it selects no more, that takes less than deciding about all by their rows."""
FIRST_ROWS, MOST_ROWS = 50_000, 1_000_000
"""Rows of the first part of a window, and of the largest."""
GROWTH = 8
"""Ratio between the parts."""
MOST_OTHERS = 1_000
"""Traces of a part that are read, if the next one is to be larger."""


def trace_stats(
    store: TraceReader,
    query: StatsQuery,
    *,
    most: int = MOST_TRACES,
    most_read: int = MOST_READ,
    seconds: float = MOST_SECONDS,
) -> Stats:
    """The groups of the newest ``most`` traces that the filter selects; of fewer if ``most_read`` have to be read."""
    stats = _Counting(store, query, most, most_read, time.monotonic() + seconds).run()
    stats.finish()
    return stats


class _Counting:
    """Counts part after part of a window, the newest first."""

    def __init__(
        self, store: TraceReader, query: StatsQuery, most: int, most_read: int, deadline: float
    ) -> None:
        self._store, self._query, self._deadline = store, query, deadline
        self._most, self._most_read = most, most_read
        self._stats, self._read, self._rows = Stats(query), 0, FIRST_ROWS
        """``_rows``: those of the next part; 0: what is left is read page by page."""
        self._wanted = query.reads if query.filter is None else And((query.reads, query.filter))

    def run(self) -> Stats:
        """Count until a bound."""
        stats, cursor = self._stats, None
        while not stats.bound:
            cursor = self._part(cursor)
            if cursor is None or stats.bound:
                break
            place = decode_cursor(cursor)
            stats.counted_from = place[0] if place else self._query.window.start
            if stats.examined >= self._most or self._read >= self._most_read:
                more = TraceQuery(self._query.window, filter=self._query.filter)
                rest = self._store.find_traces(more, limit=1, cursor=cursor)
                stats.bound = "traces" if rest.found or rest.cursor else None
                break
            if time.monotonic() > self._deadline:
                stats.bound = "seconds"
        if not stats.bound:
            stats.counted_from = self._query.window.start
        return stats

    def _part(self, cursor: str | None) -> str | None:
        """Count a part; where the next one begins."""
        if self._rows and (self._query.filter is None or self._read >= FEW):
            room = self._most - self._stats.examined
            part = self._store.alike_traces(self._query, rows=self._rows, room=room, cursor=cursor)
            if part is not None and self._stats.has_room(part.alike):
                self._take(part)
                return part.cursor
            self._rows = 0
        return self._page(cursor)

    def _take(self, part: AlikePart) -> None:
        """Count what a store counted by rows, and what has to be read of it."""
        for alike in part.alike:
            self._stats.add_alike(alike)
        others = sorted(part.others, key=lambda hit: (hit.time, hit.trace_id), reverse=True)
        for at in range(0, len(others), PAGE):
            self._add(others[at : at + PAGE], judged=False)
        few = len(others) <= MOST_OTHERS
        mostly = len(others) > sum(each.traces for each in part.alike)
        self._rows = min(MOST_ROWS, self._rows * GROWTH) if few else 0 if mostly else FIRST_ROWS

    def _page(self, cursor: str | None) -> str | None:
        """Count a page of traces by reading them; where the next one begins."""
        room = min(self._most - self._stats.examined, self._most_read - self._read)
        search = TraceQuery(self._query.window, filter=self._query.filter)
        page = self._store.find_traces(search, limit=min(PAGE, room), cursor=cursor)
        self._add(page.found, judged=True)
        return page.cursor

    def _add(self, hits: Sequence[TraceHit], *, judged: bool) -> None:
        """Count traces by reading them. ``judged``: they satisfy the filter."""
        wanted = self._query.reads if judged else self._wanted
        traces = self._store.get_evaluable([hit.trace_id for hit in hits], wanted)
        self._read += len(hits)
        for hit in hits:
            trace = traces.get(hit.trace_id)  # it may have expired since it was found
            if trace is None or self._stats.bound:
                continue
            if not judged and self._query.filter and not matches(trace, self._query.filter):
                continue
            if not self._stats.add(trace, hit.time):
                self._stats.bound, self._stats.counted_from = "groups", hit.time


def group_filter(query: StatsQuery, text: str, key: CellKey) -> tuple[str | None, str]:
    """What selects the traces of a group in a list of the same window and scope: an expression, and the state of the
    entry ('': any). ``text``: the expression of the query. None if no expression can say it, as of a value that is
    longer than one may be."""
    status = ""
    if query.of_units:
        of_values = [unit_term(name, cell) for name, cell in zip(query.by, key, strict=True)]
        of_values.append(states_term(query.states))
        blocks = [block_of(node, of_values) for node in query.nodes or (None,)]
        terms = [blocks[0] if len(blocks) == 1 else f"({' OR '.join(blocks)})"]
    else:
        terms = [trace_term(name, cell) for name, cell in zip(query.by, key, strict=True)]
        for name, cell, term in zip(query.by, key, terms, strict=True):
            status = str(cell.value) if name.name == STATE and not term and cell != NONE else status
    own = text.strip()
    if own and _conjuncts(own).issuperset(_conjuncts(all_terms(terms))):
        return own, status
    given = [f"({own})" if own and any(terms) else own, *terms]
    found = all_terms(given)
    if found != own:
        try:
            parse(found)
        except FilterError:
            return None, status
    return found, status


@lru_cache(maxsize=256)
def _conjuncts(text: str) -> frozenset[Expression]:
    """Of what an expression is the conjunction: what it says already need not be said again."""
    if not text:
        return frozenset()
    try:
        parsed = parse(text)
    except FilterError:  # a value that is longer than one may be
        return frozenset((And(()),))
    return frozenset(parsed.terms if isinstance(parsed, And) else (parsed,))
