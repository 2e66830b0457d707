"""What a keeper of traces promises. `store.memory` keeps it in plain Python and is the truth that
`store.clickhouse` is held to by tests/store/contract.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol, runtime_checkable

from msgspec import Struct

from store.columnar import DocumentColumns
from store.model import Document, NodeKey, ServiceGraph, State, Statistics, TimeRange, Trace


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
    ``annotations``: items as `store.rules.annotations.annotation_item` writes them; each is on some
    document of the trace.
    """

    window: TimeRange
    axis: Axis = Axis.TRACE_ID
    node: NodeKey | None = None
    edge: tuple[NodeKey, NodeKey] | None = None
    states: frozenset[State] = frozenset()
    annotations: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing beyond its window."""
        return not (self.node or self.edge or self.states or self.annotations)


class TraceHit(NamedTuple):
    """One found trace: its id, and the time that put it into the window (microseconds)."""

    trace_id: bytes
    time: int


class Page(NamedTuple):
    """Found traces, newest first; ``scanned`` counts those looked at, matching or not: at least those
    found, and no trace that an index could rule out.

    ``cursor`` continues behind the last one; None on the last page. A page with a cursor may be
    short, or empty, when looking for more would have taken too long.
    """

    found: list[TraceHit]
    scanned: int
    cursor: str | None


class TimeBucket(NamedTuple):
    """One step of a time series: its start (microseconds) and what ended in it."""

    start: int
    statistics: Statistics


class Failure(Struct, frozen=True):
    """One row of an error breakdown: ``label`` is ``HTTP 503`` or an exception's type."""

    label: str
    state: State
    count: int


MAX_NOTE = 500
"""Characters in the note on a pin."""


class Pin(Struct, frozen=True):
    """A trace that is kept for ever: since when (microseconds), and somebody's words on why."""

    trace_id: bytes
    note: str
    at: int


def pin_note(text: str) -> str:
    """A note as it is kept. Raises ValueError, for people, when it is too long or no text."""
    note = text.strip()
    if len(note) > MAX_NOTE:
        raise ValueError(f"a note has at most {MAX_NOTE} characters, got {len(note):,}")
    if not note.isprintable():
        raise ValueError("a note is one line of text, got control characters in it")
    return note


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
        put whose answer it did not get. Raises StoreUnavailable when the database cannot be reached.
        """
        ...


ENCODE_CHUNK = 128
"""Documents that are best decoded and packed together: few enough to stay in the processor's cache while
each of some 50 columns passes over them (of 256 it takes a twelfth more beside busy neighbours, measured),
many enough to share the fixed cost of a column."""


@runtime_checkable
class ColumnarWriter(SegmentWriter, Protocol):
    """A writer that can prepare documents for their way as soon as they are there.

    The packed form is its own affair; what it has is a size. Packed, a document takes a fraction of
    the memory, and what is left to do when its batch goes is little.
    """

    def encode(self, sheet: DocumentColumns) -> Any:
        """A few documents, at best PACKED_AT_ONCE. Raises an error when one of them cannot be kept.

        Of what is returned, ``size`` are the bytes in memory, those of the raw documents left out.
        """
        ...

    def put_encoded(self, packed: Sequence[Any], token: str) -> None:
        """Keep everything in these; the same as `put` of the documents that went into them."""
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

    def has_traces(self) -> bool:
        """Whether any trace was ever kept."""
        ...


class GraphReader(Protocol):
    """Gives the service graph and its details."""

    def service_graph(self, window: TimeRange) -> ServiceGraph:
        """The graph of all units that started in the window (`store.service_graph.build_service_graph`)."""
        ...

    def snap_window(self, window: TimeRange) -> TimeRange:
        """The window to ask for instead, and to say: itself, unless the minutes that it cuts through
        hold too many units to be counted while somebody waits; then those are taken whole."""
        ...

    def min_step(self, window: TimeRange) -> int:
        """The least step, microseconds, in which the series of a window can be had soon: 1, or a
        minute."""
        ...

    def node_series(self, node: NodeKey, window: TimeRange, step: int) -> list[TimeBucket]:
        """Statistics of a node's units per ``step`` microseconds from the window's start on.

        Steps without units are absent; ascending.
        """
        ...

    def edge_series(
        self, source: NodeKey, target: NodeKey, window: TimeRange, step: int
    ) -> list[TimeBucket]:
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


class PinStore(Protocol):
    """Keeps traces for ever.

    A pin changes how long a trace is kept and nothing that is read of it, nor the map.
    """

    def pin(self, trace_id: bytes, note: str, at: int) -> Pin:
        """Keep a trace for ever, and what arrives of it later; ``at``: now, in microseconds.

        A trace that is pinned already keeps its time and gets the note (see `pin_note`).
        Raises NoSuchTrace, and TooManyPins.
        """
        ...

    def unpin(self, trace_id: bytes, at: int) -> bool:
        """Let it expire like any other, at once when its time is over. False: it was not pinned."""
        ...

    def pins(self) -> list[Pin]:
        """All of them, the latest first; of equal time the greater id first."""
        ...

    def pin_of(self, trace_id: bytes) -> Pin | None:
        """The pin of one trace."""
        ...

    def refresh_pins(self) -> int:
        """See that what arrived late is kept too; how many traces that was so for.

        To be called more often than the shortest retention, a day.
        """
        ...


class Store(SegmentWriter, TraceReader, GraphReader, PinStore, Protocol):
    """A whole keeper."""

    def check(self) -> None:
        """Return when the store can answer; raise StoreUnavailable saying why it cannot."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
