"""`raymap config`: what a configuration file means for a command, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from raymap.commands.tables import print_table
from raymap.config_file import COMMANDS
from raymap.errors import CommandError, print_status
from raymap.shown_settings import shown_settings


def check(program: Any, file: Path) -> None:
    """CommandError for the first mistake of a file. ``program``: the group of all commands."""
    if not file.exists():
        raise CommandError(f"There is no file {file}.")
    for command in COMMANDS:
        _context(program, command, file)
    print_status(f"{file}: every setting is valid")


def show(program: Any, command: str, file: Path | None) -> None:
    """Print settings, values and sources, without what is secret."""
    settings = shown_settings(_context(program, command, file))
    print_table(
        [("setting", "value", "from"), *((each.name, each.value, each.source) for each in settings)]
    )


def _context(program: Any, command: str, file: Path | None) -> Any:
    """The parsed settings of a command that is given nothing but a file."""
    words = ["--config", str(file)] if file else []
    try:
        return program.commands[command].make_context(command, words)
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own errors
            raise CommandError(f"{command}: {error.format_message()}") from None
        raise
