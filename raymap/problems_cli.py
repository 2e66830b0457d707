"""`raymap problems`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.flags import with_settings
from raymap.options import WindowEnd, WindowStart
from raymap.ready_pipe import exit_on_error
from raymap.settings import TenantSettings

problems_app = typer.Typer(
    help="What fails more, is slower or is called less than usual, and since when."
)


@problems_app.callback()
def problems() -> None:
    """What fails more, is slower or is called less than usual, and since when."""


@problems_app.command()
@with_settings
def replay(
    settings: TenantSettings,
    start: WindowStart = "-24h",
    end: WindowEnd = "now",
    every: Annotated[
        bool, typer.Option("--events", help="Print what happened in between, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Find the problems of a time in the past, minute by minute, as if it were now.

    Learns what is usual from the seven days before. Changes nothing.
    """
    with exit_on_error():
        from raymap.commands.problems import replay
        from raymap.processes import prepare_command_cells

        replay(prepare_command_cells(settings), start, end, every=every, as_json=as_json)
