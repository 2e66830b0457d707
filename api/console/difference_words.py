"""The two sets of a comparison in words: "42 faults against 1,931 others of payments in the same window"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from api.console.comparable import Comparable
from api.console.params import TraceFilter
from api.console.place import Place
from store.model import NodeKey, State

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
