"""`raymap config …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from raymap.ready_pipe import exit_on_error

config_app = typer.Typer(
    name="config",
    help="The configuration file: check it, show what applies.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Command(StrEnum):
    """Commands that run for long."""

    SERVE = "serve"
    COLLECT = "collect"
    API = "api"
    CLICKHOUSE = "clickhouse"


@config_app.command("check")
def check_config(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)],
) -> None:
    """Check a file for every command; exits with 1 and the place of the first mistake."""
    with exit_on_error():
        from raymap.commands import config

        config.check(context.find_root().command, file)


@config_app.command("show")
def show_config(
    context: typer.Context,
    command: Annotated[Command, typer.Argument(help="Whose settings.")] = Command.SERVE,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", envvar="RAYMAP_CONFIG")
    ] = None,
) -> None:
    """Print the settings of a command and where each comes from: default, file or environment."""
    with exit_on_error():
        from raymap.commands import config

        config.show(context.find_root().command, command, config_file)
