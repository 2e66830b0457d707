"""What the selected traces have in common and comparable others have not: a set against a set.

An attribute is a term of the filter language, so that it can be added to the filter.
`api.console.comparable` says which the others are, `api.console.contrast` which terms tell them apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from api.console.comparable import Comparable, comparable
from api.console.contrast import Term, contrast
from api.console.params import TraceFilter
from api.console.place import Place
from api.console.trace_search import TraceSearch
from api.console.trace_terms import trace_terms
from api.context import Context
from api.schemas.traces import TraceDifferences
from store.cursor import decode_cursor
from store.filters.ast import Expression
from store.model import NodeKey, State, TimeRange, Trace

_NOUNS = {
    State.OK: "success",
    State.ERROR: "error",
    State.THROTTLE: "throttle",
    State.FAULT: "fault",
    State.IN_PROGRESS: "request in progress",
}
_PLURALS = {"success": "successes", "request in progress": "requests in progress"}


class SetSize(NamedTuple):
    """How many traces of a set were read, and whether these are all."""

    traces: int
    complete: bool


def words(
    filters: TraceFilter, others: Comparable, place: Place | None, chosen: SetSize, rest: SetSize
) -> str:
    """One sentence without a full stop."""
    of_place = f" of {place_name(place)}" if place is not None else ""
    stays = bool(of_place and (others.filters.node or others.filters.edge))
    selected = f"{chosen.traces:,} {_noun(filters, chosen.traces)}{'' if stays else of_place}"
    if not chosen.complete:
        selected = f"the newest {selected}"
    unselected = _counted("other", rest) + of_place if stays else _counted("other trace", rest)
    when = "in the same window" if chosen.complete else "of the same time"
    return " ".join(filter(None, (selected, "against", unselected, others.which, when)))


def place_name(place: Place) -> str:
    """A node by its name, a call by those of its ends."""
    if place.units.nodes:
        return _names(place.units.nodes)
    sources, targets = zip(*sorted(place.units.edges), strict=True)
    target = _names(targets)
    if any(source.is_client for source in sources):
        return f"calls from clients of {target}"
    return f"calls from {_names(sources)} to {target}"


def _noun(filters: TraceFilter, number: int) -> str:
    if filters.error is not None:
        return f"with {filters.error.label}"
    names = [_NOUNS[state] for state in sorted(filters.states)] or ["selected trace"]
    return " or ".join(name if number == 1 else _plural(name) for name in names)


def _counted(noun: str, rest: SetSize) -> str:
    if not rest.complete:
        return f"{rest.traces:,} of the {_plural(noun)}"
    return f"{rest.traces:,} {noun if rest.traces == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    return _PLURALS.get(noun, f"{noun}s")


def _names(nodes: Iterable[NodeKey]) -> str:
    return " and ".join(sorted({node.name for node in nodes}))


MOST_TRACES = 2000
"""Traces of each set."""
CHUNK = 500
PARTS = 16
"""Parts of the window from which as many others are taken each, if they are too many: where a deployment
falls into one, its share of the others is wrong by three points at most."""


class Found(NamedTuple):
    """Ids of traces, and the time (microseconds) since which they are all if there were too many."""

    ids: list[bytes]
    since: int | None = None

    @property
    def size(self) -> SetSize:
        return SetSize(len(self.ids), self.since is None)


def trace_differences(
    context: Context, window: TimeRange, filters: TraceFilter, scope: Expression | None
) -> TraceDifferences:
    """The attributes in which the newest selected traces differ from comparable ones of the same time.

    ``scope``: the part of the filter's expression that restricts the whole console.
    """
    others = comparable(filters, scope)
    search = TraceSearch(context, window, filters)
    chosen = newest(search)
    rest = _spread(search.widened(others.filters), chosen) if chosen.ids else Found([])
    read = (chosen.ids, rest.ids) if rest.ids else ([], [])
    selected, unselected = (_terms(context, ids, others) for ids in read)
    found = contrast(selected, unselected, common_is_implied=others.by_place)
    return {
        "selected": len(chosen.ids),
        "rest": len(rest.ids),
        "words": words(filters, others, search.place, chosen.size, rest.size),
        "attributes": [
            {"filter": each.filter, "selected": each.selected, "rest": each.rest, "same": each.same}
            for each in found.lines
        ],
        "distinct": [{"field": each.field, "values": each.values} for each in found.distinct],
    }


def newest(search: TraceSearch) -> Found:
    """The newest traces of a search."""
    page = search.page(MOST_TRACES, None)
    place = decode_cursor(page.cursor)
    return Found([each.trace_id for each in page.found], None if place is None else place[0])


def _spread(search: TraceSearch, chosen: Found) -> Found:
    """The other traces of the time of the chosen ones: all, or about as many of each part of it."""
    start, end = search.window
    since = start if chosen.since is None else chosen.since
    if since >= end:
        return Found([])
    span = TimeRange(since, end)
    whole = newest(search.within(span))
    found = whole.ids
    if whole.since is not None and len(found) == MOST_TRACES:
        found = _thinned([id for part in _parts(span) for id in _some(search.within(part))])
    taken = set(chosen.ids)
    return Found([id for id in found if id not in taken], whole.since)


def _some(search: TraceSearch) -> list[bytes]:
    """More than its share of a part: in others there may be fewer."""
    return [each.trace_id for each in search.page(2 * MOST_TRACES // PARTS, None).found]


def _thinned(ids: list[bytes]) -> list[bytes]:
    """As many as are read, evenly."""
    distinct = list(dict.fromkeys(ids))
    return distinct[:: max(1, -(-len(distinct) // MOST_TRACES))]


def _parts(span: TimeRange) -> list[TimeRange]:
    edges = [span.start + (span.end - span.start) * at // PARTS for at in range(PARTS + 1)]
    return [TimeRange(*pair) for pair in pairwise(edges) if pair[0] < pair[1]]


def _terms(context: Context, ids: Sequence[bytes], others: Comparable) -> list[Collection[Term]]:
    """The terms of each trace but those that restate the selection; the store reads while those before are
    summarized."""
    terms: list[Collection[Term]] = []
    read: Mapping[bytes, Trace] = {}
    for at in range(0, len(ids) + CHUNK, CHUNK):
        coming, some = context.both(
            partial(context.store.get_traces, ids[at : at + CHUNK]), partial(_read, read, others)
        )
        terms += some
        read = coming
    return terms


def _read(traces: Mapping[bytes, Trace], others: Comparable) -> list[Collection[Term]]:
    implied = others.implied
    return [
        {term for term in trace_terms(trace) if term.field not in implied}
        for trace in traces.values()
    ]
