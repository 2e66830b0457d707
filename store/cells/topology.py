"""The topology: which cells there are, in which order, with a number (epoch). Each cell has it, and its own place in it.

The order decides which cell has a trace (`store.owner`). A process with other cells than these, or in another order, would
write traces where none looks for them: it refuses to start. Cells are known by ids of their own, as one host has many
names.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import closing

import msgspec
from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.errors import StoreError

SETTING = "topology"
"""The name of its row in `settings`."""


class TopologyMismatch(StoreError):
    """The cells that a process was given are not those of the topology that is stored in them."""


class Member(Struct, frozen=True):
    """What a cell knows: the topology, and its ``place`` among the ``cells``, which are ids."""

    epoch: int
    cells: tuple[str, ...]
    place: int

    @property
    def name(self) -> str:
        """For messages."""
        return f"cell {self.place + 1} of {len(self.cells)} of the topology with epoch {self.epoch}"


def read_member(client: Client) -> Member | None:
    """What is stored in a cell; None where it is one of no topology."""
    statement = "SELECT value FROM settings FINAL WHERE name = {name:String}"
    for (value,) in client.execute(statement, {"name": SETTING}):
        return msgspec.json.decode(value, type=Member)
    return None


def require_topology(addresses: Sequence[Address]) -> None:
    """Raises TopologyMismatch, by name of both, unless these cells in this order are the topology that each has stored."""
    members = _read(addresses)
    known = next((member for member in members if member is not None), None)
    if known is None and len(addresses) == 1:
        return
    given = "one cell" if len(addresses) == 1 else f"{len(addresses)} cells"
    for place, (address, member) in enumerate(zip(addresses, members, strict=True)):
        where = f"{address.name}/{address.database}"
        if member is None:
            raise TopologyMismatch(
                f"{where} has no topology (epoch 0), and this process was given {given}: "
                "raymap migrate with all of them, in their order, makes them cells of one"
            )
        assert known is not None
        if (member.epoch, member.cells) != (known.epoch, known.cells):
            raise TopologyMismatch(
                f"{where} is {member.name}, {addresses[0].name}/{addresses[0].database} is {known.name}: "
                "all cells must have the same topology"
            )
        if len(member.cells) != len(addresses) or member.place != place:
            raise TopologyMismatch(
                f"{where} is {member.name}, and this process was given it as cell {place + 1} of "
                f"{len(addresses)}: name all cells with --clickhouse, in the order of the topology"
            )


def form_topology(addresses: Sequence[Address]) -> Member | None:
    """Make cells of databases without any traces, unless they are those of this topology already; None for one alone.

    Raises TopologyMismatch where one of them is another's, or has traces: which cell has a trace follows from the number
    of cells, and none is moved.
    """
    if len(addresses) == 1:
        require_topology(addresses)
        return None
    members = _read(addresses)
    known = next((member for member in members if member is not None), None)
    if known is None:
        known = Member(1, tuple(str(uuid.uuid4()) for _ in addresses), 0)
    for place, address in enumerate(addresses):
        if members[place] is None:
            _join(address, msgspec.structs.replace(known, place=place))
    require_topology(addresses)
    return known


def _join(address: Address, member: Member) -> None:
    with closing(_Connected(address)) as connected:
        if connected.client.execute("SELECT 1 FROM traces LIMIT 1"):
            raise TopologyMismatch(
                f"{address.name}/{address.database} has traces and is to be {member.name}: only an empty database can "
                "become a cell, as no trace is moved"
            )
        row = SETTING, msgspec.json.encode(member).decode(), time.time_ns() // 1000
        connected.client.execute("INSERT INTO settings (name, value, ver) VALUES", [row])


def _read(addresses: Sequence[Address]) -> list[Member | None]:
    found = []
    for address in addresses:
        with closing(_Connected(address)) as connected:
            found.append(read_member(connected.client))
    if len({(each.name, each.database) for each in addresses}) < len(addresses):
        raise TopologyMismatch("two of the cells are the same database")
    return found


class _Connected:
    def __init__(self, address: Address) -> None:
        self.client = connect(address)

    def close(self) -> None:
        self.client.disconnect()
