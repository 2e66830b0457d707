"""The topology that is stored in cells, and what refuses to go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import pytest
from clickhouse_driver.errors import NetworkError

from raymap.commands import topology as commands
from store.cells import topology
from store.cells.guard import CellGuard, LiveTopology
from store.cells.store import CellStore
from store.cells.topology import (
    Member,
    TopologyMismatch,
    add_cell,
    form_topology,
    now,
    read_member,
    read_topology,
    set_active,
)
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from tests.builders import segment
from tests.conftest import empty, migrated_database
from tests.waiting import eventually


@pytest.fixture
def cells(cell_addresses: list[Address]) -> list[Address]:
    """Two empty databases."""
    for address in cell_addresses:
        empty(address)
    return cell_addresses


def test_each_cell_has_its_place(cells: list[Address]) -> None:
    formed = form_topology(cells)
    assert formed is not None
    for place, address in enumerate(cells):
        client = connect(address)
        member = read_member(client)
        client.disconnect()
        assert member is not None
        assert (member.epoch, member.cells, member.place) == (1, formed.cells, place)
    read_topology(cells)
    assert form_topology(cells) is not None, "once more changes nothing"


def test_one_cell_alone_needs_none(cells: list[Address]) -> None:
    assert form_topology(cells[:1]) is None
    read_topology(cells[:1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 0], "is cell 2 of 2 of the topology with epoch 1, and this process was given it as cell 1 of 2"),
        ([0], "is cell 1 of 2 of the topology with epoch 1, and this process was given it as cell 1 of 1"),
        ([0, 0], "two of the cells are the same database"),
    ],
)  # fmt: skip
def test_other_cells_are_refused(cells: list[Address], given: list[int], message: str) -> None:
    form_topology(cells)
    with pytest.raises(TopologyMismatch, match=message):
        read_topology([cells[place] for place in given])


def test_cells_of_no_topology_are_refused_by_epoch(cells: list[Address]) -> None:
    with pytest.raises(TopologyMismatch, match=r"has no topology \(epoch 0\)"):
        read_topology(cells)


def test_another_epoch_is_refused_by_name_of_both(cells: list[Address]) -> None:
    form_topology(cells)
    client = connect(cells[1])
    client.execute(
        "INSERT INTO settings (name, value, ver) SELECT name, replace(value, '\"epoch\":1', '\"epoch\":2'), ver + 1 "
        "FROM settings WHERE name = 'topology'"
    )
    client.disconnect()
    with pytest.raises(TopologyMismatch, match=r"epoch 1, .* epoch 2"):
        read_topology(cells)


def test_a_database_with_traces_becomes_no_cell(cells: list[Address]) -> None:
    """They would be looked for in the cells that own them by then."""
    store = ClickHouseStore(cells[1], connections=1)
    store.put([segment(1)], "a")
    store.close()
    with pytest.raises(TopologyMismatch, match="has traces"):
        form_topology(cells)


@pytest.fixture
def three(cells: list[Address], clickhouse: Address) -> Iterator[list[Address]]:
    """Two cells and an empty database."""
    form_topology(cells)
    with migrated_database(clickhouse) as third:
        yield [*cells, third]


def test_a_cell_is_added_by_an_epoch_to_come(three: list[Address]) -> None:
    """Processes with the cells of before go on until it begins, and are refused then."""
    soon = now() + 2_000_000
    added = add_cell(three[:2], three[2], soon)
    assert (added.epoch, len(added.cells)) == (2, 3)
    assert read_topology(three) is not None
    assert read_topology(three[:2]) is not None
    again = add_cell(three[:2], three[2], soon + 1)
    assert again.is_like(added), "once more changes nothing"
    before = ClickHouseStore(
        three[0], connections=1, guard=CellGuard("a", LiveTopology(2, added.at(0)))
    )
    before.check()
    eventually(lambda: now() > soon)
    with pytest.raises(TopologyMismatch, match="cell 1 of 3 of the topology with epoch 2"):
        before.put([segment(1)], "a")
    before.close()
    with pytest.raises(TopologyMismatch, match="epoch 2"):
        read_topology(three[:2])
    assert read_topology(three) is not None


def test_a_cell_alone_becomes_the_first_of_two_with_its_traces(cells: list[Address]) -> None:
    store = ClickHouseStore(cells[0], connections=1)
    store.put([segment(1)], "a")
    store.close()
    add_cell(cells[:1], cells[1], now())
    both = CellStore(cells, connections=2, member=read_topology(cells))
    assert set(both.get_traces([segment(1).trace_id])) == {segment(1).trace_id}
    both.close()


def test_an_addition_that_broke_off_is_ended(
    three: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("store.cells.topology._write_all", Mock(side_effect=OSError("gone")))
        with pytest.raises(OSError, match="gone"):
            add_cell(three[:2], three[2], now() + 60_000_000)
    with pytest.raises(TopologyMismatch, match="epoch 2"):
        read_topology(three)
    assert add_cell(three[:2], three[2], now()).epoch == 2
    assert read_topology(three) is not None


def test_a_process_reads_with_its_cells_until_the_epoch(three: list[Address]) -> None:
    """It learns of the third one before it has it; what it looks for and stores is where its own rule says."""
    store = CellStore(three[:2], connections=2, member=read_topology(three[:2]))
    ids = [bytes(15) + bytes([last]) for last in range(12)]
    add_cell(three[:2], three[2], now() + 60_000_000)
    for each in store.cells.stores:
        each.check()
    store.put([segment(1, trace_id=id, version=now() + 90_000_000) for id in ids], "a")
    assert set(store.get_traces(ids)) == set(ids)
    assert store.pin_of(ids[2]) is None
    store.close()


@pytest.mark.parametrize("broken", [0, 1])
def test_a_command_that_broke_off_is_run_again(
    three: list[Address], monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    """Whether it had reached a cell of before or not, and after the time from which it was to hold."""
    write = topology._write
    rest = [broken + 1]

    def breaking(address: Address, member: Member) -> None:
        if not rest[0]:
            raise OSError("gone")
        rest[0] -= 1
        write(address, member)

    with monkeypatch.context() as patch:
        patch.setattr(topology, "_write", breaking)
        with pytest.raises(OSError, match="gone"):
            commands.add(three[:2], three[2].url, -1)
    commands.add(three[:2], three[2].url, 60)
    found = read_topology(three)
    assert found is not None
    assert (found.epoch, len(found.cells)) == (2, 3)


def test_draining_takes_all_cells(three: list[Address]) -> None:
    """One that is not named would go on by the rule of before."""
    add_cell(three[:2], three[2], now() + 60_000_000)
    with pytest.raises(TopologyMismatch, match="the topology has 3 cells: name all"):
        set_active(three[:2], 0, False, now() + 90_000_000)


def test_a_cell_of_another_topology_is_not_added(three: list[Address]) -> None:
    with pytest.raises(
        TopologyMismatch, match="is cell 1 of 2 of the topology with epoch 1 already"
    ):
        add_cell([three[2]], three[0], now())


def test_a_drained_cell_is_read_and_takes_nothing(cells: list[Address]) -> None:
    form_topology(cells)
    store = CellStore(cells, connections=2, member=read_topology(cells))
    earlier, later = (bytes(15) + bytes([last]) for last in (1, 3))
    store.put([segment(1, trace_id=earlier)], "a")
    set_active(cells, 1, False, now())
    for guarded in store.cells.stores:
        guarded.check()
    assert store.cells.owners.last.active == (0,)
    store.put([segment(2, trace_id=later, version=now())], "b")
    assert set(store.get_traces([earlier, later])) == {earlier, later}
    assert [len(each.get_traces([earlier, later])) for each in store.cells.stores] == [1, 1]
    store.close()
    with pytest.raises(TopologyMismatch, match="the last"):
        set_active(cells, 0, False, now())


def test_a_cell_that_does_not_answer_is_looked_at_later(cells: list[Address]) -> None:
    """The others say what it is to be; with none of them nothing is known."""
    formed = form_topology(cells)
    absent = [replace(address, port=1) for address in cells]
    assert formed is not None
    known = read_topology([absent[0], cells[1]], wait_for_it=True)
    assert known is not None
    assert known.is_like(formed)
    with pytest.raises(NetworkError, match="refused"):
        read_topology(absent, wait_for_it=True)
    live = LiveTopology(2, known)
    live.seen(formed.at(0), "a", 0)
    with pytest.raises(TopologyMismatch, match="cell 2 of 2"):
        live.seen(formed.at(1), "a", 0)
    with pytest.raises(TopologyMismatch, match="another topology"):
        live.seen(Member(1, ("x", "y"), 0), "a", 0)
    with pytest.raises(TopologyMismatch, match="has no topology"):
        live.seen(None, "a", 0)
