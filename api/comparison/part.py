"""What is counted of one side of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from api.comparison.sums import Counted
from store.graph import ServiceGraph
from store.minutes import Series
from store.model import NodeKey


class Part(NamedTuple):
    """The graph of one side of a window and its minutes, the same as the other side's, of which ``minutes`` have requests.

    ``own``: by node, what it is on the map, where the nodes of this side are called as those of the other one.
    """

    graph: ServiceGraph
    counted: Counted
    series: Mapping[int, Series]
    minutes: int
    own: Mapping[NodeKey, NodeKey] = {}
