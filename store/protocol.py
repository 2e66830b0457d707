"""The store protocol: what a store does, as seen by the collector and the API.

`store.memory` implements it in plain Python and serves as the reference; tests/store/contract/
runs one test suite against it and against `store.clickhouse`. Errors are in `store.errors`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from store.alarms import AlarmStore
from store.audit import AuditStore
from store.columnar import DocumentColumns
from store.config.protocol import ConfigStore, LayoutStore, RetrievalStore, SamplingStore
from store.declared.model import DeclarationStore
from store.deployments import DeploymentStore
from store.filters.ast import Expression, Field
from store.graph import ServiceGraph, Statistics
from store.grouped_units import GroupedUnit
from store.log_lines import LogStore
from store.minutes import MinuteStore
from store.model import Document, NodeKey, TimeRange, Trace
from store.pins import PinStore
from store.platform_metrics import MetricStore
from store.problems import ProblemStore
from store.query import (
    Backlog,
    Entities,
    EntryTime,
    Page,
    SeenOperation,
    TimeBucket,
    TraceQuery,
    UnitPage,
    UnitQuery,
    ValueCount,
    VersionStatistics,
)
from store.rules.dimensions import Dimension
from store.stats_query import AlikePart, StatsQuery
from store.units import Unit


class SegmentWriter(Protocol):
    """Stores documents."""

    def check(self) -> None:
        """Return if the store can be used; raise StoreUnavailable with the reason otherwise."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Store documents; they survive a crash once this returns.

        Idempotent: the same ``token`` with the same documents again changes nothing, so a caller
        may retry a put that timed out. Raises StoreUnavailable if the database cannot be reached,
        and DataRefused if it refuses a document.
        """
        ...


ENCODE_CHUNK = 128
"""Documents best encoded together: few enough that some 50 passes over them stay in the CPU
cache (256 take a twelfth longer beside busy neighbours, measured), enough to amortise the cost
of a column."""


@runtime_checkable
class ColumnarWriter(SegmentWriter, Protocol):
    """A writer that can encode documents for insertion as soon as they are decoded.

    The encoded form is opaque but for its ``size``. It takes a fraction of the memory of documents,
    and leaves little to do when the batch is inserted.
    """

    def encode(self, columns: DocumentColumns) -> Any:
        """Encode documents, best `ENCODE_CHUNK` of them. Raises an error if one of them cannot be
        stored.

        The result's ``size`` is its memory in bytes, raw documents excluded.
        """
        ...

    def put_encoded(self, packed: Sequence[Any], token: str) -> None:
        """Store encoded documents; equivalent to `put` of the documents they were encoded from."""
        ...


@runtime_checkable
class CellWriter(SegmentWriter, Protocol):
    """A cell of a store: it stores those of the documents that are its own, and ignores the others."""

    name: str
    """For messages and metrics."""

    def count_own(self, documents: Sequence[Document]) -> int:
        """How many are."""
        ...

    def count_encoded(self, encoded: Any) -> int:
        """The same of encoded ones."""
        ...


@runtime_checkable
class StoreOfCells(Protocol):
    """A store that consists of cells."""

    def cell_writers(self) -> Sequence[CellWriter]:
        """A writer for each, in the topology's order."""
        ...


def writers_of(writer: SegmentWriter) -> Sequence[SegmentWriter]:
    """A writer for each cell of a store, each of which may be unavailable while others are not."""
    return writer.cell_writers() if isinstance(writer, StoreOfCells) else [writer]


