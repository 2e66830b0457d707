"""Layouts that stay: a node once placed keeps its place, so that all viewers and reloads see one picture.

A graph that is known is drawn as before; newcomers are placed into it, beside their neighbours, where
there is room. The layout is computed anew when most of a graph is new, when that is requested, or when
no viewer was there for a while. Places of nodes that are gone stay reserved: they often come back.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import networkx as nx

from api.graph.layout import COLUMN, NODE, PART_GAP, ROW, Layout, Place, Point, layout
from api.graph.shared_layouts import SharedLayout, decode, encode

log = logging.getLogger("raymap.api")

FORGET_SECONDS = 600.0
"""After so long without a viewer the next one gets a fresh layout; and so long after a node was last
drawn its place is free."""
KNOWN_SHARE = 0.5
"""Of a graph's nodes: with fewer known ones it is laid out anew."""
MAX_ARRANGEMENTS = 64
MAX_TRIES = 4
"""Times that a layout is computed anew because another process stored one in the meantime."""
MAX_RINGS = 120
"""How many half rows away from the wanted place a free one is looked for; a column is as far as four."""


LayOut: TypeAlias = Callable[[nx.DiGraph], Layout[Any]]


class Arranged(NamedTuple):
    """A layout, and how many of its nodes were placed into it after it was computed."""

    layout: Layout[Any]
    newcomers: int


@dataclass
class Arrangement:
    """What is remembered of one map."""

    places: dict[Hashable, Place] = field(default_factory=dict)
    drawn: dict[Hashable, float] = field(default_factory=dict)
    bends: dict[tuple[Any, Any], list[Point]] = field(default_factory=dict)
    back: set[tuple[Any, Any]] = field(default_factory=set)
    newcomers: set[Hashable] = field(default_factory=set)
    viewed: float = 0.0


class Arrangements:
    """The layouts of a server's maps by name. Thread-safe; lives as long as the process, those in
    ``shared`` as long as the store."""

    def __init__(self, shared: Mapping[str, SharedLayout] | None = None) -> None:
        self._known: OrderedDict[str, Arrangement] = OrderedDict()
        self._shared = shared or {}
        self._lock = threading.Lock()

    def arrange(
        self,
        name: str,
        graph: nx.DiGraph,
        now: float,
        *,
        partial: bool = False,
        lay_out: LayOut = layout,
    ) -> Arranged:
        """The layout of a map as it is now (epoch seconds); of a part of it, in the places of the
        whole and without a trace in it. ``lay_out`` places what is not known."""
        with self._lock:
            self._receive(name, now)
            if partial:
                return _part_of(self._known.get(name), graph, lay_out)
            for _ in range(MAX_TRIES):
                arrangement, moved = self._arranged(name, graph, now, lay_out)
                if self._publish(name, arrangement, now, moved=moved):
                    break
                self._receive(name, now, at_once=True)
            return _drawn(arrangement, graph)

    def reset(self, name: str, now: float) -> None:
        """Lay a map out anew when it is next viewed."""
        with self._lock:
            self._known.pop(name, None)
            if (shared := self._shared.get(name)) is None:
                return
            for _ in range(MAX_TRIES):
                shared.news(now, at_once=True)
                if shared.save(b"", now):
                    break

    def _arranged(
        self, name: str, graph: nx.DiGraph, now: float, lay_out: LayOut
    ) -> tuple[Arrangement, bool]:
        """The arrangement with all nodes of a graph, and whether anything in it moved."""
        arrangement = self._known.get(name)
        if arrangement is None or not _is_current(arrangement, graph, now):
            arrangement, moved = _fresh(lay_out(graph)), True
        else:
            moved = _forget(arrangement, graph, now)
            moved = _place_newcomers(arrangement, graph, lay_out) or moved
        arrangement.viewed = now
        arrangement.drawn.update(dict.fromkeys(graph, now))
        self._known[name] = arrangement
        self._known.move_to_end(name)
        while len(self._known) > MAX_ARRANGEMENTS:
            self._known.popitem(last=False)
        return arrangement, moved

    def _receive(self, name: str, now: float, *, at_once: bool = False) -> None:
        """Take over what another process arranged."""
        shared = self._shared.get(name)
        value = shared.news(now, at_once=at_once) if shared else None
        if value is None:
            return
        try:
            found = decode(value, Arrangement)
        except ValueError:
            log.warning("a stored layout cannot be read", extra={"map": name})
            return
        if found is None:
            self._known.pop(name, None)
        else:
            self._known[name] = found

    def _publish(self, name: str, arrangement: Arrangement, now: float, *, moved: bool) -> bool:
        """Let the other processes know what moved; False if one of them was first."""
        shared = self._shared.get(name)
        if shared is None or not (moved or shared.is_due(now)):
            return True
        return shared.save(encode(arrangement), now)


def _part_of(whole: Arrangement | None, graph: nx.DiGraph, lay_out: LayOut) -> Arranged:
    """A filtered map: what the whole does not know, such as a client of it, is placed beside it."""
    if whole is None or not any(node in whole.places for node in graph):
        return Arranged(lay_out(graph), 0)
    part = replace(whole, places=dict(whole.places), newcomers=set(whole.newcomers))
    _place_newcomers(part, graph, lay_out)
    return _drawn(part, graph)._replace(newcomers=0)


