"""Symptoms → problems: where each begins, and which symptoms it explains. Pure.

* Calls that are missing or too many are the origin of what they explain, unless the caller of those that are missing, or the
  node that is called too much, is ill itself. Several calls that a node no longer makes begin at that node.
* Otherwise a problem begins at a node with symptoms that calls no node with symptoms.
* A symptom belongs to the problem whose origin is at or below it: overlap in time alone makes no two problems one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median_low

from msgspec import Struct

from api.problems.symptom import Measure, Symptom
from store.minutes import Series, SeriesKind
from store.model import NodeKey

TOGETHER = 3
"""Minutes by which the beginnings of two symptoms of one cause may differ."""
OF_ERRORS, OF_OTHERS = 0.2, 0.5
"""How bad a client error, and slowness or a call that is missing, is for a request, beside a fault."""
EDGES = (SeriesKind.CALLS, SeriesKind.LINKS)


class Finding(Struct, frozen=True):
    """A problem as of one minute. ``edge``: its source, where the calls along an edge are the problem. ``main``: the symptom
    that its line is about; ``symptoms``: all that it explains, itself among them."""

    origin: NodeKey
    edge: NodeKey | None
    main: Symptom
    symptoms: tuple[Symptom, ...]

    @property
    def since(self) -> int:
        """The minute in which it began: what most of the symptoms say that rang with the first one, and are of its kind.
        One of them may have been disturbed a little before."""
        kind = self.main.measure.kind
        first = [
            each.since
            for each in self.symptoms
            if each.measure.kind == kind and each.rang <= self.main.rang + TOGETHER
        ]
        return median_low(first)

    @property
    def nodes(self) -> frozenset[NodeKey]:
        """The nodes with its symptoms. That a node is called less, because its caller fails, is none of its own."""
        own = (s.series.node for s in self.symptoms if not s.measure.is_calls)
        return frozenset((self.origin, *own))

    @property
    def last_bad(self) -> int:
        """The last minute in which any of its symptoms was bad."""
        return max(each.last_bad for each in self.symptoms)

    @property
    def entries(self) -> dict[NodeKey, Symptom]:
        """The nodes that clients call, with the symptom of their calls."""
        found: dict[NodeKey, Symptom] = {}
        for each in self.symptoms:
            if each.series.source.is_client:
                known = found.get(each.series.node)
                if known is None or _weight(each) > _weight(known):
                    found[each.series.node] = each
        return found

    @property
    def impact(self) -> float:
        """Requests of clients a minute that are affected, by how bad it is for them."""
        entering = sum(map(_weight, self.entries.values()))
        return entering or _weight(self.main) / 10


def findings(symptoms: Sequence[Symptom], edges: Iterable[Series]) -> list[Finding]:
    """The problems that symptoms make, the worst first. ``edges``: of the map."""
    callees: dict[NodeKey, set[NodeKey]] = {}
    callers: dict[NodeKey, set[NodeKey]] = {}
    for edge in edges if symptoms else ():
        callees.setdefault(edge.source, set()).add(edge.node)
        callers.setdefault(edge.node, set()).add(edge.source)
    ill: dict[NodeKey, list[Symptom]] = {}
    for each in symptoms:
        if not each.measure.is_calls:
            ill.setdefault(each.series.node, []).append(each)
    origins, rest = _of_calls([each for each in symptoms if each.measure.is_calls], ill, callers)
    surges = [s for found in origins.values() for s in found if s.measure is Measure.SURGE]
    for node, found in ill.items():
        below = callees.get(node, set()) - {node}
        since = min(each.since for each in found) + TOGETHER
        explained_here = any(s.series.source == node and s.since <= since for s in surges)
        deepest = not below & ill.keys() or _is_deepest(node, ill, callees)
        if node in origins or (deepest and not explained_here):
            origins.setdefault(node, []).extend(found)
        else:
            rest.extend(found)
    explained = {node: _above(node, callers) | {node} for node in origins}
    for each in rest:
        for node in _ends(each):
            nearest = [origin for origin, above in explained.items() if node in above]
            for origin in nearest:
                origins[origin].append(each)
            if nearest:
                break
    made = [_finding(origin, found) for origin, found in origins.items()]
    return sorted(made, key=lambda each: (-each.impact, each.since, each.origin))


def _of_calls(
    calls: Sequence[Symptom],
    ill: dict[NodeKey, list[Symptom]],
    callers: dict[NodeKey, set[NodeKey]],
) -> tuple[dict[NodeKey, list[Symptom]], list[Symptom]]:
    """What begins with calls that are missing or too many, by its origin, and what something else explains."""
    origins: dict[NodeKey, list[Symptom]] = {}
    rest = [each for each in calls if _is_consequence(each, ill)]
    own = sorted((each for each in calls if each not in rest), key=lambda s: s.since)
    for each in own:
        node, source = each.series.node, each.series.source
        together = [s for s in own if _are_one(each, s)]
        if len(together) > 1:  # one cause: what calls several others less
            origins.setdefault(source, []).append(each)
        elif node in origins or not _above(node, callers) & origins.keys():
            origins.setdefault(node, []).append(each)
        else:
            rest.append(each)
    return origins, rest


def _are_one(one: Symptom, other: Symptom) -> bool:
    """Whether two are calls that one node makes less from the same time on."""
    return (
        one.measure is other.measure is Measure.DROP
        and one.series.source == other.series.source
        and not one.series.source.is_client
        and abs(one.since - other.since) <= TOGETHER
    )


def _is_consequence(each: Symptom, ill: dict[NodeKey, list[Symptom]]) -> bool:
    """Whether a node that was ill no later explains it: a caller that fails calls less, and one whose calls fail calls again."""
    node = each.series.source if each.measure is Measure.DROP else each.series.node
    return any(s.since <= each.since + TOGETHER for s in ill.get(node, ()))


def _is_deepest(
    node: NodeKey, ill: dict[NodeKey, list[Symptom]], callees: dict[NodeKey, set[NodeKey]]
) -> bool:
    """Whether all that is ill below a node is also above it, and it is the first of them: one of each circle."""
    circle = {node}
    todo = [node]
    while todo:
        for callee in callees.get(todo.pop(), ()):
            if callee in ill and callee not in circle:
                circle.add(callee)
                todo.append(callee)
    if len(circle) == 1 or node != min(circle, key=lambda n: (min(s.since for s in ill[n]), n)):
        return False
    return all(node in _reached(other, ill, callees) for other in circle)


def _reached(
    node: NodeKey, ill: dict[NodeKey, list[Symptom]], callees: dict[NodeKey, set[NodeKey]]
) -> set[NodeKey]:
    found, todo = {node}, [node]
    while todo:
        for callee in callees.get(todo.pop(), ()):
            if callee in ill and callee not in found:
                found.add(callee)
                todo.append(callee)
    return found


def _above(node: NodeKey, callers: dict[NodeKey, set[NodeKey]]) -> set[NodeKey]:
    """The nodes from which one is reached."""
    found: set[NodeKey] = set()
    todo = [node]
    while todo:
        for caller in callers.get(todo.pop(), ()):
            if caller not in found:
                found.add(caller)
                todo.append(caller)
    return found


def _ends(each: Symptom) -> tuple[NodeKey, ...]:
    """Where what explains a symptom is looked for: calls are missing because of the caller."""
    ends = each.series.node, each.series.source
    return ends[::-1] if each.measure is Measure.DROP else ends


def _finding(origin: NodeKey, found: list[Symptom]) -> Finding:
    own = [each for each in found if each.series.node == origin]
    ill = [each for each in own if not each.measure.is_calls]
    calls = [each for each in own if each.measure.is_calls]
    if not own:  # what it calls less
        calls = [each for each in found if each.series.source == origin]
    if calls and (not ill or min(s.since for s in calls) <= min(s.since for s in ill) + TOGETHER):
        main = min(calls, key=lambda s: (s.since, -_weight(s)))
        source = main.series.source
        return Finding(origin, source if source != origin else None, main, tuple(found))
    main = min(
        ill,
        key=lambda s: (s.rang, not s.measure.is_failing, s.series.kind in EDGES, -s.excess),
    )
    return Finding(origin, None, main, tuple(found))


def _weight(each: Symptom) -> float:
    """Requests a minute that are affected, by how bad it is for them."""
    if each.measure is Measure.ERROR:
        weight = OF_ERRORS
    else:
        weight = 1.0 if each.measure.is_failing else OF_OTHERS
    return each.excess * each.requests * weight
