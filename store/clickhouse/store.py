"""The store protocol on ClickHouse: which package answers which method."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from store.clickhouse import damage, excess_names, operations, pins
from store.clickhouse.alarms import AlarmMethods
from store.clickhouse.config.methods import ConfigMethods
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import (
    DATA_CODES,
    exceeds_limit,
    first_line,
    is_transient,
)
from store.clickhouse.connection.missing_rows import RowsMissing, gets_rows
from store.clickhouse.connection.pool import ClientPool
from store.clickhouse.connection.query_runner import COUNT_LIMITS, OtherCells, QueryRunner
from store.clickhouse.declared import DeclarationMethods
from store.clickhouse.deployments import DeploymentMethods
from store.clickhouse.graph import verify
from store.clickhouse.graph.methods import GraphMethods
from store.clickhouse.graph.minutes import MinuteMethods
from store.clickhouse.graph.rollup_cache import RollupCache
from store.clickhouse.logs.methods import LogMethods
from store.clickhouse.pins import PinMethods
from store.clickhouse.platform_metrics import MetricMethods
from store.clickhouse.problems import ProblemMethods
from store.clickhouse.rollup.backlog import read_due
from store.clickhouse.rollup.turn import READ, Turn
from store.clickhouse.rollup.worker import RollupWorker
from store.clickhouse.schema.version import SCHEMA_CODES, SchemaGuard
from store.clickhouse.search import (
    alike,
    count_traces,
    evaluable,
    filtered_units,
    find_traces,
    find_units,
    get_traces,
    values,
)
from store.clickhouse.units import grouped_units
from store.clickhouse.versions import VersionMethods
from store.clickhouse.write import inserts
from store.clickhouse.write.operations import KnownOperations
from store.columnar import DocumentColumns
from store.cursor import decode_cursor
from store.errors import (
    DataRefused,
    QueryLimitExceeded,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
)
from store.filters.ast import Expression, Field
from store.graph import Statistics
from store.grouped_units import GroupedUnit
from store.model import Document, NodeKey, TimeRange, Trace
from store.query import (
    EntryTime,
    Page,
    SeenOperation,
    TraceQuery,
    UnitPage,
    UnitQuery,
    ValueCount,
)
from store.rules.dimensions import Dimension
from store.stats_query import AlikePart, StatsQuery
from store.units import Unit

if TYPE_CHECKING:
    from store.clickhouse.graph.verify_decoding import DecodedMinute

PIN_INTERVAL = 60.0
"""Seconds between runs that pin late documents of pinned traces."""


class ClickHouseStore(
    GraphMethods,
    MinuteMethods,
    ConfigMethods,
    DeploymentMethods,
    DeclarationMethods,
    LogMethods,
    MetricMethods,
    PinMethods,
    AlarmMethods,
    ProblemMethods,
    VersionMethods,
):
    """`store.protocol.Store` on a ClickHouse that `raymap migrate` has prepared.

    ``login``: see `ClientPool`. ``cells``: the others, where this is one of several (`store.cells`). ``guard``: what
    decides whether the database can be used, besides its schema.
    """

    def __init__(
        self,
        url: str | Address,
        *,
        connections: int = 8,
        login: Callable[[], Address] | None = None,
        cells: OtherCells | None = None,
        guard: SchemaGuard | None = None,
    ) -> None:
        self._cells = cells
        self._pool = ClientPool(url, connections, login=login)
        self.login = self._pool.login
        self.address = self._pool.address
        self.schema = guard or SchemaGuard(self.address.database)
        self._threads = ThreadPoolExecutor(connections, "ask")
        self.rollup_cache = RollupCache()
        self._linked = get_traces.LinkPresence()
        self._linked.seen = cells is not None  # other cells may have links to traces of this one
        self._operations = KnownOperations()
        self.rollup_worker = RollupWorker(Turn(self.login) if self.address.clustered else None)

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Store documents (see `SegmentWriter.put`)."""
        with self._client() as client:
            inserts.insert(client, documents, token, self._operations)

    def encode(self, columns: DocumentColumns) -> inserts.EncodedDocuments:
        """Documents as they go to ClickHouse (see `ColumnarWriter.encode`)."""
        return inserts.encode(columns)

    def put_encoded(self, packed: Sequence[inserts.EncodedDocuments], token: str) -> None:
        """Store encoded documents."""
        with self._client() as client:
            inserts.insert_encoded(client, packed, token, self._operations)

    def get_traces(
        self, trace_ids: Sequence[bytes], *, raw: bool = False, links: bool = True
    ) -> dict[bytes, Trace]:
        """Whole traces by id."""
        with self._asking() as ask:
            return get_traces.get_traces(ask, trace_ids, self._linked, raw=raw, links=links)

    def get_evaluable(
        self, trace_ids: Sequence[bytes], expression: Expression
    ) -> dict[bytes, Trace]:
        """The columns that the expression reads."""
        with self._asking() as ask:
            return evaluable.get_evaluable(ask, trace_ids, expression)

    def find_traces(
        self, query: TraceQuery, *, limit: int, cursor: str | None = None, raw: bool = False
    ) -> Page:
        """Traces by time, newest first."""
        with self._asking() as ask:
            return find_traces.find_traces(ask, query, limit=limit, cursor=cursor, raw=raw)

    def count_traces(
        self,
        query: TraceQuery,
        *,
        cursor: str | None,
        until: str | None = None,
        max_seconds: float,
    ) -> int | None:
        """How many traces follow a page, up to another's end."""
        places = decode_cursor(cursor), decode_cursor(until)
        with self._asking() as ask:
            return count_traces.count_traces(ask, query, *places, max_seconds=max_seconds)

    def alike_traces(
        self, query: StatsQuery, *, rows: int, room: int, cursor: str | None
    ) -> AlikePart | None:
        """Traces by what is counted of them."""
        with self._asking() as ask:
            return alike.alike_part(ask, query, rows=rows, room=room, cursor=cursor)

    def find_units(self, query: UnitQuery, *, limit: int, cursor: str | None = None) -> UnitPage:
        """Traces with units of a node or an edge."""
        with self._asking() as ask:
            return find_units.find_units(ask, query, self._linked, limit=limit, cursor=cursor)

    def entry_times(self, trace_ids: Sequence[bytes]) -> dict[bytes, EntryTime]:
        """What a chart shows of finished traces."""
        with self._asking() as ask:
            return find_units.entry_times(ask, trace_ids)

    def annotation_keys(
        self, window: TimeRange, *, limit: int, prefix: str = ""
    ) -> list[ValueCount]:
        """Keys of annotations."""
        with self._asking() as ask:
            return values.annotation_keys(ask, window, prefix, limit)

    def field_values(
        self, field: Field, window: TimeRange, *, prefix: str, limit: int
    ) -> list[ValueCount]:
        """Values of a field."""
        with self._asking() as ask:
            return values.field_values(ask, field, window, prefix, limit)

    def services(self, since: int, *, limit: int) -> list[str]:
        """Names of services."""
        with self._asking() as ask:
            return values.services(ask, since, limit)

    def operations(self, service: str, since: int, *, limit: int) -> list[SeenOperation]:
        """What a service did."""
        with self._asking() as ask:
            return values.operations(ask, service, since, limit)

    def has_traces(self) -> bool:
        """Whether any trace is stored."""
        with self._client() as client:
            return bool(client.execute("SELECT 1 FROM traces LIMIT 1"))

    def last_arrival(self) -> int:
        """By the numbers of inserted blocks."""
        with self._asking() as ask:
            return values.last_arrival(ask)

    def filtered_units(self, window: TimeRange, filter: Expression) -> Iterator[tuple[bytes, Unit]]:
        """Units of the traces that satisfy an expression."""
        with self._asking() as ask:
            yield from filtered_units.filtered_units(ask, window, filter)

    def grouped_units(
        self, window: TimeRange, dimension: Dimension, filter: Expression | None = None
    ) -> Iterator[tuple[bytes, GroupedUnit]]:
        """Units with their values."""
        with self._asking() as ask:
            yield from grouped_units.grouped_units(ask, window, dimension, filter)

    def operation_statistics(
        self,
        nodes: Collection[NodeKey],
        window: TimeRange,
        *,
        background: bool = False,
        filter: Expression | None = None,
    ) -> dict[str, Statistics]:
        """Statistics of nodes by operation."""
        with self._asking() as ask:
            return operations.operation_statistics(
                ask, nodes, window, background=background, filter=filter
            )

    @contextmanager
    def _client(self) -> Iterator[Client]:
        """A connection to a database with this program's schema; errors are the store's own."""
        with _errors(self.schema), self._pool.client() as client:
            self.schema.require(client)
            yield client

    @contextmanager
    def _asking(self) -> Iterator[QueryRunner]:
        """A query runner on a connection of the pool."""
        with self._client() as client:
            yield QueryRunner(client, self._pool, self._threads, cells=self._cells)

    @contextmanager
    def _counted(self) -> Iterator[QueryRunner]:
        """The same for long work, after dirty buckets have been recounted and their rows are here: StoreUnavailable if they do not come."""
        with self._asking() as asking:
            ask = asking.with_limits(COUNT_LIMITS)
            due, _ = read_due(ask)
            self.rollup_worker.wait_until_fresh(ask, due)
            if self.login().replicated and not gets_rows(ask, READ):
                raise RowsMissing("the replica in use lacks rows that another has had")
            yield ask

    def verify(self, window: TimeRange) -> Iterator[verify.Verified]:
        """Count a window once more from the rows (`store.clickhouse.graph.verify`)."""
        with self._counted() as ask:
            yield from verify.verify(ask, window)

    def verify_decoding(self, window: TimeRange) -> Iterator[DecodedMinute]:
        """Decode the documents of a window once more (`store.clickhouse.graph.verify_decoding`)."""
        # Here alone: no process that serves has any use for the second decoder.
        from store.clickhouse.graph import verify_decoding

        with self._counted() as ask:
            yield from verify_decoding.verify_decoding(ask, window)

    def run_rollups(self, stop: threading.Event) -> None:
        """Count dirty buckets and refresh pins until ``stop`` is set: the whole work of a thread."""
        refreshed = 0.0
        # A connection of its own: readers that wait for a count may have taken all the others.
        own = ClientPool(self.address, 1, login=self.login)

        def tick() -> None:
            nonlocal refreshed
            with _errors(self.schema), own.client() as client:
                self.schema.require(client)
                ask = QueryRunner(client, own, self._threads, COUNT_LIMITS, cells=self._cells)
                self.rollup_worker.tick(ask)
                turn = self.rollup_worker.turn
                if time.monotonic() - refreshed > PIN_INTERVAL and (turn is None or turn.mine):
                    refreshed = time.monotonic()
                    pins.reconcile(client)

        self.rollup_worker.run(tick, stop)
        if self.rollup_worker.turn:
            self.rollup_worker.turn.release()
        own.close()

    def check(self) -> None:
        """Look at the schema. Raises StoreUnavailable when ClickHouse does not answer."""
        with _errors(self.schema), self._pool.client() as client:
            self.schema.look(client)

    def problems(self) -> list[str]:
        """Damaged parts, names in excess, and a map that is behind."""
        with self._asking() as ask:
            found = [*damage.problems(ask), *excess_names.problems(ask)]
        behind = self.rollup_worker.lag.problem()
        return [*found, behind] if behind else found

    def close(self) -> None:
        """Close the connection pool."""
        if self.rollup_worker.turn:
            self.rollup_worker.turn.release()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()


class _errors(AbstractContextManager[None]):
    """Turns driver errors into the store's own, with the server's first line."""

    def __init__(self, schema: SchemaGuard) -> None:
        self._schema = schema

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or isinstance(error, StoreError) or not isinstance(error, Exception):
            return
        self._schema.suspect(error)
        if isinstance(error, ServerException) and error.code in SCHEMA_CODES:
            raise SchemaMismatch(f"ClickHouse refused: {first_line(error)}") from error
        if exceeds_limit(error):
            raise QueryLimitExceeded(f"ClickHouse ended a query: {first_line(error)}") from error
        if is_transient(error):
            raise StoreUnavailable(f"ClickHouse cannot answer now: {first_line(error)}") from error
        if isinstance(error, ServerException) and error.code in DATA_CODES:
            raise DataRefused(f"ClickHouse refused: {first_line(error)}") from error
        if type(error).__module__.startswith("clickhouse_driver"):
            raise StoreError(f"ClickHouse refused: {first_line(error)}") from error
