"""The cells that a process was given: which databases, and the store over them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from raymap.data_dir import require_owner
from raymap.errors import CommandError, print_status
from raymap.settings import StoreSettings
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.errors import first_line, is_transient

if TYPE_CHECKING:
    from store.cells.store import CellStore
    from store.clickhouse.store import ClickHouseStore

_BETWEEN = re.compile(r"[\s,]+(?=clickhouses?://)")
"""Commas in a URL separate replicas of one cell."""


def urls_in(text: str) -> list[str]:
    """The URLs of cells, which spaces or commas separate."""
    return _BETWEEN.split(text.strip()) if text.strip() else []


def text_of(cells: Sequence[Address]) -> str:
    """What `urls_in` reads back."""
    return " ".join(cell.url for cell in cells)


def resolve_cells(settings: StoreSettings) -> list[Address]:
    """The cells, in the order of the topology: mostly one."""
    urls = urls_in(settings.clickhouse)
    return [parse_url(url) for url in urls] if len(urls) > 1 else [resolve_clickhouse(settings)]


def resolve_clickhouse(settings: StoreSettings) -> Address:
    """The ClickHouse of the URL, of several the home cell; without one, the embedded one that runs in the data directory."""
    from store.clickhouse.embedded import EmbeddedError, address

    if settings.clickhouse:
        return parse_url(urls_in(settings.clickhouse)[0])
    require_owner(settings.data_dir)
    try:
        return address(settings.data_dir)
    except EmbeddedError as error:
        raise CommandError(f"Which ClickHouse? Name one with --clickhouse; {error}.") from None


def open_cells(cells: Sequence[Address], *, connections: int) -> ClickHouseStore | CellStore:
    """A store over one cell, or several, of which one at least has to answer: where traces are is stored in them."""
    from store.cells.guard import CellGuard, LiveTopology
    from store.cells.topology import TopologyMismatch, read_topology
    from store.clickhouse.store import ClickHouseStore

    try:
        member = read_topology(cells, wait_for_it=True) if len(cells) > 1 else None
    except TopologyMismatch as error:
        raise CommandError(f"{error}.") from None
    if len(cells) == 1:
        guard = CellGuard(cells[0].database, LiveTopology(1))
        return ClickHouseStore(cells[0], connections=connections, guard=guard)
    from store.cells.store import CellStore

    return CellStore(cells, connections=connections, member=member)


def require_cells(cells: Sequence[Address], *, wait_for_it: bool = False) -> None:
    """CommandError unless each has this program's schema, and they are the topology that is stored in them. With
    ``wait_for_it`` one alone need not answer, and of several all but one: what they are is looked at when they do."""
    from raymap.schema_check import require_schema
    from store.cells.topology import TopologyMismatch, read_topology

    for cell in cells:
        require_schema(cell, wait_for_it=wait_for_it)
    try:
        read_topology(cells, wait_for_it=wait_for_it)
    except TopologyMismatch as error:
        raise CommandError(f"{error}.") from None
    except Exception as error:
        if not (wait_for_it and is_transient(error)):
            raise
        if len(cells) > 1:
            raise _none_answers(cells, error) from None


def _none_answers(cells: Sequence[Address], error: Exception) -> CommandError:
    return CommandError(
        f"None of the {len(cells)} cells answers, and where traces are is stored in them: {first_line(error)}."
    )


def prepare_cells(
    cells: Sequence[Address], retention: dict[str, int], *, wait_for_it: bool = False
) -> dict[str, list[str]]:
    """Bring the databases to this version's schema, and make cells of several; the migrations applied, by database.

    With ``wait_for_it`` those of a topology that do not answer stay as they are: what they are is looked at when they do.
    """
    from store.cells.topology import TopologyMismatch, form_topology, read_topology

    applied: dict[str, list[str]] = {}
    absent: list[Exception] = []
    for place, cell in enumerate(cells):
        try:
            applied |= _prepare_cell(cell, retention, home=place == 0)
        except Exception as error:
            if not (wait_for_it and len(cells) > 1 and is_transient(error)):
                raise
            absent.append(error)
            print_status(
                f"{cell.name}/{cell.database} does not answer: {first_line(error)}; going on without it"
            )
    if len(absent) == len(cells):
        raise _none_answers(cells, absent[-1])
    try:
        read_topology(cells, wait_for_it=True) if absent else form_topology(cells)
    except TopologyMismatch as error:
        raise CommandError(f"{error}.") from None
    return applied


def _prepare_cell(cell: Address, retention: dict[str, int], *, home: bool) -> dict[str, list[str]]:
    """The migrations applied; those of tenants are in the home cell."""
    from raymap.tenants.databases import prepare_databases
    from store.clickhouse.schema.retention import prepare_database

    if home:
        done = prepare_databases(cell, retention)
    else:
        done = {cell.database: prepare_database(cell, retention)}
    return {f"{cell.name}/{database}": applied for database, applied in done.items()}
