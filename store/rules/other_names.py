"""Names of nodes in excess: they are counted as one node, so that a service that makes up names does
not make the map unreadable and slow (docs/xray-format.md §5.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from store.model import Trace
from store.times import MINUTE

MOST_NAMES = 5_000
"""Names of nodes per account and minute."""
MOST_NAMES_OF_WINDOW = 10_000
"""Names of nodes per account in the graph of a window: every minute may have other names."""
RECENT_MINUTES = 10
"""For how long a server reports that names were in excess."""
OTHER_NAMES = "(other names)"
"""The name of the nodes that stand for the rest."""


class Place(NamedTuple):
    """Where names are counted: a minute of an account."""

    minute: int
    account: str


Excess = Mapping[Place, frozenset[str]]
"""The names in excess; places without any are absent."""


def names_in_excess(traces: Iterable[Trace]) -> Excess:
    """The names in excess among all segments and calls of some traces.

    A name counts as often as a segment or call has it, or a call is made by it, in the minute of
    the segment's or the call's start.
    """
    counts: dict[Place, Counter[str]] = {}
    for place, name in (named for trace in traces for named in names_of(trace)):
        counts.setdefault(place, Counter())[name] += 1
    return {place: found for place, each in counts.items() if (found := rarest(each, MOST_NAMES))}


def rarest(counts: Mapping[str, int], most: int) -> frozenset[str]:
    """The names that leave at most ``most``: those no more frequent than the most frequent one
    for which there is no room. Equally frequent names are treated alike."""
    if len(counts) <= most:
        return frozenset()
    least = sorted(counts.values(), reverse=True)[most]
    return frozenset(name for name, count in counts.items() if count <= least)


def describe_excess(callers: Mapping[str, int], example: str, limit: str) -> str:
    """A sentence on who makes up names, and what to do.

    ``callers``: how often each service calls nodes under such names; ``example``: without callers,
    a name under which segments come, or ''; ``limit``: as "5,000 names a minute".
    """
    who = "segments come"
    if callers:
        busiest = max(callers, key=lambda caller: (callers[caller], caller))
        who = f"{busiest} calls nodes"
    such = f", such as {example}" if example and not callers else ""
    return (
        f"{who} under more than {limit}{such}; the rarest are counted together as {OTHER_NAMES}: "
        "leave ids out of the names"
    )


def names_of(trace: Trace) -> Iterable[tuple[Place, str]]:
    """Where each segment and call of a trace has a name, where a call is made by one, and a segment names one as in
    front of it."""
    for document in trace.documents.values():
        if not document.independent:
            minute = document.start // MINUTE
            yield Place(minute, document.node.account), document.node.name
            if document.before.name:
                yield Place(minute, document.before.account), document.before.name
    for owned in trace.calls.values():
        minute, node = owned.call.start // MINUTE, owned.call.node
        if node.name:
            yield Place(minute, node.account), node.name
        if owned.owner is not None:
            yield Place(minute, owned.owner.account), owned.owner.name
