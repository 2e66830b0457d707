"""What the selected traces have in common and the others have not: a set against the rest.

An attribute is a term of the filter language, so that it can be added to the filter. Only differences
that chance does not explain are listed: of a random part of all traces, none.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from math import sqrt

from api.console.params import TraceFilter
from api.console.trace_search import TraceSearch
from api.context import Context
from api.schemas.traces import Difference, TraceDifferences
from store.model import TimeRange, Trace
from store.summary import Summary, summarize

MOST_TRACES = 2000
"""Traces of each set, the newest."""
CHUNK = 500
MOST = 30
MIN_DEVIATIONS = 4.0
"""Standard deviations that a difference of shares exceeds: of 1,000 attributes of a random part, one
in 15 times."""
_PLAIN_KEY = re.compile(r"[^\s=!<>()\[\]{}\",]+")


def trace_differences(
    context: Context, window: TimeRange, filters: TraceFilter
) -> TraceDifferences:
    """The attributes in which the newest selected traces differ from the newest others."""
    everything = TraceFilter("", "", frozenset(), None, None)
    chosen, newest = context.both(
        lambda: _newest(context, window, filters), lambda: _newest(context, window, everything)
    )
    ids = set(chosen)
    others = [id for id in newest if id not in ids]
    selected, rest = _attributes(context, chosen), _attributes(context, others)
    return {
        "selected": len(chosen),
        "rest": len(others),
        "attributes": rank(selected, len(chosen), rest, len(others))[:MOST],
    }


def rank(selected: Counter[str], chosen: int, rest: Counter[str], others: int) -> list[Difference]:
    """Attributes by how much more frequent they are among the selected traces, then those that are
    less frequent."""
    found: list[tuple[float, Difference]] = []
    for term in selected.keys() | rest.keys():
        here, there = selected[term], rest[term]
        gap = _gap(here, chosen, there, others)
        if gap is not None:
            found.append((gap, {"filter": term, "selected": here, "rest": there}))
    found.sort(key=lambda each: (-each[0], each[1]["filter"]))
    return [difference for _, difference in found]


def _gap(here: int, chosen: int, there: int, others: int) -> float | None:
    """The difference of two shares; None if it may be chance."""
    if not chosen or not others:
        return None
    gap = here / chosen - there / others
    pooled = (here + there) / (chosen + others)
    deviation = sqrt(pooled * (1 - pooled) * (1 / chosen + 1 / others))
    return gap if deviation and abs(gap) > MIN_DEVIATIONS * deviation else None


def trace_terms(summary: Summary) -> Iterator[str]:
    """The terms of the filter language that a trace satisfies, those that may tell it apart."""
    for key, values in summary.annotations.items():
        field = f"annotation.{key}" if _PLAIN_KEY.fullmatch(key) else f"annotation[{key}]"
        yield from (f"{field} = {value}" for value in values)
    for user in summary.users:
        yield f"user = {_text(user)}"
    for node in summary.nodes:
        if not node.is_client:
            yield f"service(id(name: {_text(node.name)}, type: {_text(node.type)}))"
    http = summary.http
    for keyword, value in (("http.method", http.method), ("http.url", http.url)):
        if value:
            yield f"{keyword} = {_text(value)}"
    if http.status:
        yield f"http.status = {http.status}"
    places = (
        ("availabilityzone", summary.availability_zones),
        ("instance.id", summary.instance_ids),
        ("resource.arn", summary.resource_arns),
    )
    for keyword, found in places:
        yield from (f"{keyword} = {_text(value)}" for value in found)


@lru_cache(10_000)
def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _newest(context: Context, window: TimeRange, filters: TraceFilter) -> list[bytes]:
    search = TraceSearch(context, window, filters)
    found: list[bytes] = []
    cursor: str | None = None
    while len(found) < MOST_TRACES:
        page = search.page(min(CHUNK, MOST_TRACES - len(found)), cursor)
        found += [each.trace_id for each in page.found]
        cursor = page.cursor
        if cursor is None:
            break
    return found


def _attributes(context: Context, ids: Sequence[bytes]) -> Counter[str]:
    """How many of some traces satisfy each term; the store reads while those before are counted."""
    counts: Counter[str] = Counter()
    read: Mapping[bytes, Trace] = {}
    for at in range(0, len(ids) + CHUNK, CHUNK):
        coming, _ = context.both(
            partial(context.store.get_traces, ids[at : at + CHUNK]), partial(_count, read, counts)
        )
        read = coming
    return counts


def _count(traces: Mapping[bytes, Trace], counts: Counter[str]) -> None:
    for trace in traces.values():
        counts.update(set(trace_terms(summarize(trace))))
