"""The store protocol over several cells, each of which contains whole traces.

What is about a trace lies in its cell (`store.owner`); all that is not, in the first one, the home cell: the
configuration, alarms, keys, the audit log, the declared map, platform metrics and log lines.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress

from clickhouse_driver import Client

from store.cells import merge
from store.cells.cells import Cells
from store.cells.graph import GraphMethods
from store.cells.topology import Member
from store.cells.writer import SplitDocuments, StoreCellWriter, encode
from store.clickhouse.alarms import AlarmMethods
from store.clickhouse.config.methods import ConfigMethods
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.query_runner import QueryRunner
from store.clickhouse.declared import DeclarationMethods
from store.clickhouse.deployments import DeploymentMethods
from store.clickhouse.graph.verify import Verified
from store.clickhouse.logs.methods import LogMethods
from store.clickhouse.platform_metrics import MetricMethods
from store.clickhouse.problems import ProblemMethods
from store.columnar import DocumentColumns
from store.errors import TraceNotFound
from store.filters.ast import Expression, Field
from store.model import Document, TimeRange, Trace
from store.pins import Pin
from store.query import (
    EntryTime,
    Page,
    SeenOperation,
    TraceQuery,
    UnitPage,
    UnitQuery,
    ValueCount,
)
from store.stats_query import AlikePart, StatsQuery
from store.trace_id import format_trace_id

DEEPER = 10
"""How many times as many values a cell lists as are wanted: one that is rare in a cell may be frequent in all."""


class CellStore(
    GraphMethods,
    ConfigMethods,
    DeploymentMethods,
    DeclarationMethods,
    LogMethods,
    MetricMethods,
    AlarmMethods,
    ProblemMethods,
):
    """`store.protocol.Store` over cells that `raymap migrate` has prepared."""

    def __init__(
        self, addresses: Sequence[Address], *, connections: int = 8, member: Member | None = None
    ) -> None:
        self.cells = Cells(addresses, connections=connections, member=member)
        self.address = self.cells.home.address
        self.login = self.cells.home.login

    def _client(self) -> AbstractContextManager[Client]:
        """A connection to the home cell."""
        return self.cells.home._client()

    def _asking(self) -> AbstractContextManager[QueryRunner]:
        """A query runner there."""
        return self.cells.home._asking()

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Store documents, each in its cell."""
        for writer in self.cell_writers():
            writer.put(documents, token)

    def cell_writers(self) -> list[StoreCellWriter]:
        """A writer for each cell."""
        return [StoreCellWriter(self.cells, place) for place in range(len(self.cells))]

    def encode(self, columns: DocumentColumns) -> SplitDocuments:
        """Documents as they go to the cells."""
        return encode(self.cells.stores, self.cells.owners, columns)

    def put_encoded(self, packed: Sequence[SplitDocuments], token: str) -> None:
        """Store encoded documents. Those of a cell that has them already are ignored there, by their token."""
        for writer in self.cell_writers():
            writer.put_encoded(packed, token)

    def get_traces(
        self, trace_ids: Sequence[bytes], *, raw: bool = False, links: bool = True
    ) -> dict[bytes, Trace]:
        """Whole traces by id."""
        parts = self.cells.by_owner(
            trace_ids, lambda store, ids: store.get_traces(ids, raw=raw, links=links)
        )
        return merge.traces(parts)

    def get_evaluable(
        self, trace_ids: Sequence[bytes], expression: Expression
    ) -> dict[bytes, Trace]:
        """What the expression reads."""
        parts = self.cells.by_owner(
            trace_ids, lambda store, ids: store.get_evaluable(ids, expression)
        )
        return merge.traces(parts)

    def find_traces(
        self, query: TraceQuery, *, limit: int, cursor: str | None = None, raw: bool = False
    ) -> Page:
        """Traces by time, newest first."""
        pages = self.cells.each(
            lambda store: store.find_traces(query, limit=limit, cursor=cursor, raw=raw)
        )
        return merge.merged_pages(pages, limit)

    def count_traces(
        self,
        query: TraceQuery,
        *,
        cursor: str | None,
        until: str | None = None,
        max_seconds: float,
    ) -> int | None:
        """How many traces follow a page, up to another's end."""
        counts = self.cells.each(
            lambda store: store.count_traces(
                query, cursor=cursor, until=until, max_seconds=max_seconds
            )
        )
        known = [each for each in counts if each is not None]
        return sum(known) if len(known) == len(counts) else None

    def alike_traces(
        self, query: StatsQuery, *, rows: int, room: int, cursor: str | None
    ) -> AlikePart | None:
        """None: they are read."""
        return None

    def find_units(self, query: UnitQuery, *, limit: int, cursor: str | None = None) -> UnitPage:
        """Traces with units of a node or an edge."""
        pages = self.cells.each(lambda store: store.find_units(query, limit=limit, cursor=cursor))
        return merge.merged_unit_pages(pages, limit)

    def entry_times(self, trace_ids: Sequence[bytes]) -> dict[bytes, EntryTime]:
        """What a chart shows of finished traces."""
        parts = self.cells.by_owner(trace_ids, lambda store, ids: store.entry_times(ids))
        return merge.entry_times(parts)

    def annotation_keys(
        self, window: TimeRange, *, limit: int, prefix: str = ""
    ) -> list[ValueCount]:
        """Keys of annotations."""
        parts = self.cells.each(
            lambda store: store.annotation_keys(window, limit=DEEPER * limit, prefix=prefix)
        )
        return merge.ranked(parts, limit)

    def field_values(
        self, field: Field, window: TimeRange, *, prefix: str, limit: int
    ) -> list[ValueCount]:
        """Values of a field."""
        parts = self.cells.each(
            lambda store: store.field_values(field, window, prefix=prefix, limit=DEEPER * limit)
        )
        return merge.ranked(parts, limit)

    def services(self, since: int, *, limit: int) -> list[str]:
        """Names of services."""
        parts = self.cells.each(lambda store: store.services(since, limit=limit))
        return sorted({name for part in parts for name in part})[:limit]

    def operations(self, service: str, since: int, *, limit: int) -> list[SeenOperation]:
        """What a service did."""
        parts = self.cells.each(lambda store: store.operations(service, since, limit=limit))
        return merge.seen_operations(parts, limit)

    def has_traces(self) -> bool:
        """Whether any trace is stored."""
        return any(self.cells.each(lambda store: store.has_traces()))

    def last_arrival(self) -> int:
        """The sum of the cells' numbers, none of which falls."""
        return sum(self.cells.each(lambda store: store.last_arrival()))

    def pin(self, trace_id: bytes, note: str, at: int) -> Pin:
        """Exempt a trace from expiry."""
        pins = []
        for store in self.cells.of_trace(trace_id):
            with suppress(TraceNotFound):
                pins.append(store.pin(trace_id, note, at))
        if not pins:
            raise TraceNotFound(f"there is no trace {format_trace_id(trace_id)} here")
        return min(pins, key=lambda pin: pin.at)

    def unpin(self, trace_id: bytes, at: int) -> bool:
        """Let a trace expire."""
        done = [each.unpin(trace_id, at) for each in self.cells.of_trace(trace_id)]
        return any(done)

    def pins(self) -> list[Pin]:
        """Pinned traces, the latest first."""
        parts = self.cells.each(lambda store: store.pins())
        found = {pin.trace_id: pin for part in parts for pin in part}
        return sorted(found.values(), key=lambda pin: (pin.at, pin.trace_id), reverse=True)

    def pin_of(self, trace_id: bytes) -> Pin | None:
        """The pin of one trace."""
        pins = [store.pin_of(trace_id) for store in self.cells.of_trace(trace_id)]
        return next(filter(None, pins), None)

    def refresh_pins(self) -> int:
        """Copy what arrived late of pinned traces."""
        return sum(self.cells.each(lambda store: store.refresh_pins()))

    def verify(self, window: TimeRange) -> Iterator[Verified]:
        """Count a window once more from the rows, in each cell."""
        for _, store in self.cells.one_by_one():
            yield from store.verify(window)

    def run_rollups(self, stop: threading.Event) -> None:
        """Count each cell in a thread of its own, until ``stop`` is set: one that does not answer delays no other."""
        threads = [
            threading.Thread(target=store.run_rollups, args=(stop,), name=f"rollup-{place}")
            for place, store in enumerate(self.cells.stores, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def check(self) -> None:
        """Run a trivial query in each cell. Raises StoreUnavailable when one does not answer."""
        self.cells.each(lambda store: store.check())

    def problems(self) -> list[str]:
        """Those of all cells."""
        parts = self.cells.each(lambda store: store.problems())
        return list(dict.fromkeys(text for part in parts for text in part))

    def close(self) -> None:
        """Close all connections."""
        self.cells.close()
