"""The cells of an installation: one ClickHouse store each, queried at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from store.cells.guard import CellGuard, LiveTopology
from store.cells.topology import Member, cell_names
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.neighbours import Neighbours
from store.clickhouse.store import ClickHouseStore
from store.errors import SchemaMismatch, StoreUnavailable
from store.missing import lacks, note
from store.owner import Owners
from store.together import together

T = TypeVar("T")
MOST_SETTLING = 8
"""Rounds in which cells count for a reader: what one counts may have to be counted in another."""


class Cells:
    """The cells, in the order of the topology: the first is the home of all that is about no trace."""

    def __init__(
        self, addresses: Sequence[Address], *, connections: int, member: Member | None = None
    ) -> None:
        topology = self._topology = LiveTopology(len(addresses), member)
        self._neighbours = [
            Neighbours(place, addresses, lambda: topology.owners) for place in range(len(addresses))
        ]
        self.stores = [
            ClickHouseStore(
                address,
                connections=connections,
                cells=self._neighbours[place],
                guard=CellGuard(address.database, topology, place),
            )
            for place, address in enumerate(addresses)
        ]
        self.names = cell_names(addresses)
        """For messages."""
        self._threads = ThreadPoolExecutor(connections * len(addresses), "cell")

    def __len__(self) -> int:
        return len(self.stores)

    @property
    def home(self) -> ClickHouseStore:
        """The first."""
        return self.stores[0]

    @property
    def owners(self) -> Owners:
        """Where traces are."""
        return self._topology.owners

    def of_trace(self, trace_id: bytes) -> list[ClickHouseStore]:
        """Those that may have a trace: one for each epoch with another rule."""
        return [self.stores[place] for place in self.owners.places_of(trace_id)]

    def each(self, work: Callable[[ClickHouseStore], T]) -> list[T]:
        """The results of the cells that answer, at least one: `by_store`."""
        return list(self.by_store(work).values())

    def by_store(self, work: Callable[[ClickHouseStore], T]) -> dict[ClickHouseStore, T]:
        """The results of the cells that answer, at least one; what the others are is noted (`store.missing`).

        Raises StoreUnavailable, with its name, if one does not answer and that cannot be said, also if another cell could
        not ask it: an answer that lacks some rows would look like one that has all.
        """
        before, known = self._failures(), lacks()
        found = self._together(work, [n for n, name in enumerate(self.names) if name not in known])
        if self._failures() != before and not lacks():
            raise StoreUnavailable(
                "a cell did not answer another: links between their traces are unknown"
            )
        return {self.stores[place]: answer for place, answer in found}

    def _together(
        self, work: Callable[[ClickHouseStore], T], places: Sequence[int]
    ) -> list[tuple[int, T]]:
        results: list[tuple[int, T] | StoreUnavailable] = together(
            self._threads, *(partial(self._answer, work, place) for place in places)
        )
        found = [each for each in results if not isinstance(each, StoreUnavailable)]
        for place, result in zip(places, results, strict=True):
            if isinstance(result, StoreUnavailable) and not (found and note([self.names[place]])):
                raise result
        return found

    def _answer(
        self, work: Callable[[ClickHouseStore], T], place: int
    ) -> tuple[int, T] | StoreUnavailable:
        try:
            return place, self._named(work, place)
        except SchemaMismatch:
            raise
        except StoreUnavailable as error:
            return error

    def by_owner(
        self, trace_ids: Iterable[bytes], work: Callable[[ClickHouseStore, list[bytes]], T]
    ) -> list[T]:
        """The results of the cells that may have some traces, for those of each. Raises StoreUnavailable, with its name, if one
        does not answer: that it may have a trace follows from the id."""
        ids: dict[int, list[bytes]] = {}
        for id in trace_ids:
            for place in self.owners.places_of(id):
                ids.setdefault(place, []).append(id)
        if not ids:
            return []
        return together(
            self._threads,
            *(partial(self._named, partial(_of, work, own), n) for n, own in ids.items()),
        )

    def one_by_one(self) -> Iterator[tuple[str, ClickHouseStore]]:
        """Each cell with its name, for work on one after the other. Raises StoreUnavailable after one that another did
        not answer: it lacked what links of its traces lead to."""
        self.settle()
        for name, store in zip(self.names, self.stores, strict=True):
            before = self._failures()
            yield name, store
            if self._failures() != before:
                raise StoreUnavailable(f"{name}: another cell did not answer it")

    def settle(self) -> None:
        """Have readers count what is due where no worker does."""
        if all(store.rollup_worker.alone for store in self.stores):
            for _ in range(MOST_SETTLING):
                if not any(self.each(lambda store: store.settle())):
                    return

    def _named(self, work: Callable[[ClickHouseStore], T], place: int) -> T:
        store = self.stores[place]
        try:
            return work(store)
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{self.names[place]}: {error}") from error

    def _failures(self) -> int:
        return sum(each.failures for each in self._neighbours)

    def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for store in self.stores:
            store.close()
        for each in self._neighbours:
            each.close()


def _of(
    work: Callable[[ClickHouseStore, list[bytes]], T], ids: list[bytes], store: ClickHouseStore
) -> T:
    return work(store, ids)
