"""`raymap forget` over cells: on every one, or on none."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from raymap.cells import text_of
from raymap.commands.forget import forget, remove
from raymap.commands.open_store import long_connection
from raymap.errors import CommandError
from raymap.settings import StoreSettings
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.forget import of_user
from tests.collector.samples import segment_bytes
from tests.faults.gate import Gate
from tests.store.cells.conftest import fill

ANA = "ana-7f3a@example.org"


@pytest.fixture
def cells(cell_addresses: list[Address]) -> list[Address]:
    """Each with two traces of a user and one of another."""
    raws = (
        segment_bytes(
            f"{number:016x}",
            trace_id=f"1-6b061440-{number:024x}",
            user="bob" if number > 4 else ANA,
        )
        for number in range(1, 7)
    )
    fill(cell_addresses, raws).close()
    return cell_addresses


def rows(cells: list[Address]) -> list[int]:
    """Documents of each cell."""
    found = []
    for address in cells:
        client = connect(address)
        found += client.execute("SELECT count() FROM segments")[0]
        client.disconnect()
    return found


def settings(cells: list[Address], path: Path) -> StoreSettings:
    return StoreSettings(data_dir=path, clickhouse=text_of(cells))


def test_every_cell_forgets(cells: list[Address], tmp_path: Path) -> None:
    assert rows(cells) == [3, 3]
    forget(settings(cells, tmp_path), of_user(ANA), wait=1, dry_run=False)
    assert rows(cells) == [1, 1]


def test_refused_while_a_cell_is_unavailable(
    cells: list[Address], gate: Gate, tmp_path: Path
) -> None:
    behind = [cells[0], replace(cells[1], port=gate.port)]
    gate.shut()
    with pytest.raises(Exception, match=r"[Rr]efused|not answer|reach"):
        forget(settings(behind, tmp_path), of_user(ANA), wait=1, dry_run=False)
    assert rows(cells) == [3, 3]


def test_one_cell_of_several_is_refused(cells: list[Address], tmp_path: Path) -> None:
    """The others would retain theirs."""
    with pytest.raises(CommandError, match="name all cells"):
        forget(settings(cells[:1], tmp_path), of_user(ANA), wait=1, dry_run=False)
    assert rows(cells) == [3, 3]


def test_resumed_after_a_cell_failed(cells: list[Address], gate: Gate) -> None:
    """What the first run left in the second cell is found by the next one."""
    behind = [cells[0], replace(cells[1], port=gate.port)]

    class Broken:
        """The second cell's connection, which ends when the first row is to be deleted."""

        def __init__(self, client: object) -> None:
            self._client = client

        def execute(self, statement: str, *arguments: object, **named: object) -> object:
            if "DELETE" in statement:
                raise ConnectionResetError
            return self._client.execute(statement, *arguments, **named)  # type: ignore[attr-defined]

    with ExitStack() as stack:
        first, second = (stack.enter_context(long_connection(cell)) for cell in behind)
        with suppress(Exception):
            remove([first, Broken(second)], of_user(ANA))
        assert rows(cells) == [1, 3]
        assert remove([first, second], of_user(ANA))[0] == 2
    assert rows(cells) == [1, 1]