class TraceReader(Protocol):
    """Reads and finds traces."""

    def get_traces(
        self, trace_ids: Sequence[bytes], *, raw: bool = False, links: bool = True
    ) -> dict[bytes, Trace]:
        """The stored traces by id; unknown ids are absent. ``raw`` fills `Document.raw`. Without ``links``
        those of a trace and `Trace.caused` may be empty: enough to summarize it.

        A trace without any sampled document is on the map only: it is absent here and in every
        list.
        """
        ...

    def get_evaluable(
        self, trace_ids: Sequence[bytes], expression: Expression
    ) -> dict[bytes, Trace]:
        """As `get_traces`, with no more than what an expression reads of traces: other properties may be empty."""
        ...

    def find_traces(
        self, query: TraceQuery, *, limit: int, cursor: str | None = None, raw: bool = False
    ) -> Page:
        """Traces by time, newest first; at equal times the greater id first. ``raw`` fills `Document.raw` of those that
        the page contains."""
        ...

    def count_traces(
        self,
        query: TraceQuery,
        *,
        cursor: str | None,
        until: str | None = None,
        max_seconds: float,
    ) -> int | None:
        """How many traces `find_traces` finds without a filter, after a cursor if there is one, and not after another;
        None when counting them takes longer than ``max_seconds``."""
        ...

    def alike_traces(
        self, query: StatsQuery, *, rows: int, room: int, cursor: str | None
    ) -> AlikePart | None:
        """The newest traces of a query after a cursor: of those of about so many ``rows`` at most about ``room``, by what
        `store.trace_stats` counts of them. None if only reading them says that."""
        ...

    def find_units(self, query: UnitQuery, *, limit: int, cursor: str | None = None) -> UnitPage:
        """The traces that contain the units of a node or an edge; ``query`` must have a window.

        Unsampled units are on the map only.
        """
        ...

    def entry_times(self, trace_ids: Sequence[bytes]) -> dict[bytes, EntryTime]:
        """Start, response time and state of finished traces whose earliest segment has no parent,
        without reading the rest of them; others are absent (`store.summary.summarize` knows)."""
        ...

    def annotation_keys(
        self, window: TimeRange, *, limit: int, prefix: str = ""
    ) -> list[ValueCount]:
        """Keys of annotations on documents that started in the window that begin with ``prefix``, the most frequent first."""
        ...

    def field_values(
        self, field: Field, window: TimeRange, *, prefix: str, limit: int
    ) -> list[ValueCount]:
        """Values of a field of documents that started in the window and whose text begins with
        ``prefix``, the most frequent first. ``field``: an annotation, or among `VALUE_FIELDS`."""
        ...

    def services(self, since: int, *, limit: int) -> list[str]:
        """Names of the services of which something was stored since some time (microseconds), without namespaces."""
        ...

    def operations(self, service: str, since: int, *, limit: int) -> list[SeenOperation]:
        """What a service of this name did of which something was stored since some time, by name; of one that has more
        than `MOST_OPERATIONS` the others as one. A segment of X-Ray's that names none is called like its service."""
        ...

    def has_traces(self) -> bool:
        """Whether any trace has ever been stored."""
        ...

    def last_arrival(self) -> int:
        """A number that differs after documents or log lines were stored, and is the same while none is; 0 of an empty
        store. Cheap."""
        ...


class CountedWindow(Protocol):
    """What a window counts, as of one moment."""

    @property
    def window(self) -> TimeRange:
        """The window that was counted."""
        ...

    @property
    def graph(self) -> ServiceGraph:
        """The graph of all units that started in it."""
        ...

    @property
    def backlog(self) -> Backlog | None:
        """What is missing from it."""
        ...

    @property
    def settled_before(self) -> int | None:
        """From when on (microseconds) calls from clients were left out, if their roots have an unknown parent."""
        ...

    @property
    def quick_step(self) -> int:
        """The smallest step (microseconds) of series that take no longer than the graph."""
        ...

    def series(self, entities: Entities, step: int) -> list[TimeBucket]:
        """`GraphReader.entity_series` of some nodes and edges of the graph."""
        ...


