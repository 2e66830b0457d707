"""The graph that the delivered documents must produce (docs/xray-format.md §4.3, §5.2-5.6).

Derived from what the generator meant: every thing knows its parent as an object, so nothing here
matches ids, and nothing is shared with the code under test but the words for keys and states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from bench.recall.scenario import Call, Join, Letter, Thing, Work
from store.model import NodeKey, State, TimeRange

EdgeKey: TypeAlias = tuple[NodeKey, NodeKey, bool]
"""Source, target, and whether it is a link between traces."""
STATES = len(State)
PLACED_BY_CALLER = ("dynamodb", "lambda", "secretsmanager")
"""Kinds of calls that lead to an AWS resource of which neither ARN nor URL says the account."""


Key = TypeVar("Key")


class Unit(NamedTuple, Generic[Key]):
    """One unit of a node or an edge; ``time`` is 0 in progress, and unknown (0) of links."""

    key: Key
    state: State
    start: int
    time: int


class Counts:
    """Units by state, and the time of the finished ones (microseconds)."""

    __slots__ = ("by_state", "time")

    def __init__(self) -> None:
        self.by_state = [0] * STATES
        self.time = 0

    def add(self, state: State, time: int) -> None:
        self.by_state[state] += 1
        self.time += time


class Graph(NamedTuple):
    """What the map has to show of a window."""

    nodes: dict[NodeKey, Counts]
    edges: dict[EdgeKey, Counts]


class Truth:
    """What is known once these letters have arrived; each may be given several times."""

    def __init__(self, letters: Iterable[Letter], joins: Iterable[Join]) -> None:
        self._finished: dict[Thing, bool] = {}
        self._embedded: set[Thing] = set()
        self._below: dict[Thing, Thing] = {}
        self._answers: dict[Call, list[Work]] = {}
        for letter in letters:
            self._read(letter)
        for thing in self._finished:
            if isinstance(thing, Work) and isinstance(thing.parent, Call):
                self._answers.setdefault(thing.parent, []).append(thing)
        self.nodes: list[Unit[NodeKey]] = []
        self.edges: list[Unit[EdgeKey]] = []
        joins = list(joins)
        caused = {
            join.receiver
            for join in joins
            if (join.reported_by_receiver and join.source in self._finished)
            or (join.reported_by_sender and join.sender in self._finished)
        }
        for thing in self._finished:
            if isinstance(thing, Work):
                self.nodes.append(self._unit(thing.node, thing))
                if thing not in caused or thing.parent is not None:
                    self.edges += self._edge_of_work(thing)
            elif isinstance(thing, Call):
                self._count_call(thing)
        self.edges += [unit for join in joins for unit in self._join(join)]

    def _read(self, letter: Letter) -> None:
        first = letter.shows[0][0]
        for thing, finished in letter.shows:
            self._finished[thing] = finished or self._finished.get(thing, False)
            if letter.below is None:
                self._embedded.add(thing)
            else:
                self._below[thing] = letter.below if thing is first else first

    def _state(self, thing: Work | Call) -> State:
        return thing.state if self._finished[thing] else State.IN_PROGRESS

    def _unit(self, key: Key, thing: Work | Call) -> Unit[Key]:
        state = self._state(thing)
        return Unit(key, state, thing.start, thing.end - thing.start if state else 0)

    def _owner(self, thing: Thing | None) -> Work | None:
        """The work a thing belongs to, as far as what arrived can tell."""
        while thing is not None and thing not in self._embedded:
            thing = self._below.get(thing)
        if thing is None or isinstance(thing, Work):
            return thing
        return thing.work

    def _edge_of_work(self, work: Work) -> Iterator[Unit[EdgeKey]]:
        """The edge with its own figures: from its client, or from a parent that is no call."""
        parent = work.parent
        if parent is None or parent not in self._finished:
            client = NodeKey("", work.node.name, "client")
            yield self._unit((client, work.node, False), work)
        elif not isinstance(parent, Call):
            owner = self._owner(parent)
            if owner is not None:
                yield self._unit((owner.node, work.node, False), work)

    def _count_call(self, call: Call) -> None:
        owner = self._owner(call)
        targets = {answer.node for answer in self._answers.get(call, ())}
        if not targets:
            target = call.leads_to
            if owner is None and call.kind in PLACED_BY_CALLER:
                target = target._replace(account="")
            self.nodes.append(self._unit(target, call))
            targets = {target}
        if owner is not None:
            self.edges += [self._unit((owner.node, target, False), call) for target in targets]

    def _join(self, join: Join) -> Iterator[Unit[EdgeKey]]:
        """The receiver's word when it gives one, else the sender's."""
        source, sender, receiver = join.source, join.sender, join.receiver
        if receiver not in self._finished:
            return
        if join.reported_by_receiver:
            node, known = source.node if isinstance(source, Work) else source.leads_to, source
            teller = receiver
        else:
            node, known, teller = sender.node, sender, sender
        if known not in self._finished or not (
            join.reported_by_receiver or join.reported_by_sender
        ):
            return
        yield Unit((node, receiver.node, True), self._state(teller), teller.start, 0)

    def graph(self, window: TimeRange) -> Graph:
        """The units that started in the window, counted; every end of an edge is a node."""
        nodes = [unit for unit in self.nodes if unit.start in window]
        edges = [unit for unit in self.edges if unit.start in window]
        works = [thing for thing in self._finished if isinstance(thing, Work)]
        same = _joined(nodes, {work.node for work in works if work.start in window})
        graph = Graph(
            _count(unit._replace(key=same.get(unit.key, unit.key)) for unit in nodes),
            _count(unit._replace(key=_ends(unit.key, same)) for unit in edges),
        )
        for source, target, _ in graph.edges:
            graph.nodes.setdefault(source, Counts())
            graph.nodes.setdefault(target, Counts())
        return graph

    def answered(self) -> dict[Call, list[Work]]:
        """The calls that arrived, with the work that answered them."""
        return {call: works for call, works in self._answers.items() if call in self._finished}


def _joined(units: Iterable[Unit[NodeKey]], reported: set[NodeKey]) -> dict[NodeKey, NodeKey]:
    """The inferred nodes without an account that are another one: there is one of that name alone with an account."""
    nodes = {unit.key for unit in units}
    placed: dict[NodeKey, list[NodeKey]] = {}
    for node in nodes:
        if node.account:
            placed.setdefault(node._replace(account=""), []).append(node)
    return {
        node: placed[node][0]
        for node in nodes - reported
        if len(placed.get(node, ())) == 1 and node.region
    }


def _ends(key: EdgeKey, same: dict[NodeKey, NodeKey]) -> EdgeKey:
    source, target, link = key
    return same.get(source, source), same.get(target, target), link


def _count(units: Iterable[Unit[Key]]) -> dict[Key, Counts]:
    counts: dict[Key, Counts] = {}
    for unit in units:
        counts.setdefault(unit.key, Counts()).add(unit.state, unit.time)
    return counts
