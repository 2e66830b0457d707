"""The service graph of a window: its nodes and edges with their statistics.

Times are integer microseconds since the epoch, durations integer microseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from operator import attrgetter

from msgspec import Struct, field

from store.model import NodeKey
from store.rules import histogram
from store.rules.classify import UNKNOWN
from store.rules.invocations import SERVICE


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
    add_counts(into, more)
    histogram.add(into.histogram, more.histogram)


def sum_of_statistics(one: Statistics, more: Statistics) -> Statistics:
    """Both together; neither is modified, as they may be shared."""
    found = copy(one)
    found.histogram = dict(one.histogram)
    add_statistics(found, more)
    return found


def add_counts(into: Statistics, more: Statistics) -> None:
    """Add counts and times, without the histogram, which takes most of the work."""
    into.ok += more.ok
    into.error += more.error
    into.throttle += more.throttle
    into.fault += more.fault
    into.in_progress += more.in_progress
    into.observed += more.observed
    into.total_time += more.total_time


_COUNTS = attrgetter("ok", "error", "throttle", "fault", "in_progress", "total_time", "observed")


def total_counts(every: Iterable[Statistics]) -> Statistics:
    """As `add_counts` of all, in a fifth of the time (measured)."""
    sums = list(map(sum, zip(*map(_COUNTS, every), strict=True))) or [0] * 7
    ok, error, throttle, fault, in_progress, total_time, observed = sums
    return Statistics(ok, error, throttle, fault, in_progress, total_time, {}, observed)


def total_statistics(every: Collection[Statistics]) -> Statistics:
    """As `add_statistics` of all."""
    total = total_counts(every)
    total.histogram = histogram.total(each.histogram for each in every)
    return total


def add_failures(into: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts of failures."""
    for key, count in more.items():
        into[key] = into.get(key, 0) + count


class Work(Struct, gc=False):
    """The requests of a node, or its background work, over a window.

    ``trace_minutes``: distinct (minute, trace) pairs of these units, so traces per minute = trace_minutes /
    minutes. A pair counts as often as its lightest unit weighs: spans of one trace may be sampled
    differently, and the trace represents no more others than the span with the highest sampling
    probability. ``durations`` is the histogram of whole durations, work after the response
    included. ``failures``: how many of the units ended how, by `store.rules.classify.failure_key`; ``UNKNOWN`` of
    it are among the ok ones.
    """

    statistics: Statistics = field(default_factory=Statistics)
    trace_minutes: int = 0
    durations: dict[int, int] = {}
    failures: dict[str, int] = {}

    @property
    def is_empty(self) -> bool:
        """Whether it has no units, not even ones in progress."""
        return self.statistics.observed == 0


NO_WORK = Work()
"""In place of work without units. Not to be modified."""


def sum_of_work(one: Work, more: Work) -> Work:
    """Both together; neither is modified, as they may be shared. A minute of a trace in both counts twice."""
    if more.is_empty:
        return one
    if one.is_empty:
        return more
    durations, failures = dict(one.durations), dict(one.failures)
    histogram.add(durations, more.durations)
    add_failures(failures, more.failures)
    statistics = sum_of_statistics(one.statistics, more.statistics)
    return Work(statistics, one.trace_minutes + more.trace_minutes, durations, failures)


class ServiceStats(Struct, gc=False):
    """A node of the map over a window.

    ``joined``: keys of other nodes whose units it has, too (`store.rules.joins`).
    ``active``: some unit reported itself (otherwise the node is inferred). ``root``: some unit is a
    root. ``requests`` and ``background``: its units, apart (`store.draw`). ``folded``: of `OTHER_NAMES`, how many
    nodes the window has in excess (`store.graph_names`); their units are counted, but ``keys`` lacks them.
    ``bare``: the name without its namespace, if this graph has no other node of that (`store.rules.namespaces`).
    """

    key: NodeKey
    names: frozenset[str]
    active: bool
    root: bool
    start: int
    end: int
    requests: Work = field(default_factory=Work)
    background: Work = field(default_factory=Work)
    joined: frozenset[NodeKey] = frozenset()
    folded: int = 0
    bare: str = ""

    @property
    def shown(self) -> str:
        """What it is called in this graph."""
        return self.bare or self.key.name

    @property
    def keys(self) -> frozenset[NodeKey]:
        """The keys of its units; of a node of a grouped map (`store.grouped_graph`) without their values."""
        return self.joined if len(self.key) > len(NodeKey._fields) else self.joined | {self.key}

    @property
    def is_background(self) -> bool:
        """Whether it has background work and no requests."""
        return self.ring is self.background

    @property
    def ring(self) -> Work:
        """What the map shows of it: its requests, or its background work if it has no requests."""
        requests = self.requests
        if requests.statistics.observed:
            return requests
        background = self.background
        return background if background.statistics.observed else requests

    @property
    def statistics(self) -> Statistics:
        """Those of its ring."""
        return self.ring.statistics

    @property
    def trace_minutes(self) -> int:
        """Those of its ring."""
        return self.ring.trace_minutes

    @property
    def durations(self) -> dict[int, int]:
        """Those of its ring."""
        return self.ring.durations

    @property
    def failures(self) -> dict[str, int]:
        """Those of its ring."""
        return self.ring.failures

    @property
    def unknown(self) -> int:
        """How many of its ok units may have failed: nothing says how they ended. Of a function that is known by its callers
        alone these are all: Lambda answers 200 also for one that raised, and 202 before it begins."""
        if not self.active and self.key.type == SERVICE:
            return self.statistics.ok
        return self.failures.get(UNKNOWN, 0)


class EdgeStats(Struct, gc=False):
    """A caller's view of its calls to one node over a window. ``aliases``: names it used; ``failures``: as of a
    node.

    The units of a ``link`` edge are received events, classified by the receiver's outcome; their
    times are ages: from the end of the sender's work to the receipt. ``awaiting``: how many of the units lead to roots
    that name a parent, or a cause, which has not come, or to a function whose event has not.
    """

    source: NodeKey
    target: NodeKey
    aliases: frozenset[str]
    start: int
    end: int
    statistics: Statistics
    link: bool = False
    failures: dict[str, int] = {}
    awaiting: int = 0

    @property
    def unknown(self) -> int:
        """How many of its ok units may have failed, where it has the figures of what it leads to."""
        return self.failures.get(UNKNOWN, 0)


def merge_edge(into: EdgeStats, more: EdgeStats) -> None:
    """Add the calls of one edge to another; figures of both may be shared."""
    into.aliases |= more.aliases
    into.start, into.end = min(into.start, more.start), max(into.end, more.end)
    into.statistics = sum_of_statistics(into.statistics, more.statistics)
    into.failures = dict(into.failures)
    add_failures(into.failures, more.failures)
    into.awaiting += more.awaiting


class ServiceGraph(Struct, gc=False):
    """Services and edges over a window; both ends of every edge are among the services.

    ``links`` are edges between traces, apart from ``edges``: a pair of nodes may have both.
    """

    services: dict[NodeKey, ServiceStats]
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats]
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
