"""The topology as it is while a process runs: what each cell says of itself is read with its schema, every few seconds.

A cell that did not answer when the process started may be another one, and an epoch may have been made since. Nothing is
read or written where that does not fit.
"""

from __future__ import annotations

import threading
import time

from clickhouse_driver import Client

from store.cells.topology import Member, TopologyMismatch, now, read_member, require_place
from store.clickhouse.schema.version import SchemaGuard
from store.owner import Owners


class LiveTopology:
    """What is known of it, in a process with so many cells. Thread-safe."""

    def __init__(self, cells: int, member: Member | None = None) -> None:
        self._cells = cells
        self._lock = threading.Lock()
        self._member = member
        self._owners = self._known_of(member) if member else Owners.of(cells)

    @property
    def owners(self) -> Owners:
        """Where traces are."""
        return self._owners

    def _known_of(self, member: Member) -> Owners:
        """Without epochs to come of cells that this process does not have: by then it is over."""
        known = (each for each in member.owners.epochs if max(each.active) < self._cells)
        return Owners(tuple(known))

    @property
    def is_over(self) -> bool:
        """Whether cells take documents that the process does not know."""
        return self._member is not None and self._member.cells_at(now()) > self._cells

    def seen(self, member: Member | None, name: str, place: int) -> None:
        """Compare with what the cell at a place says, and go on with what is new. Raises TopologyMismatch."""
        with self._lock:
            known = self._member
            if member is None:
                if known is None:
                    return
                raise TopologyMismatch(
                    f"{name} has no topology, and is to be {known.at(place).name}"
                )
            require_place(member, name, place, self._cells)
            if known is None or (
                member.epoch > known.epoch and member.cells[: len(known.cells)] == known.cells
            ):
                self._member, self._owners = member, self._known_of(member)
            elif member.cells[: len(known.cells)] != known.cells[: len(member.cells)]:
                raise TopologyMismatch(
                    f"{name} is {member.name} of another topology than the others"
                )


class CellGuard(SchemaGuard):
    """The guard of one cell's schema, and of its place in the topology."""

    def __init__(self, name: str, topology: LiveTopology, place: int = 0) -> None:
        super().__init__(name)
        self._topology, self._place = topology, place

    def require(self, client: Client) -> None:
        """Raise SchemaMismatch unless this program can use the database, as this cell."""
        if time.monotonic() >= self._valid_until or self._topology.is_over:
            self.look(client)

    def look(self, client: Client) -> None:
        """The same with queries in any case."""
        super().look(client)
        try:
            self._topology.seen(read_member(client), self._name, self._place)
        except TopologyMismatch:
            self._valid_until = 0.0
            raise
