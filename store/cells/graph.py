"""Maps and series over several cells: aggregates are summed before the graph is made, so that whatever looks at a whole
graph (joins of names, folding, unconfirmed clients) sees all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from store.cells import merge
from store.cells.cells import Cells
from store.clickhouse.graph.methods import SummedWindow, settled_with
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units.aggregates import graph_of, sum_of
from store.errors import StoreUnavailable
from store.filters.ast import Expression
from store.graph import ServiceGraph, Statistics
from store.grouped_units import GroupedUnit
from store.minutes import MinuteCounts, Series
from store.missing import lacks, note
from store.model import NodeKey, TimeRange
from store.protocol import CountedWindow
from store.query import MOST_LISTED_OPERATIONS, Backlog, Entities, TimeBucket, VersionStatistics
from store.rules.dimensions import Dimension
from store.rules.operations import OTHER_OPERATIONS
from store.units import Unit


class _HasCells(Protocol):
    cells: Cells

    def counted_windows(
        self, windows: Sequence[TimeRange], *, settled_before: int | None = None
    ) -> list[CountedWindow]: ...


@dataclass(frozen=True)
class SummedCells:
    """See `store.protocol.CountedWindow`."""

    window: TimeRange
    graph: ServiceGraph
    backlog: Backlog | None
    settled_before: int | None
    _cells: Cells
    _parts: Mapping[ClickHouseStore, SummedWindow]
    _lacking: Sequence[str]
    """Names of the cells that did not answer when it was counted."""

    @property
    def quick_step(self) -> int:
        """The largest of all cells'."""
        return max(part.quick_step for part in self._parts.values())

    def series(self, entities: Entities, step: int) -> list[TimeBucket]:
        """Of the counts that the graph was made of."""
        if entities.is_empty:
            return []
        if self._lacking and not note(self._lacking):
            raise StoreUnavailable(f"what was counted lacks {', '.join(self._lacking)}")

        def part(store: ClickHouseStore) -> list[TimeBucket]:
            return self._parts[store].series(entities, step, self.settled_before)

        return merge.series(self._cells.each(part))


