"""The service graph of a window: its nodes and edges with their statistics.

Times are integer microseconds since the epoch, durations integer microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from store.model import NodeKey
from store.rules import histogram


class Statistics(Struct, gc=False):
    """Counts of units by state, total time of the complete ones, and a histogram of their times.

    ``histogram`` maps `store.rules.histogram.bucket` of a time to a count. Units count by weight;
    ``observed`` is the number of units themselves, in progress ones included. If it is smaller than
    the counts, these are estimates. Additive: merging in any order gives the same sum.
    """

    ok: int = 0
    error: int = 0
    throttle: int = 0
    fault: int = 0
    in_progress: int = 0
    total_time: int = 0
    histogram: dict[int, int] = {}
    observed: int = 0

    @property
    def total(self) -> int:
        """Complete units."""
        return self.ok + self.error + self.throttle + self.fault


def add_statistics(into: Statistics, more: Statistics) -> None:
    """Add counts, times and histogram."""
    into.ok += more.ok
    into.error += more.error
    into.throttle += more.throttle
    into.fault += more.fault
    into.in_progress += more.in_progress
    into.observed += more.observed
    into.total_time += more.total_time
    histogram.add(into.histogram, more.histogram)


def add_failures(into: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts of failures."""
    for key, count in more.items():
        into[key] = into.get(key, 0) + count


class ServiceStats(Struct, gc=False):
    """A node of the map over a window.

    ``joined``: keys of other nodes whose units it has, too (`store.rules.joins`).
    ``active``: some unit reported itself (otherwise the node is inferred). ``root``: some unit is a
    root. ``trace_minutes``: distinct (minute, trace) pairs, so traces per minute = trace_minutes /
    minutes. A pair counts as often as its lightest unit weighs: spans of one trace may be sampled
    differently, and the trace represents no more others than the span with the highest sampling
    probability. ``durations`` is the histogram of whole durations, work after the response
    included. ``folded``: of `OTHER_NAMES`, how many nodes the window has in excess
    (`store.graph_names`); their units are counted, but ``keys`` lacks them. ``failures``: how many of
    its units ended how, by `store.rules.classify.failure_key`.
    """

    key: NodeKey
    names: frozenset[str]
    active: bool
    root: bool
    start: int
    end: int
    trace_minutes: int
    statistics: Statistics
    durations: dict[int, int]
    joined: frozenset[NodeKey] = frozenset()
    folded: int = 0
    failures: dict[str, int] = {}

    @property
    def keys(self) -> frozenset[NodeKey]:
        """The keys of its units."""
        return self.joined | {self.key}


class EdgeStats(Struct, gc=False):
    """A caller's view of its calls to one node over a window. ``aliases``: names it used; ``failures``: as of a
    node.

    The units of a ``link`` edge are received events, classified by the receiver's outcome; their
    times are ages: from the end of the sender's work to the receipt.
    """

    source: NodeKey
    target: NodeKey
    aliases: frozenset[str]
    start: int
    end: int
    statistics: Statistics
    link: bool = False
    failures: dict[str, int] = {}


class ServiceGraph(Struct, gc=False):
    """Services and edges over a window; both ends of every edge are among the services.

    ``links`` are edges between traces, apart from ``edges``: a pair of nodes may have both.
    """

    services: dict[NodeKey, ServiceStats]
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats]
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
