"""The topology that is stored in cells, and what refuses to go with it."""

from __future__ import annotations

import pytest

from store.cells.topology import (
    TopologyMismatch,
    form_topology,
    read_member,
    require_topology,
)
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from tests.builders import segment
from tests.conftest import empty


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
    require_topology(cells)
    assert form_topology(cells) is not None, "once more changes nothing"


def test_one_cell_alone_needs_none(cells: list[Address]) -> None:
    assert form_topology(cells[:1]) is None
    require_topology(cells[:1])


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
        require_topology([cells[place] for place in given])


def test_cells_of_no_topology_are_refused_by_epoch(cells: list[Address]) -> None:
    with pytest.raises(TopologyMismatch, match=r"has no topology \(epoch 0\)"):
        require_topology(cells)


def test_another_epoch_is_refused_by_name_of_both(cells: list[Address]) -> None:
    form_topology(cells)
    client = connect(cells[1])
    client.execute(
        "INSERT INTO settings (name, value, ver) SELECT name, replace(value, '\"epoch\":1', '\"epoch\":2'), ver + 1 "
        "FROM settings WHERE name = 'topology'"
    )
    client.disconnect()
    with pytest.raises(TopologyMismatch, match=r"epoch 2, .* epoch 1"):
        require_topology(cells)


def test_a_database_with_traces_becomes_no_cell(cells: list[Address]) -> None:
    """They would be looked for in the cells that own them by then."""
    store = ClickHouseStore(cells[1], connections=1)
    store.put([segment(1)], "a")
    store.close()
    with pytest.raises(TopologyMismatch, match="has traces"):
        form_topology(cells)
