"""Queries to a store and their results: pages of traces, time series, error breakdowns.

`store.protocol` has the methods that take and return them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from store.filters.ast import Expression, Value
from store.filters.keywords import MEMBERS
from store.graph import Statistics
from store.grouped_units import Grouped
from store.model import Kind, NodeKey, State, TimeRange, Trace, confirmed, is_settled
from store.times import SECOND
from store.units import NodeUnit, Unit

Ends = tuple[NodeKey, NodeKey]
"""Source and target of an edge."""


class Axis(Enum):
    """The time of a trace that a window selects by (GetTraceSummaries' TimeRangeType)."""

    TRACE_ID = "TraceId"
    """The epoch in its id if plausible, else the earliest start it was given (`store.trace_id.trace_time`)."""
    EVENT = "Event"
    """The arrival of its latest document."""
    SERVICE = "Service"
    """The end of one of its segments."""


class TraceQuery(Struct, frozen=True):
    """A search for the traces of a window that satisfy a filter (`store.filters`); None: all."""

    window: TimeRange
    axis: Axis = Axis.TRACE_ID
    filter: Expression | None = None


class TraceHit(NamedTuple):
    """A matching trace: its id, and the time by which it lies in the window (microseconds)."""

    trace_id: bytes
    time: int


class Page(NamedTuple):
    """Matching traces, newest first.

    ``scanned`` counts the traces examined, matching or not: at least those found, less those that
    an index ruled out. ``cursor`` continues after the last hit; None on the last page. A page with
    a cursor may be short or empty if continuing the scan would have taken too long.
    ``traces``: those that were read whole on the way, without their links; ``linked``: whether any trace may have links.
    """

    found: list[TraceHit]
    scanned: int
    cursor: str | None
    traces: Mapping[bytes, Trace] = {}
    linked: bool = True


class UnitQuery(Struct, frozen=True):
    """A search for the units that the map counts: of the requests of some nodes, or their ``background`` work, or of
    the calls and links along some edges, that started in the window (any time without one).

    ``by``: only those with some values. ``states``: empty means any. ``label``: as in the error breakdown (`Failure`); None means any.
    ``link``: of edges, only links or only calls; None means both. ``settled_before``: as of
    `store.protocol.GraphReader.service_graph`.
    """

    window: TimeRange | None = None
    nodes: frozenset[NodeKey] = frozenset()
    edges: frozenset[tuple[NodeKey, NodeKey]] = frozenset()
    states: frozenset[State] = frozenset()
    label: str | None = None
    link: bool | None = None
    settled_before: int | None = None
    background: bool = False
    by: Grouped | None = None


class UnitTrace(NamedTuple):
    """A trace with matching units: how many, by weight, the worst of their states, and the position
    (microseconds) by which a page is sorted."""

    trace_id: bytes
    time: int
    units: int
    state: State


class UnitPage(NamedTuple):
    """Traces with matching units, those with the latest unit first; ``cursor`` and ``traces`` as in `Page`."""

    found: list[UnitTrace]
    cursor: str | None
    traces: Mapping[bytes, Trace] = {}


class EntryTime(NamedTuple):
    """A trace in a chart: its start, the response time of its entry (both microseconds), its state."""

    start: int
    time: int
    state: State


class SeenOperation(NamedTuple):
    """What a service did (`store.rules.operations`), by spans of which kind, and when one was last stored (microseconds,
    to the hour)."""

    name: str
    kind: Kind
    seen: int


class ValueCount(NamedTuple):
    """A value that occurs, and in how many traces (of at most `MAX_COUNTED_DOCUMENTS` documents)."""

    value: Value
    traces: int


VALUE_FIELDS = (
    "http.url",
    "http.method",
    "http.status",
    "http.useragent",
    "http.clientip",
    *MEMBERS,
    "operation",
)
"""Keywords whose values are listed."""
MAX_COUNTED_DOCUMENTS = 500_000
"""Documents that counting values reads at most: enough to rank them."""


class TimeBucket(NamedTuple):
    """One step of a time series: its start (microseconds) and the statistics of the units in it."""

    start: int
    statistics: Statistics


USUAL_WAIT = 10 * SECOND
"""Microseconds that documents may wait to be counted while data arrives."""


class Backlog(NamedTuple):
    """Documents of a window that are stored and not counted yet: in how many of its minutes they began, the start
    of the first such bucket, and since when the longest waiting of them have been stored (microseconds)."""

    minutes: int
    start: int
    since: int


def settled_behind(settled_before: int, waited: int) -> int:
    """``settled_before`` (`store.protocol.GraphReader.service_graph`) while documents have waited so long, to be stored
    or to be counted (microseconds): what is missing may be among them."""
    return settled_before - max(0, waited - USUAL_WAIT)


class VersionStatistics(Struct, frozen=True, gc=False):
    """The segments that one version of some nodes reported: when the first and the last began
    (microseconds), and their statistics."""

    first: int
    last: int
    statistics: Statistics


MOST_VERSIONS = 50
"""Versions counted one by one, those with the most segments; the others are `OTHER_VERSIONS`."""
OTHER_VERSIONS = "(other versions)"


MOST_LISTED_OPERATIONS = 50
"""Operations of a node that are counted one by one, those with the most units."""


class Entities(Struct, frozen=True):
    """The requests of nodes, edges of calls, edges of links, and the background work of nodes, as keys of a service
    graph. ``entries``: all calls of clients, whomever they call."""

    nodes: frozenset[NodeKey] = frozenset()
    edges: frozenset[tuple[NodeKey, NodeKey]] = frozenset()
    links: frozenset[tuple[NodeKey, NodeKey]] = frozenset()
    background: frozenset[NodeKey] = frozenset()
    entries: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not (self.nodes or self.edges or self.links or self.background or self.entries)

    def have(self, unit: Unit, settled_before: int | None) -> bool:
        """Whether a unit is one of theirs; ``settled_before`` as in `store.protocol.GraphReader.service_graph`."""
        if isinstance(unit, NodeUnit):
            return unit.node in (self.background if unit.background else self.nodes)
        pair = confirmed(unit.source), unit.target
        known = self.links if unit.link else self.edges
        enters = self.entries and not unit.link and unit.source.is_client
        return (enters or pair in known) and is_settled(unit.source, settled_before)


class Failure(Struct, frozen=True):
    """A row of an error breakdown: ``label`` is an exception's type or ``HTTP 503``; of an ok one, that nothing says how
    the units ended."""

    label: str
    state: State
    count: int


MAX_FILTERED_TRACES = 50_000
"""Traces that are read to count those of a filter."""
MAX_GROUPED_TRACES = 20_000
"""Traces that are read to count a grouped map."""
MOST_SELECTED_TRACES = 5_000
"""Traces whose map is drawn, or whose log lines are read, because they satisfy a filter: the newest."""


def failures_by_frequency(counts: Mapping[str, int]) -> list[Failure]:
    """Rows of an error breakdown, most frequent first, then by label and state; ``counts``: as
    `store.graph.ServiceStats.failures`."""
    failures = []
    for key, count in counts.items():
        state, _, label = key.partition(":")
        failures.append(Failure(label, State(int(state)), count))
    return sorted(failures, key=lambda failure: (-failure.count, failure.label, failure.state))