class GraphMethods:
    """Methods of `store.protocol.GraphReader` and `store.minutes.MinuteStore`."""

    def service_graph(
        self: _HasCells, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        """The graph of a window."""
        self.cells.settle()
        parts = self.cells.each(lambda store: store.summed_windows([window]))
        return graph_of(sum_of(part.aggregates for (part,) in parts), settled_before)

    def counted_window(
        self: _HasCells, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        """The graph of a window or of the whole minutes around it."""
        (counted,) = self.counted_windows([window], settled_before=settled_before)
        return counted

    def counted_windows(
        self: _HasCells, windows: Sequence[TimeRange], *, settled_before: int | None = None
    ) -> list[CountedWindow]:
        """`counted_window` of each: whole minutes around it where one of the cells needs them."""
        self.cells.settle()
        found = list(
            zip(*self.cells.each(lambda store: store.snapped_windows(windows)), strict=True)
        )
        shown = [
            TimeRange(min(w.start for w, _ in cells), max(w.end for w, _ in cells))
            for cells in found
        ]
        backlogs = [
            merge.backlog((waiting for _, waiting in cells), window)
            for cells, window in zip(found, shown, strict=True)
        ]
        settled = settled_with(settled_before, backlogs)
        by_store = self.cells.by_store(lambda store: store.summed_windows(shown))
        summed = zip(*by_store.values(), strict=True)
        return [
            SummedCells(
                window,
                graph_of(sum_of(part.aggregates for part in parts), settled),
                backlog,
                settled,
                self.cells,
                dict(zip(by_store, parts, strict=True)),
                lacks(),
            )
            for window, backlog, parts in zip(shown, backlogs, summed, strict=True)
        ]

    def backlog(self: _HasCells, window: TimeRange, *, least: int = 0) -> Backlog | None:
        """What is not counted by now."""
        self.cells.settle()
        return merge.backlog(
            self.cells.each(lambda store: store.backlog(window, least=least)), window
        )

    def min_step(self: _HasCells, window: TimeRange) -> int:
        """The largest of all cells'."""
        return max(self.cells.each(lambda store: store.min_step(window)))

    def node_series(
        self: _HasCells, nodes: Collection[NodeKey], window: TimeRange, step: int
    ) -> list[TimeBucket]:
        """Statistics of nodes per step."""
        self.cells.settle()
        return merge.series(self.cells.each(lambda store: store.node_series(nodes, window, step)))

    def entity_series(
        self: _HasCells,
        entities: Entities,
        window: TimeRange,
        step: int,
        *,
        settled_before: int | None = None,
    ) -> list[TimeBucket]:
        """Statistics of some nodes and edges per step."""
        self.cells.settle()
        return merge.series(
            self.cells.each(
                lambda store: store.entity_series(
                    entities, window, step, settled_before=settled_before
                )
            )
        )

    def filtered_units(
        self: _HasCells, window: TimeRange, filter: Expression
    ) -> Iterator[tuple[bytes, Unit]]:
        """Units of the traces that satisfy an expression."""
        for part in self.cells.each(lambda store: list(store.filtered_units(window, filter))):
            yield from part

    def grouped_units(
        self: _HasCells, window: TimeRange, dimension: Dimension, filter: Expression | None = None
    ) -> Iterator[tuple[bytes, GroupedUnit]]:
        """Units with their values."""
        for part in self.cells.each(
            lambda store: list(store.grouped_units(window, dimension, filter))
        ):
            yield from part

    def operation_statistics(
        self: _HasCells,
        nodes: Collection[NodeKey],
        window: TimeRange,
        *,
        background: bool = False,
        filter: Expression | None = None,
    ) -> dict[str, Statistics]:
        """Statistics of nodes by operation."""
        self.cells.settle()
        return merge.most_frequent(
            self.cells.each(
                lambda store: store.operation_statistics(
                    nodes, window, background=background, filter=filter
                )
            ),
            MOST_LISTED_OPERATIONS,
            OTHER_OPERATIONS,
        )

    def version_statistics(
        self: _HasCells,
        nodes: Collection[NodeKey],
        window: TimeRange,
        versions: Collection[str] | None = None,
        *,
        weighted: bool = True,
        within: Expression | None = None,
    ) -> dict[str, VersionStatistics]:
        """Statistics of nodes by version."""
        self.cells.settle()
        requests = any(self.cells.each(lambda store: store.has_requests(nodes, window, within)))
        return merge.versions(
            self.cells.each(
                lambda store: store.version_statistics(
                    nodes,
                    window,
                    versions,
                    weighted=weighted,
                    within=within,
                    beside_requests=requests,
                )
            )
        )

    def version_series(
        self: _HasCells, nodes: Collection[NodeKey], window: TimeRange, version: str, step: int
    ) -> list[TimeBucket]:
        """Statistics of one version per step."""
        self.cells.settle()
        requests = any(self.cells.each(lambda store: store.has_requests(nodes, window)))
        return merge.series(
            self.cells.each(
                lambda store: store.version_series(
                    nodes, window, version, step, beside_requests=requests
                )
            )
        )

    def minute_counts(self: _HasCells, first: int, last: int) -> list[MinuteCounts]:
        """The rows of all cells."""
        self.cells.settle()
        return merge.minute_counts(self.cells.each(lambda store: store.minute_counts(first, last)))

    def counted_minutes(self: _HasCells, first: int, last: int) -> int:
        """In whatever cell most are counted: with those that are imported it grows."""
        return max(self.cells.each(lambda store: store.counted_minutes(first, last)))

    def minute_series(
        self: _HasCells, ids: Collection[int], first: int, last: int
    ) -> dict[int, Series]:
        """By their names, which have the same ids in all cells."""
        found: dict[int, Series] = {}
        for part in self.cells.each(lambda store: store.minute_series(ids, first, last)):
            found |= part
        return found
