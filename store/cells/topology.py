"""The topology: which cells there are, in which order, with a number (epoch). Each cell has it, and its own place in it.

The order decides which cell has a trace (`store.owner`). A process with other cells than these, or in another order, would
write traces where none looks for them: it refuses to start. Cells are known by ids of their own, as one host has many
names.

Adding a cell and draining one make a new epoch, which begins at a time to come: processes that were started with the cells
of before go on until then. What has begun is never changed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import msgspec
from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import is_transient
from store.clickhouse.connection.pool import connect
from store.errors import SchemaMismatch
from store.owner import Epoch, Owners

SETTING = "topology"
"""The name of its row in `settings`."""
TIMEOUT = 10.0
"""Seconds until a cell counts as unavailable."""


class TopologyMismatch(SchemaMismatch):
    """The cells that a process was given are not those of the topology that is stored in them."""


class Member(Struct, frozen=True):
    """What a cell knows: the topology, and its ``place`` among the ``cells``, which are ids."""

    epoch: int
    cells: tuple[str, ...]
    place: int
    epochs: tuple[Epoch, ...] = ()
    """Which cells take documents since when; empty: all, ever."""

    @property
    def name(self) -> str:
        """For messages."""
        return f"cell {self.place + 1} of {len(self.cells)} of the topology with epoch {self.epoch}"

    @property
    def owners(self) -> Owners:
        """Where its traces are."""
        return Owners(self.epochs) if self.epochs else Owners.of(len(self.cells))

    def is_like(self, other: Member) -> bool:
        """Whether both are of one topology."""
        return self.at(0) == other.at(0)

    def at(self, place: int) -> Member:
        """What the cell at a place knows."""
        return msgspec.structs.replace(self, place=place)

    def cells_at(self, time: int) -> int:
        """How many a process has to know, at a time in microseconds."""
        return 1 + max(
            place for each in self.owners.epochs if each.since <= time for place in each.active
        )

    def changed(self, cells: Sequence[str], active: Sequence[int], since: int) -> Member:
        """The topology with its next epoch."""
        epochs = (*self.owners.epochs, Epoch(since, tuple(active)))
        return Member(self.epoch + 1, tuple(cells), self.place, epochs)


def read_member(client: Client) -> Member | None:
    """What is stored in a cell; None where it is one of no topology."""
    statement = "SELECT value FROM settings FINAL WHERE name = {name:String}"
    for (value,) in client.execute(statement, {"name": SETTING}):
        return msgspec.json.decode(value, type=Member)
    return None


def read_topology(addresses: Sequence[Address], *, wait_for_it: bool = False) -> Member | None:
    """What is stored in these cells; None for one alone that is of no topology.

    Raises TopologyMismatch, by name of both, unless these cells in this order are the topology that each has stored.
    With ``wait_for_it`` one that does not answer is taken for what the others say: the first look at it decides
    (`store.cells.guard`). None of several answers: nothing says which cell has a trace, and its error is raised.
    """
    found = _read(addresses, wait_for_it=wait_for_it)
    known = _newest(found)
    if known is None and len(addresses) == 1:
        return None
    given = "one cell" if len(addresses) == 1 else f"{len(addresses)} cells"
    for place, member in found.items():
        if member is None:
            raise TopologyMismatch(
                f"{_where(addresses[place])} has no topology (epoch 0), and this process was given {given}: "
                "raymap migrate with all of them, in their order, makes them cells of one"
            )
        assert known is not None
        if not member.is_like(known):
            first = next(at for at, each in found.items() if each is known)
            raise TopologyMismatch(
                f"{_where(addresses[place])} is {member.name}, {_where(addresses[first])} is {known.name}: "
                "all cells must have the same topology"
            )
        require_place(member, _where(addresses[place]), place, len(addresses))
    return known


def require_place(member: Member, where: str, place: int, cells: int) -> None:
    """Raises TopologyMismatch unless a process with so many cells has to have it at this place, now."""
    if member.place == place and member.cells_at(now()) <= cells <= len(member.cells):
        return
    raise _misplaced(member, where, place, cells)


def _misplaced(member: Member, where: str, place: int, cells: int) -> TopologyMismatch:
    return TopologyMismatch(
        f"{where} is {member.name}, and this process was given it as cell {place + 1} of "
        f"{cells}: name all cells with --clickhouse, in the order of the topology"
    )


def cell_names(addresses: Sequence[Address]) -> list[str]:
    """For messages: each with its number; of one alone nothing."""
    number = len(addresses)
    if number == 1:
        return [""]
    return [f"cell {place} of {number} ({each.name})" for place, each in enumerate(addresses, 1)]


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def form_topology(addresses: Sequence[Address]) -> Member | None:
    """Make cells of databases without any traces, unless they are those of this topology already; None for one alone.

    Raises TopologyMismatch where one of them is another's, or has traces: which cell has a trace follows from the number
    of cells, and none is moved.
    """
    if len(addresses) == 1:
        return read_topology(addresses)
    found = _read(addresses)
    known = next((each for each in found.values() if each), None)
    if known is None:
        known = Member(1, tuple(str(uuid.uuid4()) for _ in addresses), 0)
    for place, address in enumerate(addresses):
        if found[place] is None and place < len(known.cells):
            _join(address, known.at(place))
    return read_topology(addresses)


def add_cell(addresses: Sequence[Address], added: Address, since: int) -> Member:
    """Have a further cell take its share of the traces that begin from ``since`` on (microseconds, to come).

    Raises TopologyMismatch where it has traces or is another topology's. Once more changes nothing, and ends a run that
    broke off.
    """
    known = _whole(addresses)
    place = len(addresses)
    id = str(uuid.uuid4())
    member = _read([added])[0]
    if member is not None:
        if member.place != place or member.cells[:place] != known.cells[:place]:
            raise TopologyMismatch(f"{_where(added)} is {member.name} already")
        if member.is_like(known):
            return known
        id = member.cells[place]
    elif len(known.cells) > place:
        raise _lacking(known)
    new = known.changed((*known.cells, id), (*known.owners.last.active, place), since)
    _join(added, new.at(place))
    _write_all(addresses, new)
    return new


def set_active(addresses: Sequence[Address], place: int, active: bool, since: int) -> Member:
    """Have a cell take no more of the traces that begin from ``since`` on, or take them again.

    Raises TopologyMismatch where none would be left.
    """
    known = _whole(addresses)
    if len(addresses) < len(known.cells):
        raise _lacking(known)
    others = [each for each in known.owners.last.active if each != place]
    new = sorted([*others, place]) if active else others
    if not new:
        raise TopologyMismatch(f"cell {place + 1} is the last that takes documents")
    if tuple(new) == known.owners.last.active:
        return known
    changed = known.changed(known.cells, new, since)
    _write_all(addresses, changed)
    return changed


def _whole(addresses: Sequence[Address]) -> Member:
    """The topology of these cells, the first ones of it; of one alone a new one. A change that broke off is ended."""
    found = _read(addresses)
    known = _newest(found)
    if known is None and len(addresses) == 1:
        known = Member(1, (str(uuid.uuid4()),), 0)
        _write(addresses[0], known)
        return known
    for place, member in found.items():
        where = _where(addresses[place])
        if member is None or known is None:
            raise TopologyMismatch(f"{where} has no topology: raymap migrate makes cells of one")
        if member.place != place:
            raise _misplaced(member, where, place, len(addresses))
        if member.is_like(known):
            continue
        if member.epoch + 1 != known.epoch or member.cells != known.cells[: len(member.cells)]:
            raise TopologyMismatch(f"{where} is {member.name}, another is {known.name}")
        _write(addresses[place], known.at(place))
    assert known is not None
    return known


def _lacking(known: Member) -> TopologyMismatch:
    return TopologyMismatch(
        f"the topology has {len(known.cells)} cells: name all with --clickhouse"
    )


def _newest(found: Mapping[int, Member | None]) -> Member | None:
    return max(filter(None, found.values()), key=lambda each: each.epoch, default=None)


def _join(address: Address, member: Member) -> None:
    with connected(address) as client:
        if client.execute("SELECT 1 FROM traces LIMIT 1"):
            raise TopologyMismatch(
                f"{_where(address)} has traces and is to be {member.name}: only an empty database can "
                "become a cell, as no trace is moved"
            )
    _write(address, member)


def _write_all(addresses: Sequence[Address], member: Member) -> None:
    for place, address in enumerate(addresses):
        _write(address, member.at(place))


def _write(address: Address, member: Member) -> None:
    with connected(address) as client:
        row = SETTING, msgspec.json.encode(member).decode(), now()
        client.execute("INSERT INTO settings (name, value, ver) VALUES", [row])


def _read(
    addresses: Sequence[Address], *, wait_for_it: bool = False
) -> Mapping[int, Member | None]:
    """What is stored in each cell that answers, by its place. Raises the error of one that does not, without
    ``wait_for_it`` or if none of several does."""
    if len({(each.name, each.database) for each in addresses}) < len(addresses):
        raise TopologyMismatch("two of the cells are the same database")
    found: dict[int, Member | None] = {}
    for place, address in enumerate(addresses):
        try:
            with connected(address) as client:
                found[place] = read_member(client)
        except Exception as error:
            last = place == len(addresses) - 1
            if not (wait_for_it and is_transient(error)) or (last and not found):
                raise
    return found


def _where(address: Address) -> str:
    return f"{address.name}/{address.database}"


@contextmanager
def connected(address: Address) -> Iterator[Client]:
    """A connection to a cell."""
    client = connect(replace(address, connect_timeout=2.0, timeout=TIMEOUT))
    try:
        yield client
    finally:
        client.disconnect()