class GraphReader(Protocol):
    """Reads the service graph and its time series."""

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        """The graph of all units that started in the window
        (`store.service_graph.build_service_graph`).

        ``settled_before`` (microseconds): calls from clients to roots with an unknown parent are
        left out if they began then or later (`store.model.is_settled`), and so are inferred nodes
        without edges."""
        ...

    def backlog(self, window: TimeRange, *, least: int = 0) -> Backlog | None:
        """The documents of a window that service graphs and series read from now on may not contain; None: they
        contain all that is stored. Read it before the graph. ``least``: only those that have waited for so long
        (microseconds). A store that counts while it reads has none."""
        ...

    def counted_window(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        """What to display of a window: its graph, as `service_graph`, and series of the same units.

        A parent may also wait to be counted: the longer documents of the window do, beyond the usual, the earlier
        must a root have begun for its client to be drawn.

        It is another window if this one cuts through minutes with too many units to count within an
        interactive request: these are included whole."""
        ...

    def counted_windows(
        self, windows: Sequence[TimeRange], *, settled_before: int | None = None
    ) -> list[CountedWindow]:
        """`counted_window` of each, as of one moment: what they have in common is read once."""
        ...

    def min_step(self, window: TimeRange) -> int:
        """The smallest step (microseconds) at which series of a window are cheap: 1, or a
        minute."""
        ...

    def node_series(
        self, nodes: Collection[NodeKey], window: TimeRange, step: int
    ) -> list[TimeBucket]:
        """Statistics of the units of nodes, background work included, that start in the window, per ``step`` (microseconds): by
        multiples of it since the epoch, the first of which may begin before the window.

        Ascending; steps without units are absent. A node of a map may have the units of several
        (`store.graph.ServiceStats.keys`).
        """
        ...

    def entity_series(
        self,
        entities: Entities,
        window: TimeRange,
        step: int,
        *,
        settled_before: int | None = None,
    ) -> list[TimeBucket]:
        """Statistics of all units of some nodes and edges together per ``step``, as `node_series`;
        ``settled_before`` as in `service_graph`."""
        ...

    def filtered_units(self, window: TimeRange, filter: Expression) -> Iterator[tuple[bytes, Unit]]:
        """The units that start in the window, of the traces that satisfy an expression, each with
        its trace's id.

        Of links only those between such traces. Raises TooManyTraces if the window has more than
        `MAX_FILTERED_TRACES`.
        """
        ...

    def grouped_units(
        self, window: TimeRange, dimension: Dimension, filter: Expression | None = None
    ) -> Iterator[tuple[bytes, GroupedUnit]]:
        """The units of `filtered_units` with their values of a dimension; without a filter all that the map of the
        window counts. What `store.grouped_graph` counts.

        Raises TooManyTraces if the window has more than `MAX_GROUPED_TRACES`, or more than `MAX_FILTERED_TRACES` that
        may satisfy the filter.
        """
        ...

    def operation_statistics(
        self,
        nodes: Collection[NodeKey],
        window: TimeRange,
        *,
        background: bool = False,
        filter: Expression | None = None,
    ) -> dict[str, Statistics]:
        """Statistics of the requests of nodes, or of their background work, that started in the window, by operation
        ('': none), as the map counts them: the `MOST_LISTED_OPERATIONS` with the most units, and the rest as
        `OTHER_OPERATIONS`. With a filter only of traces that satisfy it. Raises TooManyTraces where too many would have to
        be read."""
        ...

    def version_statistics(
        self,
        nodes: Collection[NodeKey],
        window: TimeRange,
        versions: Collection[str] | None = None,
        *,
        weighted: bool = True,
        within: Expression | None = None,
    ) -> dict[str, VersionStatistics]:
        """Statistics of the segments of nodes that started in the window, by the version that each
        reported ('': none), as the map counts them: requests, or background work if there is no request; calls
        without an answer have no version.

        ``versions``: only these. None: the `MOST_VERSIONS` with the most segments, and the rest as
        `OTHER_VERSIONS`. Not ``weighted``: each segment counts once, however it was sampled, as
        statistical tests require. ``within``: only of traces with documents that have an environment,
        or an annotation, which start within an hour of the window.
        """
        ...

    def version_series(
        self, nodes: Collection[NodeKey], window: TimeRange, version: str, step: int
    ) -> list[TimeBucket]:
        """The statistics of one version by the multiple of ``step`` (microseconds), as
        `version_statistics` counts them. Steps without a segment are absent."""
        ...


class Store(
    SegmentWriter,
    TraceReader,
    GraphReader,
    MinuteStore,
    PinStore,
    DeploymentStore,
    DeclarationStore,
    ConfigStore,
    SamplingStore,
    RetrievalStore,
    LayoutStore,
    LogStore,
    AuditStore,
    MetricStore,
    AlarmStore,
    ProblemStore,
    Protocol,
):
    """The whole store."""

    def problems(self) -> list[str]:
        """What an operator should know although the store answers: sentences that say since when and
        which command helps. Raises StoreUnavailable."""
        ...
