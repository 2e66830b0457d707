"""Layouts in the store: what one API process arranged, the others draw."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable
from typing import Any

import msgspec
from msgspec import Struct

from api.graph.layout import Place, Point
from store.config.protocol import LayoutStore
from store.model import NodeKey

READ_SECONDS = 1.0
"""For so long a layout that was read counts as the newest: a map is viewed every few seconds."""
SAVE_SECONDS = 240.0
"""After so long a layout that is viewed is stored again even if nothing moved, so that the other
processes know which nodes are still drawn; less than half of `arrangement.FORGET_SECONDS`."""
MAX_BYTES = 16 << 20


class Record(Struct):
    """An arrangement as it is stored; nodes are named by their position in ``nodes``."""

    nodes: list[NodeKey]
    places: dict[int, Place]
    drawn: dict[int, float]
    bends: list[tuple[int, int, list[Point]]]
    back: list[tuple[int, int]]
    newcomers: list[int]
    viewed: float


def encode(arrangement: Any) -> bytes:
    """An arrangement (`api.graph.arrangement.Arrangement`) of `NodeKey`s."""
    edges = {*arrangement.bends, *arrangement.back}
    ends = {node for edge in edges for node in edge}
    nodes = sorted({*arrangement.places, *arrangement.drawn, *arrangement.newcomers, *ends})
    number = {node: at for at, node in enumerate(nodes)}
    record = Record(
        nodes,
        {number[node]: place for node, place in arrangement.places.items()},
        {number[node]: at for node, at in arrangement.drawn.items()},
        [(number[v], number[w], points) for (v, w), points in arrangement.bends.items()],
        [(number[v], number[w]) for v, w in arrangement.back],
        [number[node] for node in arrangement.newcomers],
        arrangement.viewed,
    )
    return zlib.compress(msgspec.json.encode(record))


def decode(value: bytes, make: Callable[..., Any]) -> Any:
    """The arrangement that ``make`` builds of what was stored; None for an empty value: the map is
    to be laid out anew. Raises ValueError for anything else."""
    if not value:
        return None
    try:
        unpacker = zlib.decompressobj()
        record = msgspec.json.decode(unpacker.decompress(value, MAX_BYTES), type=Record)
        node: dict[int, Hashable] = dict(enumerate(record.nodes))
        return make(
            places={node[at]: place for at, place in record.places.items()},
            drawn={node[at]: drawn for at, drawn in record.drawn.items()},
            bends={(node[v], node[w]): points for v, w, points in record.bends},
            back={(node[v], node[w]) for v, w in record.back},
            newcomers={node[at] for at in record.newcomers},
            viewed=record.viewed,
        )
    except (zlib.error, msgspec.DecodeError, KeyError) as error:
        raise ValueError(f"the stored layout is not one: {error}") from error


class SharedLayout:
    """The stored layout of one map: its newest revision, read once a second at most."""

    def __init__(self, store: LayoutStore, name: str) -> None:
        self._store = store
        self._name = name
        self._revision = 0
        self._read_at = float("-inf")
        self._saved_at = float("-inf")

    def news(self, now: float, *, at_once: bool = False) -> bytes | None:
        """What another process has stored since the last call; None if nothing."""
        if not at_once and now - self._read_at < READ_SECONDS:
            return None
        self._read_at = now
        found = self._store.read_layout(self._name)
        if found is None or found.revision == self._revision:
            return None
        self._revision = found.revision
        self._saved_at = now
        return found.value

    def is_due(self, now: float) -> bool:
        """Whether it is to be stored although nothing moved."""
        return now - self._saved_at > SAVE_SECONDS

    def save(self, value: bytes, now: float) -> bool:
        """Store a layout; False if another process was first, whose layout is `news` then."""
        if not self._store.write_layout(self._name, value, after=self._revision):
            return False
        self._revision += 1
        self._saved_at = now
        return True
