"""`raymap config`: what a configuration file means for a command, without running it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from raymap.commands.tables import print_table
from raymap.config_file import COMMANDS
from raymap.errors import CommandError, print_status

SOURCES = {"DEFAULT": "default", "DEFAULT_MAP": "file", "ENVIRONMENT": "environment"}
_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)")


def check(program: Any, file: Path) -> None:
    """CommandError for the first mistake of a file. ``program``: the group of all commands."""
    if not file.exists():
        raise CommandError(f"There is no file {file}.")
    for command in COMMANDS:
        _context(program, command, file)
    print_status(f"{file}: every setting is valid")


def show(program: Any, command: str, file: Path | None) -> None:
    """Print settings, values and sources; a password in a URL is not shown."""
    context = _context(program, command, file)
    rows = [("setting", "value", "from")]
    for parameter in context.command.params:
        if parameter.hidden or parameter.name in (None, "config", "help"):
            continue
        source = context.get_parameter_source(parameter.name)
        value = context.params[parameter.name]
        text = _PASSWORD.sub("…", _as_toml(value))
        rows.append((parameter.opts[0].lstrip("-"), text, SOURCES[source.name]))
    print_table(rows)


def _as_toml(value: object) -> str:
    """As it would be written in the file; nothing where nothing is set."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _context(program: Any, command: str, file: Path | None) -> Any:
    """The parsed settings of a command that is given nothing but a file."""
    words = ["--config", str(file)] if file else []
    try:
        return program.commands[command].make_context(command, words)
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own errors
            raise CommandError(f"{command}: {error.format_message()}") from None
        raise
