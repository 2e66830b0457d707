"""What a keeper of traces promises. `store.memory` keeps it in plain Python and is the truth that
`store.clickhouse` is held to by tests/store/contract.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from msgspec import Struct

from store.model import Document, NodeKey, ServiceGraph, State, Statistics, TimeRange, Trace


class StoreError(Exception):
    """Something the store could not do; the message is the keeper's own."""


class StoreAway(StoreError):
    """The database cannot be reached now; the same call may work later."""


class BadCursor(StoreError):
    """A page token this store did not give."""


class Axis(Enum):
    """Which time of a trace a window is about (GetTraceSummaries' TimeRangeType)."""

    TRACE_ID = "TraceId"
    """The epoch in its id when plausible, else its earliest start (`store.trace_id.trace_time`)."""
    EVENT = "Event"
    """The last arrival of one of its documents."""
    SERVICE = "Service"
    """The end of one of its segments."""


class TraceQuery(Struct, frozen=True):
    """Which traces to find. ``node``: they touched it; ``edge``: they made such a call.

    ``states``: of the entry segment (see `store.summary.entry_of`); empty means any.
    """

    window: TimeRange
    axis: Axis = Axis.TRACE_ID
    node: NodeKey | None = None
    edge: tuple[NodeKey, NodeKey] | None = None
    states: frozenset[State] = frozenset()


class Found(NamedTuple):
    """One found trace: its id, and the time that put it into the window (microseconds)."""

    trace_id: bytes
    time: int


class Page(NamedTuple):
    """Found traces, newest first; ``scanned`` counts those looked at, matching or not.

    ``cursor`` continues behind the last one; None on the last page.
    """

    found: list[Found]
    scanned: int
    cursor: str | None


class Slice(NamedTuple):
    """One step of a time series: its start (microseconds) and what ended in it."""

    start: int
    statistics: Statistics


class Failure(Struct, frozen=True):
    """One row of an error breakdown: ``label`` is ``HTTP 503`` or an exception's type."""

    label: str
    state: State
    count: int


def failures_by_frequency(counts: Mapping[tuple[str, State], int]) -> list[Failure]:
    """Rows of an error breakdown in their order: most frequent first, then by label and state."""
    return sorted(
        (Failure(label, state, count) for (label, state), count in counts.items()),
        key=lambda failure: (-failure.count, failure.label, failure.state),
    )


class SegmentWriter(Protocol):
    """Takes documents in."""

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Keep documents; when it returns they survive a crash.

        The same ``token`` with the same documents again changes nothing, so a caller may repeat a
        put whose answer it did not get. Raises StoreAway when the database cannot be reached.
        """
        ...


class TraceReader(Protocol):
    """Gives traces back."""

    def get_traces(self, trace_ids: Sequence[bytes], *, raw: bool = False) -> dict[bytes, Trace]:
        """The traces that exist, by id; unknown ids are absent. ``raw`` fills `Document.raw`.

        A trace of which nothing is sampled counts on the map and is not here, nor in any list.
        """
        ...

    def find_traces(self, query: TraceQuery, *, limit: int, cursor: str | None = None) -> Page:
        """Traces by time, newest first; of equal time the greater id first."""
        ...

    def ever(self) -> bool:
        """Whether any trace was ever kept."""
        ...


class GraphReader(Protocol):
    """Gives the service graph and its details."""

    def service_graph(self, window: TimeRange) -> ServiceGraph:
        """The graph of all units that started in the window (`store.edges.weave`)."""
        ...

    def node_series(self, node: NodeKey, window: TimeRange, step: int) -> list[Slice]:
        """Statistics of a node's units per ``step`` microseconds from the window's start on.

        Steps without units are absent; ascending.
        """
        ...

    def edge_series(
        self, source: NodeKey, target: NodeKey, window: TimeRange, step: int
    ) -> list[Slice]:
        """The same of an edge's calls."""
        ...

    def node_failures(self, node: NodeKey, window: TimeRange) -> list[Failure]:
        """What went wrong in a node's units that were not OK, most frequent first.

        Labels are `store.rules.classify.failure_label`'s.
        """
        ...

    def edge_failures(self, source: NodeKey, target: NodeKey, window: TimeRange) -> list[Failure]:
        """The same of an edge's calls."""
        ...


class Store(SegmentWriter, TraceReader, GraphReader, Protocol):
    """A whole keeper."""

    def check(self) -> None:
        """Return when the store can answer; raise StoreAway saying why it cannot."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
