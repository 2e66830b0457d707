"""Spans nested in spans that tell of one thing: the rules of which are one. Pure.

A SERVER span directly below a SERVER or CONSUMER span of the same service, within its time, is the same request, the
outer's: a sidecar passes a request or a message to its application, and both report it; so do two instrumentations of one
server, and Lambda and an OpenTelemetry layer in the function (`store.rules.invocations.kind_of`).

A call within a call of the same service, with only local work of that between them, within its time and to the same
place (`store.places`) is the same call: an ORM's over its driver's, an SDK's over HTTP, one made by hand over an
instrumented one. Which of them counts, and whole, so that every unit is one row:

* the outer one, if a service answered just that;
* the inner ones, if they say as much of a place that is no mere host: five queries of one repository are five;
* the inner ones, if the outer one is to the caller's own machine: a sidecar makes them, under the service's name;
* the inner ones, if several requests are inside a mere request, and a service answered one of them: these are resent;
* else the outer one: an SDK that tries twice has made one call. What answered the inner ones answers it, and if it failed
  without a status, while the last of them was an error or throttled, so was it.

Nothing is one across services, nor is anything else of X-Ray's documents. A call that names nothing is as local work,
unless one segment answers it: then it is a request to that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from store.model import Document, Fetched, Independent, Kind, NodeKey, OwnedCall, State, Trace
from store.places import REMOTE, passes_on, rank, same_place

TOLERANCE = 1_000
"""Microseconds by which what is inside may begin earlier or end later: clocks are read one after the other."""
MAX_STEPS = 32
"""How many calls may nest that are one, and how much local work between two of them."""
ENCLOSING = (Kind.SERVER, Kind.CONSUMER)
"""Kinds of the spans of which a SERVER span may be a part."""
LEAVING = (Kind.CLIENT, Kind.PRODUCER)
"""Kinds of the spans of calls."""
MILD = (State.ERROR, State.THROTTLE)
"""States that say more than a fault without a status."""


def is_same_request(inner: Document, outer: Document) -> bool:
    """Whether a segment is the same request as the document that is its parent."""
    return (
        inner.kind is Kind.SERVER
        and outer.kind in ENCLOSING
        and outer.fetched is Fetched.NO
        and not (inner.independent or outer.independent)
        and inner.node.name == outer.node.name
        and inner.id != outer.id
        and inner.start >= outer.start - TOLERANCE
        and (outer.in_progress or inner.end <= outer.end + TOLERANCE)
    )


class OneCall(NamedTuple):
    """``calls``: those of a trace that count, by id; ``counted_as``: of the others, each as which."""

    calls: Mapping[int, OwnedCall]
    counted_as: Mapping[int, int]


def calls_once(trace: Trace, answered_by: Mapping[int, Collection[NodeKey]]) -> OneCall:
    """The calls of a trace, each once. ``answered_by``: the nodes that answered the calls with these ids."""
    inside = _inside(trace, answered_by)
    if not inside:
        return OneCall(trace.calls, {})
    joined = _Joined(trace, inside, answered_by)
    for id in inside:
        joined.join(id)
    counted_as = {id: joined.counting(id)[0] for id in joined.instead}
    calls = {**trace.calls, **joined.changed}
    return OneCall({id: calls[id] for id in calls if id not in counted_as}, counted_as)


def is_named(document: Document) -> bool:
    """Whether the span of a call does not say how it connects, so that its peer has a given name at most."""
    return document.independent >= Independent.OF_SENDER and not document.http.method


def state_of(own: State, status: int, last: State) -> State:
    """The state of a call, of which that is known, whose last request ended like this."""
    return last if last in MILD and own is State.FAULT and not status else own


def prefers_inner(outer: NodeKey, inner: NodeKey) -> bool:
    """Whether a call within another to the same place counts in place of that."""
    return 0 < rank(inner) >= rank(outer) or passes_on(outer, inner)


def is_within(inner: OwnedCall, outer: OwnedCall) -> bool:
    """Whether a call lies within the time of another."""
    if inner.call.start < outer.call.start - TOLERANCE:
        return False
    return not outer.call.state.ended or inner.call.end <= outer.call.end + TOLERANCE


class _Joined:
    """Calls of a trace that are one. ``instead``: of each that does not count, which do, or are counted as others;
    ``changed``: calls with the state of the requests inside them."""

    def __init__(
        self,
        trace: Trace,
        inside: Mapping[int, Sequence[int]],
        answered_by: Mapping[int, Collection[NodeKey]],
    ) -> None:
        self._trace = trace
        self._inside = inside
        self._answered = {id: {node.name for node in nodes} for id, nodes in answered_by.items()}
        self._seen: set[int] = set()
        self.instead: dict[int, list[int]] = {}
        self.changed: dict[int, OwnedCall] = {}

    def counting(self, id: int) -> list[int]:
        """The calls that count in place of one, the first first."""
        if id not in self.instead:
            return [id]
        return [one for each in self.instead[id] for one in self.counting(each)]

    def join(self, id: int) -> None:
        """Decide about a call and those inside it, these first."""
        if id in self._seen:
            return
        self._seen.add(id)
        for each in self._inside.get(id, ()):
            self.join(each)
        inner = self._of_one_place(id)
        better = self._better(id, inner)
        first = better[0] if better else id
        if better:
            self.instead[id] = better
        elif inner:
            self._take_state(id, inner)
        for each in {id, *inner} - {*better, first}:
            self.instead.setdefault(each, [first])
            self._answered.setdefault(first, set()).update(self._answered.get(each, ()))

    def _better(self, id: int, inner: list[int]) -> list[int]:
        """The inner calls that count in place of the outer one."""
        if self._answered.get(id):
            return []
        node = self._node(id)
        better = [each for each in inner if prefers_inner(node, self._node(each))]
        if better or rank(node) or len(inner) < 2:
            return better
        return inner if any(map(self._answered.get, inner)) else []

    def _take_state(self, id: int, inner: Iterable[int]) -> None:
        owned = self._trace.calls[id]
        requests = [self.changed.get(each, self._trace.calls[each]) for each in inner]
        last = max(requests, key=lambda each: (each.call.end, each.call.id)).call
        state = state_of(owned.call.state, owned.call.status, last.state)
        if state is not owned.call.state:
            self.changed[id] = replace(owned, call=replace(owned.call, state=state))

    def _of_one_place(self, id: int) -> list[int]:
        """The calls within one that lead where that does."""
        node, within = self._node(id), self._inside.get(id, ())
        named = is_named(self._trace.documents[self._trace.calls[id].document_id])
        counting = dict.fromkeys(one for each in within for one in self.counting(each))
        found = [each for each in counting if same_place(node, self._node(each), named=named)]
        if rank(node):
            return found
        sure = [each for each in found if self._node(each) == node or node.name in self._led(each)]
        if sure:
            return sure
        return found if len(set().union(*map(self._led, found))) < 2 else []

    def _led(self, id: int) -> set[str]:
        """By what names it is known where a call led."""
        return self._answered.get(id) or {self._node(id).name}

    def _node(self, id: int) -> NodeKey:
        node = self._trace.calls[id].call.node
        return node if node.name else NodeKey("", min(self._answered[id]), REMOTE)


def _inside(trace: Trace, answered_by: Mapping[int, Collection[NodeKey]]) -> dict[int, list[int]]:
    """The calls within calls of spans, by the nearest that is around them; each in the order of time."""
    around = {
        id: outer.call.id
        for id, owned in trace.calls.items()
        if (owned.call.node.name or len(answered_by.get(id, ())) == 1)
        and (outer := _around(owned, trace)) is not None
        and is_within(owned, outer)
    }
    found: dict[int, list[int]] = {}
    for id, outer_id in around.items():
        if _ends(id, around):
            found.setdefault(outer_id, []).append(id)
    for ids in found.values():
        ids.sort(key=lambda id: (trace.calls[id].call.start, id))
    return found


def _ends(id: int, around: Mapping[int, int]) -> bool:
    """Whether a call is in few others, rather than in a circle of them."""
    for _ in range(MAX_STEPS):
        if id not in around:
            return True
        id = around[id]
    return False


def _around(owned: OwnedCall, trace: Trace) -> OwnedCall | None:
    """The nearest call around a call, if only local work of their service is between them."""
    document = trace.documents.get(owned.document_id)
    if document is None or document.kind not in LEAVING:
        return None
    for _ in range(MAX_STEPS):
        if document is None or document.independent < Independent.OF_SENDER:
            return None
        if document.node.name != owned.node.name:
            return None
        outer = trace.calls.get(document.parent_id)
        if outer is not None and outer.call.node.name:
            return outer if _is_around(outer, owned, trace) else None
        document = trace.documents.get(document.parent_id)
    return None


def _is_around(outer: OwnedCall, inner: OwnedCall, trace: Trace) -> bool:
    document = trace.documents.get(outer.document_id)
    if document is None or document.kind not in LEAVING or outer.call.id == inner.call.id:
        return False
    return outer.owner is not None and outer.node.name == inner.node.name
