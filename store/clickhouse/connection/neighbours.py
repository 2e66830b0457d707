"""The other cells of an installation: links lead to their traces.

A cell that does not answer has no rows: its rows are missing from the answer, and the caller has to say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import is_transient
from store.clickhouse.connection.pool import ClientPool
from store.clickhouse.connection.query_runner import Rows, RunQuery, Statement, run_on
from store.owner import Owners

CONNECTIONS = 4
"""To each other cell. Of a pool of their own: two requests that wait for each other's connections would not end."""
AWAY = 5.0
"""Seconds for which a cell that did not answer is not queried again."""


class Neighbours:
    """The cells beside the one at a place (``index``) of a topology."""

    def __init__(
        self, index: int, addresses: Sequence[Address], owners: Callable[[], Owners]
    ) -> None:
        self.index = index
        self._owners = owners
        self._pools = {
            place: ClientPool(address, CONNECTIONS)
            for place, address in enumerate(addresses)
            if place != index
        }
        self._lock = threading.Lock()
        self._away: dict[int, float] = {}
        self._failures = 0

    @property
    def owners(self) -> Owners:
        """Where traces are."""
        return self._owners()

    @property
    def failures(self) -> int:
        """How often a cell has not answered: what was read meanwhile may lack its rows."""
        return self._failures

    def runners(self, limits: Mapping[str, int | str]) -> Iterator[tuple[int, RunQuery]]:
        """A runner for each other cell, by its place."""
        for place in self._pools:
            yield place, partial(self._ask, place, limits)

    def _ask(self, place: int, limits: Mapping[str, int | str], statement: Statement) -> Rows:
        """The rows of a query in another cell; none while it is unavailable."""
        if time.monotonic() < self._away.get(place, 0.0):
            self._note_failure()
            return []
        pool = self._pools[place]
        try:
            with pool.client() as client:
                return run_on(client, statement, limits)
        except Exception as error:
            if not is_transient(error):
                raise
            self._away[place] = time.monotonic() + AWAY
            self._note_failure()
            return []

    def _note_failure(self) -> None:
        with self._lock:
            self._failures += 1

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
