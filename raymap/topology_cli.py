"""`raymap topology`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.flags import with_settings
from raymap.ready_pipe import exit_on_error
from raymap.settings import StoreSettings

topology_app = typer.Typer(help="The cells of ClickHouse: list, add, drain, resume.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Cell = Annotated[int, typer.Argument(metavar="CELL", help="Its number, from 1.")]
After = Annotated[
    float,
    typer.Option(
        "--after",
        metavar="SECONDS",
        min=30,
        max=86_400,
        help="When it begins: time in which every process is started with all cells.",
    ),
]


@topology_app.command("list")
@with_settings
def list_cells(settings: StoreSettings, as_json: AsJson = False) -> None:
    """Show the cells, their replicas and epochs; fails unless they are those that are stored in the cells.

    Which cell has a trace follows from their order and number when it began.
    """
    with exit_on_error():
        from raymap.cells import resolve_cells
        from raymap.commands import topology
        from raymap.logging import set_up_logging

        set_up_logging()
        topology.show(resolve_cells(settings), as_json=as_json)


@topology_app.command()
@with_settings
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="An empty database.")],
    settings: StoreSettings,
    after: After = 600.0,
) -> None:
    """Add a cell behind those of --clickhouse, for traces that begin later. No row is moved."""
    with exit_on_error():
        from raymap.cells import resolve_cells
        from raymap.commands import topology
        from raymap.logging import set_up_logging

        set_up_logging()
        topology.add(resolve_cells(settings), url, after)


@topology_app.command()
@with_settings
def drain(cell: Cell, settings: StoreSettings, after: After = 60.0) -> None:
    """Have a cell take no traces that begin later; what it has is read until it expires."""
    _set_taking(settings, cell, False, after)


@topology_app.command()
@with_settings
def resume(cell: Cell, settings: StoreSettings, after: After = 60.0) -> None:
    """Have a drained cell take traces again."""
    _set_taking(settings, cell, True, after)


def _set_taking(settings: StoreSettings, cell: int, taking: bool, after: float) -> None:
    with exit_on_error():
        from raymap.cells import resolve_cells
        from raymap.commands import topology
        from raymap.logging import set_up_logging

        set_up_logging()
        topology.set_taking(resolve_cells(settings), cell, taking, after)