def _is_current(arrangement: Arrangement, graph: nx.DiGraph, now: float) -> bool:
    if now - arrangement.viewed > FORGET_SECONDS:
        return False
    known = sum(node in arrangement.places for node in graph)
    return known >= KNOWN_SHARE * len(graph)


def _fresh(found: Layout[Any]) -> Arrangement:
    return Arrangement(dict(found.places), {}, dict(found.bends), set(found.back))


def _forget(arrangement: Arrangement, graph: nx.DiGraph, now: float) -> bool:
    """Free the places of nodes that were not drawn for long, unless they are back; whether any is."""
    old = [
        node
        for node, drawn in arrangement.drawn.items()
        if now - drawn > FORGET_SECONDS and node not in graph
    ]
    for node in old:
        del arrangement.drawn[node]
        arrangement.places.pop(node, None)
        arrangement.newcomers.discard(node)
    return bool(old)


def _place_newcomers(arrangement: Arrangement, graph: nx.DiGraph, lay_out: LayOut) -> bool:
    """Place nodes that are not known, those with known neighbours first; whether there are any."""
    waiting = {node for node in graph if node not in arrangement.places}
    if not waiting:
        return False
    room = _Room(arrangement.places.values())
    wanted = lay_out(graph).places
    while waiting:
        near = [node for node in sorted(waiting) if _anchor(arrangement, graph, node) is not None]
        for node in near or sorted(waiting):
            place = room.nearest(_wanted(arrangement, graph, node, wanted, room))
            arrangement.places[node] = place
            room.take(place)
            arrangement.newcomers.add(node)
            waiting.discard(node)
    return True


def _anchor(arrangement: Arrangement, graph: nx.DiGraph, node: Any) -> Any:
    """A known neighbour: a caller if there is one."""
    for around in (graph.predecessors(node), graph.successors(node)):
        known = [other for other in around if other != node and other in arrangement.places]
        if known:
            return min(known)
    return None


def _wanted(
    arrangement: Arrangement,
    graph: nx.DiGraph,
    node: Any,
    fresh: dict[Any, Place],
    room: _Room,
) -> Place:
    """Where a fresh layout has the node relative to a known neighbour; without one, below everything."""
    anchor = _anchor(arrangement, graph, node)
    if anchor is None:
        return Place(room.left, room.floor + NODE.above + NODE.below + PART_GAP, fresh[node].rank)
    there = arrangement.places[anchor]
    right = max(-2.0, min(2.0, (fresh[node].x - fresh[anchor].x) / COLUMN)) * COLUMN
    down = max(-4.0, min(4.0, (fresh[node].y - fresh[anchor].y) / ROW)) * ROW
    return Place(round(there.x + right), round(there.y + down), fresh[node].rank)


class _Room:
    """The area that nodes take up, by cells of a column and a row."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._cells: dict[tuple[int, int], list[Place]] = {}
        self.left, self.floor = COLUMN / 2, 0.0
        for place in places:
            self.take(place)

    def take(self, place: Place) -> None:
        """Take up the area around a place."""
        self._cells.setdefault(self._cell(place), []).append(place)
        self.left = min(self.left, place.x)
        self.floor = max(self.floor, place.y)

    def nearest(self, wanted: Place) -> Place:
        """The nearest free place: down or up in its column, then in those beside it."""
        for x, y in _around():
            place = wanted._replace(x=wanted.x + x * COLUMN, y=wanted.y + y * ROW / 2)
            if self._is_free(place):
                return place
        return wanted._replace(y=self.floor + ROW)

    def _is_free(self, place: Place) -> bool:
        column, row = self._cell(place)
        return not any(
            abs(other.x - place.x) < COLUMN * 0.8 and abs(other.y - place.y) < ROW * 0.9
            for x in (column - 1, column, column + 1)
            for y in (row - 1, row, row + 1)
            for other in self._cells.get((x, y), ())
        )

    @staticmethod
    def _cell(place: Place) -> tuple[int, int]:
        return int(place.x // COLUMN), int(place.y // ROW)


def _around() -> Iterator[tuple[int, int]]:
    """Steps of columns and half rows, in order of distance."""
    for ring in range(MAX_RINGS):
        for column in range(ring // 4 + 1):
            row = ring - 4 * column
            for x in sorted({column, -column}, reverse=True):
                for y in sorted({row, -row}, reverse=True):
                    yield x, y


def _drawn(arrangement: Arrangement, graph: nx.DiGraph) -> Arranged:
    """The layout of the graph; an edge that came later is drawn straight, and backward if it leads left."""
    places = {node: arrangement.places[node] for node in graph}
    later = [edge for edge in graph.edges if set(edge) & arrangement.newcomers]
    back = {edge for edge in graph.edges if edge in arrangement.back}
    back |= {(v, w) for v, w in later if places[w].x < places[v].x}
    bends = {edge: arrangement.bends[edge] for edge in graph.edges if edge in arrangement.bends}
    newcomers = sum(node in arrangement.newcomers for node in graph)
    return Arranged(Layout(places, bends, back), newcomers)
